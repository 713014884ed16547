"""PyTorch on the CPU: the reference that every other engine is compared with."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.predictions import Signature
from workflow_scripts.shared.load_network import load_network


def open_model(model: Path, threads: int) -> Engine:
    """Open the safetensors of read_checkpoint. Height and width of a probe may be any multiples of 32."""
    torch.set_num_threads(threads)
    network = load_network(model)

    @torch.inference_mode()
    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        d0: NDArray[np.float32] = network(torch.from_numpy(probe)).numpy()
        return d0

    return Engine("torch", Signature("x", [1, 3, -1, -1], "d0", [1, 1, -1, -1], "NCHW"), predict)
