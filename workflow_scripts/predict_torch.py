"""Predict with PyTorch: the reference that every other backend is compared with."""

from collections.abc import Sequence

import numpy as np
import torch
from commands import run
from load_network import load_network
from numpy.typing import NDArray
from predictions import Signature, arguments_of, write_predictions


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    torch.set_num_threads(arguments.threads)
    network = load_network(arguments.model)

    @torch.inference_mode()
    def predict(x: NDArray[np.float32]) -> NDArray[np.float32]:
        d0: NDArray[np.float32] = network(torch.from_numpy(x)).numpy()
        return d0

    signature = Signature("x", [1, 3, -1, -1], "d0", [1, 1, -1, -1], "NCHW")
    write_predictions(arguments, signature, predict, "torch")


if __name__ == "__main__":
    run(main)
