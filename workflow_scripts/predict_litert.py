"""Predict with LiteRT on the CPU: XNNPACK, as LiteRT.js has it in WebAssembly."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from commands import run
from numpy.typing import NDArray
from predictions import Signature, arguments_of, nchw, nhwc, write_predictions


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    interpreter = Interpreter(str(arguments.model), num_threads=arguments.threads)
    interpreter.allocate_tensors()
    (x,), (d0,) = interpreter.get_input_details(), interpreter.get_output_details()

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter.set_tensor(x["index"], nhwc(probe))
        interpreter.invoke()
        output: NDArray[np.float32] = interpreter.get_tensor(d0["index"])
        return nchw(output)

    signature = Signature(x["name"], x["shape"].tolist(), d0["name"], d0["shape"].tolist(), "NHWC")
    write_predictions(arguments, signature, predict, "ai-edge-litert")


if __name__ == "__main__":
    run(main)
