import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from safetensors.numpy import save_file

from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.predict.predict_litert import main

pytestmark = pytest.mark.environment("litert")

RANDOM = np.random.default_rng(2)
KERNEL = np.array([0.5, -2, 4], np.float32)


def tensor(name: str, shape: list[int], buffer: int) -> schema.TensorT:
    return schema.TensorT(name=name.encode(), shape=shape, type=schema.TensorType.FLOAT32, buffer=buffer)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model whose d0 is the weighted sum of the three channels, as NumPy computes it. Height and width differ."""
    convolution = schema.OperatorT(
        inputs=[1, 2, 3],
        outputs=[0],
        builtinOptionsType=schema.BuiltinOptions.Conv2DOptions,
        builtinOptions=schema.Conv2DOptionsT(strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1),
    )
    graph = schema.SubGraphT(
        tensors=[
            tensor("d0", [1, 8, 6, 1], 0),
            tensor("x", [1, 8, 6, 3], 0),
            tensor("kernel", [1, 1, 1, 3], 1),
            tensor("bias", [1], 2),
        ],
        inputs=[1],
        outputs=[0],
        operators=[convolution],
    )
    buffers = [np.empty(0, np.uint8), KERNEL.view(np.uint8), np.zeros(4, np.uint8)]
    file = schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(builtinCode=schema.BuiltinOperator.CONV_2D, version=1)],
        subgraphs=[graph],
        buffers=[schema.BufferT(data=data) for data in buffers],
    )
    builder = flatbuffers.Builder()
    builder.Finish(file.Pack(builder), b"TFL3")
    (tmp_path / "float32.tflite").write_bytes(builder.Output())
    return tmp_path / "float32.tflite"


def test_predictions_are_the_models_and_say_what_computed_them(model: Path, tmp_path: Path) -> None:
    probes = {name: RANDOM.normal(size=(1, 3, 8, 6)).astype(np.float32) for name in ("noise", "astronaut")}
    save_file(probes, tmp_path / "probes.safetensors")
    output = tmp_path / "out" / "litert-float32.safetensors"
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
        assert found[name].shape == (1, 1, 8, 6)
        assert np.abs(found[name] - expected).max() < 1e-5
    assert metadata["backend"] == f"ai-edge-litert {version('ai-edge-litert')}"
    assert metadata["model"] == str(model)
    assert metadata["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert json.loads(metadata["signature"]) == {
        "input_name": "x",
        "input_shape": [1, 8, 6, 3],
        "output_name": "d0",
        "output_shape": [1, 8, 6, 1],
        "layout": "NHWC",
    }
