import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import time_openvino
from openvino.runtime import opset8
from safetensors.numpy import save_file


def test_each_line_is_answered_with_a_frame(tmp_path: Path) -> None:
    x = opset8.parameter([1, 3, 4, 4], np.float32, name="x")
    openvino.save_model(openvino.Model([opset8.sigmoid(x)], [x]), tmp_path / "model.xml", compress_to_fp16=False)
    probes = {name: np.random.default_rng(3).normal(size=(1, 3, 4, 4)).astype(np.float32) for name in ("a", "b")}
    save_file(probes, tmp_path / "probes.safetensors")
    done = subprocess.run(
        [
            *(sys.executable, time_openvino.__file__, "--model", str(tmp_path / "model.xml")),
            *("--probes", str(tmp_path / "probes.safetensors"), "--probe", "b", "--threads", "1"),
        ],
        input="frame\noutput\n",
        capture_output=True,
        text=True,
        check=True,
    )
    said, first, second = map(json.loads, done.stdout.splitlines())
    assert said["threads"] == 1
    assert openvino.__version__.startswith(said["version"])
    assert first["ms"] > 0
    assert first["d0"] is None
    assert np.allclose(second["d0"], (1 / (1 + np.exp(-probes["b"]))).ravel(), atol=1e-6)
