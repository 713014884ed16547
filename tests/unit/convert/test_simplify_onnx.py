from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from workflow_scripts.convert.simplify_onnx import main, simplify_onnx
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("onnx")

Refusal = Callable[..., str]
WIDTH = 4


def node(operator: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(operator, inputs.split(), [output], **attributes)


def model_of(nodes: list[NodeProto], constants: dict[str, NDArray[Any]]) -> ModelProto:
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "height", "width"])
        for name, channels in (("x", 3), ("d0", 1))
    ]
    initializers = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "dynamic", ends[:1], ends[1:], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model, full_check=True)
    return model


def constants() -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(4)
    return {
        "kernel": random.normal(0, 0.3, (WIDTH, 3, 3, 3)).astype(np.float32),
        "bias": random.normal(0, 0.3, WIDTH).astype(np.float32),
        "side": random.normal(0, 0.3, (1, 2 * WIDTH, 3, 3)).astype(np.float32),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "starts": np.array([2], np.int64),
        "ends": np.array([4], np.int64),
        "axes": np.array([0], np.int64),
        "empty": np.array([], np.float32),
    }


def skip_connection() -> list[NodeProto]:
    """A pool and an upsampling to the size of the skip. In an exported file, operators compute that size."""
    return [
        node("Conv", "x kernel bias", "skip", pads=[1, 1, 1, 1]),
        node("MaxPool", "skip", "pooled", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("Shape", "skip", "skip_shape"),
        node("Slice", "skip_shape starts ends axes", "skip_size"),
        node("Shape", "pooled", "pooled_shape"),
        node("Gather", "pooled_shape zero", "batch", axis=0),
        node("Gather", "pooled_shape one", "channels", axis=0),
        node("Unsqueeze", "batch", "batch_1", axes=[0]),
        node("Unsqueeze", "channels", "channels_1", axes=[0]),
        node("Concat", "batch_1 channels_1 skip_size", "sizes", axis=0),
        node("Cast", "sizes", "sizes_int64", to=TensorProto.INT64),
        node(
            "Resize",
            "pooled empty empty sizes_int64",
            "upsampled",
            mode="linear",
            coordinate_transformation_mode="pytorch_half_pixel",
        ),
        node("Concat", "upsampled skip", "both", axis=1),
    ]


@pytest.fixture
def dynamic() -> ModelProto:
    nodes = [*skip_connection(), node("Conv", "both side", "d", pads=[1, 1, 1, 1]), node("Sigmoid", "d", "d0")]
    return model_of(nodes, constants())


def predict(model: ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    d0: NDArray[np.float32] = session.run(["d0"], {"x": x})[0]
    return d0


def noise(size: int) -> NDArray[np.float32]:
    return np.random.default_rng(size).normal(size=(1, 3, size, size)).astype(np.float32)


@pytest.mark.parametrize("resolution", [32, 64, 320])
def test_one_resolution_computes_exactly_what_the_dynamic_file_computes(dynamic: ModelProto, resolution: int) -> None:
    static = simplify_onnx(dynamic, resolution)
    x = noise(resolution)
    found = predict(static, x)
    assert found.shape == (1, 1, resolution, resolution)
    assert found.std() > 0.01
    assert (found == predict(dynamic, x)).all()


def test_one_flipped_weight_shows(dynamic: ModelProto) -> None:
    static = simplify_onnx(dynamic, 32)
    tensor = next(t for t in static.graph.initializer if list(t.dims) == [WIDTH, 3, 3, 3])
    kernel = numpy_helper.to_array(tensor).copy()
    kernel[1, 2, 0, 0] *= -1
    tensor.CopyFrom(numpy_helper.from_array(kernel, tensor.name))
    assert (predict(static, noise(32)) != predict(dynamic, noise(32))).any()


def test_every_shape_is_fixed_and_nothing_computes_one(dynamic: ModelProto) -> None:
    static = simplify_onnx(dynamic, 64)
    for end, channels in ((static.graph.input, 3), (static.graph.output, 1)):
        (only,) = end
        assert [d.dim_value for d in only.type.tensor_type.shape.dim] == [1, channels, 64, 64]
    assert (static.graph.input[0].name, static.graph.output[0].name) == ("x", "d0")
    operators = [n.op_type for n in static.graph.node]
    assert sorted(operators) == ["Concat", "Conv", "Conv", "MaxPool", "Resize", "Sigmoid"]
    with pytest.raises(Exception, match="dimension"):
        predict(static, noise(32))


def test_the_dynamic_model_is_left_as_it_is(dynamic: ModelProto) -> None:
    before = dynamic.SerializeToString()
    simplify_onnx(dynamic, 32)
    assert dynamic.SerializeToString() == before


def test_nothing_but_the_graph_is_written(dynamic: ModelProto, tmp_path: Path) -> None:
    onnx.save(dynamic, tmp_path / "dynamic.onnx")
    for name in ("a.onnx", "b.onnx"):
        main(["--model", str(tmp_path / "dynamic.onnx"), "--resolution", "32", "--output", str(tmp_path / name)])
    assert len(onnx.load(tmp_path / "a.onnx").metadata_props) == 0
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


@pytest.mark.parametrize("resolution", [0, -32, 16, 33, 100, 500])
def test_a_resolution_that_does_not_divide_by_32_is_refused(
    dynamic: ModelProto, tmp_path: Path, refusal: Refusal, resolution: int
) -> None:
    onnx.save(dynamic, tmp_path / "dynamic.onnx")
    output = tmp_path / "model.onnx"
    output.write_text("good")
    message = refusal(main, "--model", tmp_path / "dynamic.onnx", f"--resolution={resolution}", "--output", output)
    assert message == f"script: resolution {resolution} is not a positive multiple of 32"
    assert output.read_text() == "good"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["dynamic.onnx", "model.onnx"]


def test_a_size_that_depends_on_the_values_is_refused() -> None:
    # The number of positive values depends on x.
    nodes = [
        *skip_connection(),
        node("Conv", "both side", "d", pads=[1, 1, 1, 1]),
        node("NonZero", "d", "where"),
        node("Shape", "where", "where_shape"),
        node("Gather", "where_shape one", "how_many", axis=0),
        node("Cast", "how_many", "how_many_float", to=TensorProto.FLOAT),
        node("Mul", "d how_many_float", "d0"),
    ]
    with pytest.raises(Failure, match=r"still computes shapes at run time, with Cast, Gather, Shape$"):
        simplify_onnx(model_of(nodes, constants()), 32)


def test_the_refusal_of_a_size_names_the_operators_left() -> None:
    nodes = [
        *skip_connection(),
        node("Conv", "both side", "d", pads=[1, 1, 1, 1]),
        node("Cast", "d", "d_double", to=TensorProto.DOUBLE),
        node("Cast", "d_double", "d0", to=TensorProto.FLOAT),
    ]
    with pytest.raises(Failure, match=r"with Cast$"):
        simplify_onnx(model_of(nodes, constants()), 32)
