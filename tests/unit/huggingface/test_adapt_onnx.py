from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from workflow_scripts.huggingface import adapt_onnx
from workflow_scripts.shared.drawings import MEAN, STANDARD_DEVIATION, preprocess

pytestmark = pytest.mark.environment("torch")

SIDE = 32
KERNEL = np.random.default_rng(2).normal(0, 0.2, (8, 3, 5, 5)).astype(np.float32)


def infer(model: Path, x: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (d0,) = session.run(None, {"x": x})
    return np.asarray(d0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network of one convolution."""
    monkeypatch.chdir(tmp_path)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "kernel"], ["features"], pads=[2, 2, 2, 2]),
            helper.make_node("ReduceMean", ["features"], ["mean_feature"], axes=[1], keepdims=1),
            helper.make_node("Sigmoid", ["mean_feature"], ["d0"]),
        ],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("d0", TensorProto.FLOAT, [1, 1, SIDE, SIDE])],
        [numpy_helper.from_array(KERNEL, "kernel")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), "model.onnx")
    return tmp_path


ARGUMENTS = ("--model=model.onnx", "--whole=whole.onnx", "--half=half.onnx")


def undivided(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network input of tools that do not divide by the photo's maximum: over 255, then normalised."""
    normalised = ((photo / 255 - MEAN) / STANDARD_DEVIATION).astype(np.float32)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[np.newaxis])


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("brightest", [0, 1, 90, 255])
def test_photo_is_divided_by_its_maximum_and_only_once(brightest: int) -> None:
    adapt_onnx.main(ARGUMENTS)
    photo = np.random.default_rng(brightest).integers(0, brightest + 1, (SIDE, SIDE, 3)).astype(np.uint8)
    photo[0, 0, 1] = brightest
    divided = preprocess(photo, SIDE)
    expected = infer(Path("model.onnx"), divided)
    assert np.abs(infer(Path("whole.onnx"), undivided(photo)) - expected).max() < 1e-5
    assert np.abs(infer(Path("whole.onnx"), divided) - expected).max() < 1e-5
    if brightest == 90:
        # Without the division the tools would draw something else.
        assert np.abs(infer(Path("model.onnx"), undivided(photo)) - expected).max() > 0.01


@pytest.mark.usefixtures("place")
def test_half_size_file_has_16_bits_a_weight() -> None:
    adapt_onnx.main(ARGUMENTS)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load("half.onnx").graph.initializer}
    # ONNX Runtime's build for browsers casts no uint16.
    assert {tensors["k0:high"].dtype, tensors["k0:low"].dtype} == {np.dtype(np.uint8)}
    assert "kernel" not in tensors
    levels = tensors["k0:high"] * np.float32(256) + tensors["k0:low"]
    restored = levels * tensors["k0:scale"] + tensors["k0:offset"]
    step = (KERNEL.max() - KERNEL.min()) / 65535
    assert np.abs(restored - KERNEL).max() <= 0.51 * step
    x = preprocess(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8), SIDE)
    apart = np.abs(infer(Path("half.onnx"), x) - infer(Path("whole.onnx"), x)).max()
    assert 0 < apart < 1e-4
