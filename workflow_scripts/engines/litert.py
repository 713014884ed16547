"""LiteRT on the CPU. It runs the kernels of XNNPACK, which LiteRT.js runs in WebAssembly."""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.predictions import Signature
from workflow_scripts.shared.layouts import nchw, nhwc


def open_model(model: Path, threads: int) -> Engine:
    """Open a .tflite file."""
    return engine_of(Interpreter(str(model), num_threads=threads))


def engine_of(interpreter: Interpreter) -> Engine:
    """Make LiteRT's interpreter of a .tflite file ready to predict."""
    interpreter.allocate_tensors()
    (x,), (d0,) = interpreter.get_input_details(), interpreter.get_output_details()

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter.set_tensor(x["index"], nhwc(probe))
        interpreter.invoke()
        output: NDArray[np.float32] = interpreter.get_tensor(d0["index"])
        return nchw(output)

    signature = Signature(x["name"], x["shape"].tolist(), d0["name"], d0["shape"].tolist(), "NHWC")
    return Engine("ai-edge-litert", signature, predict)
