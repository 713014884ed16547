import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.predict.predict_onnxruntime import main
from workflow_scripts.shared.layouts import nchw, nhwc

pytestmark = pytest.mark.environment("onnx")

RANDOM = np.random.default_rng(2)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model whose d0 is the weighted sum of the three channels, as NumPy computes it."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 8, 8])
        for name, channels in (("x", 3), ("d0", 1))
    ]
    kernel = numpy_helper.from_array(np.array([0.5, -2, 4], np.float32).reshape(1, 3, 1, 1), "kernel")
    graph = helper.make_graph([helper.make_node("Conv", ["x", "kernel"], ["d0"])], "g", ends[:1], ends[1:], [kernel])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), tmp_path / "model.onnx"
    )
    return tmp_path / "model.onnx"


def test_predictions_are_the_models_and_say_what_computed_them(model: Path, tmp_path: Path) -> None:
    probes = {name: RANDOM.normal(size=(1, 3, 8, 8)).astype(np.float32) for name in ("noise", "astronaut")}
    save_file(probes, tmp_path / "probes.safetensors")
    output = tmp_path / "out" / "onnxruntime.safetensors"
    main(
        [
            *("--model", str(model), "--probes", str(tmp_path / "probes.safetensors")),
            *("--threads", "1", "--output", str(output)),
        ]
    )
    found, metadata = read_predictions(output)
    assert found.keys() == probes.keys()
    for name, x in probes.items():
        expected = 0.5 * x[:, :1] - 2 * x[:, 1:2] + 4 * x[:, 2:]
        assert found[name].shape == (1, 1, 8, 8)
        assert np.abs(found[name] - expected).max() < 1e-5
    assert metadata["backend"] == f"onnxruntime {onnxruntime.__version__}"
    assert metadata["model"] == str(model)
    assert metadata["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert json.loads(metadata["signature"]) == {
        "input_name": "x",
        "input_shape": [1, 3, 8, 8],
        "output_name": "d0",
        "output_shape": [1, 1, 8, 8],
        "layout": "NCHW",
    }


def test_layouts_are_each_others_inverse() -> None:
    x = RANDOM.normal(size=(1, 3, 4, 5))
    assert nhwc(x).shape == (1, 4, 5, 3)
    assert nhwc(x)[0, 1, 2, 0] == x[0, 0, 1, 2]
    assert (nchw(nhwc(x)) == x).all()
