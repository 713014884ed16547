from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from workflow_scripts.benchmark import time_onnxruntime

pytestmark = pytest.mark.environment("onnx")


def test_each_line_is_answered_with_a_frame(
    tmp_path: Path, sigmoid_frames: Callable[[str, Path], dict[str, Any]]
) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 4, 4]) for name in ("x", "d0")]
    graph = helper.make_graph([helper.make_node("Sigmoid", ["x"], ["d0"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.save(model, tmp_path / "model.onnx")
    said = sigmoid_frames(time_onnxruntime.__name__, tmp_path / "model.onnx")
    assert said["version"] == onnxruntime.__version__
