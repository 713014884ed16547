"""ONNX Runtime on the CPU."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.predictions import Signature

# What ONNX Runtime raises of a file that it cannot open or run. These classes have no common base but Exception.
ERRORS = (
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NotImplemented,
    states.RuntimeException,
)


def open_model(model: Path, threads: int, output: str | None = None) -> Engine:
    """Open an ONNX file of one input, with every graph optimisation. `output` is needed if it has several."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (x,) = session.get_inputs()
    (d0,) = [each for each in session.get_outputs() if output in (None, each.name)]

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run([d0.name], {x.name: probe})[0]
        return found

    return Engine("onnxruntime", Signature(x.name, x.shape, d0.name, d0.shape, "NCHW"), predict)
