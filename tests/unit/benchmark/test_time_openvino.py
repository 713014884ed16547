from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino.runtime import opset8

from workflow_scripts.benchmark import time_openvino

pytestmark = pytest.mark.environment("tensorflow")


def test_each_line_is_answered_with_a_frame(
    tmp_path: Path, sigmoid_frames: Callable[[str, Path], dict[str, Any]]
) -> None:
    x = opset8.parameter([1, 3, 4, 4], np.float32, name="x")
    d0 = opset8.sigmoid(x)
    d0.output(0).set_names({"d0"})
    openvino.save_model(openvino.Model([d0], [x]), tmp_path / "model.xml", compress_to_fp16=False)
    said = sigmoid_frames(time_openvino.__name__, tmp_path / "model.xml")
    assert openvino.__version__.startswith(said["version"])
