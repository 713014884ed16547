"""Predict with ONNX Runtime on the CPU."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from commands import run
from numpy.typing import NDArray
from predictions import Signature, arguments_of, write_predictions


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    (x,), (d0,) = session.get_inputs(), session.get_outputs()

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = session.run([d0.name], {x.name: probe})[0]
        return output

    signature = Signature(x.name, x.shape, d0.name, d0.shape, "NCHW")
    write_predictions(arguments, signature, predict, "onnxruntime")


if __name__ == "__main__":
    run(main)
