"""OpenVINO on the CPU, in FP32."""

from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.predictions import Signature


def open_model(model: Path, threads: int, streams: int = 1) -> Engine:
    """Open an IR: its model.xml, with model.bin beside it.

    `streams` inputs may be predicted at the same time, each by a thread of the caller. They share `threads` and the
    weights.
    """
    core = openvino.Core()
    options = {
        # Without this, newer processors compute in bfloat16.
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(core.read_model(model), "CPU", options)
    x, d0 = compiled.input(), compiled.output()

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        # A request of its own: what `compiled` itself keeps is for one caller at a time.
        output: NDArray[np.float32] = compiled.create_infer_request().infer({x: probe})[d0]
        return output

    if streams > 1:
        # OpenVINO's Python module sets up static tables during its first prediction and releases the interpreter lock
        # meanwhile. Two threads that predict for the first time at the same moment then wait for each other for ever.
        predict(np.zeros(list(x.shape), np.float32))
    return Engine("openvino", Signature(x.any_name, list(x.shape), d0.any_name, list(d0.shape), "NCHW"), predict)
