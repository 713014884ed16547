"""ONNX Runtime on the CPU."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.predictions import Signature


def open_model(model: Path, threads: int) -> Engine:
    """Open an ONNX file of one input and one output, with every graph optimisation."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (x,), (d0,) = session.get_inputs(), session.get_outputs()

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = session.run([d0.name], {x.name: probe})[0]
        return output

    return Engine("onnxruntime", Signature(x.name, x.shape, d0.name, d0.shape, "NCHW"), predict)
