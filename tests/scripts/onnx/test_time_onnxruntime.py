import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import time_onnxruntime
from onnx import TensorProto, helper
from safetensors.numpy import save_file


def test_each_line_is_answered_with_a_frame(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 4, 4]) for name in ("x", "d0")]
    graph = helper.make_graph([helper.make_node("Sigmoid", ["x"], ["d0"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.save(model, tmp_path / "model.onnx")
    probes = {name: np.random.default_rng(3).normal(size=(1, 3, 4, 4)).astype(np.float32) for name in ("a", "b")}
    save_file(probes, tmp_path / "probes.safetensors")
    done = subprocess.run(
        [
            *(sys.executable, time_onnxruntime.__file__, "--model", str(tmp_path / "model.onnx")),
            *("--probes", str(tmp_path / "probes.safetensors"), "--probe", "b", "--threads", "1"),
        ],
        input="frame\noutput\n",
        capture_output=True,
        text=True,
        check=True,
    )
    said, first, second = map(json.loads, done.stdout.splitlines())
    assert said == {"version": onnxruntime.__version__, "threads": 1}
    assert first["ms"] > 0
    assert first["d0"] is None
    assert np.allclose(second["d0"], (1 / (1 + np.exp(-probes["b"]))).ravel(), atol=1e-6)
