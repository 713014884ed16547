"""ONNX files with folded batch norms, with changed fields and changed bytes."""

import tempfile
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests.support.fuzzing import HOSTILE_TEXTS, SIZES, Watch, damaged, fuzz, instrument, short

instrument("read_folded_onnx", "read_checkpoint", "u2net")

from workflow_scripts.checkpoint.read_checkpoint import check_topology, checked_tensors
from workflow_scripts.checkpoint.read_folded_onnx import execution_order, read_folded_onnx
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import U2Net

torch.set_num_threads(1)
WATCH = Watch()
STAGES = {
    f"stage{name}": (3 if name == "1" else 4 if name.endswith("d") else 2, 1, 2)
    for name in ("1", "2", "3", "4", "5", "6", "5d", "4d", "3d", "2d", "1d")
}


def folded() -> ModelProto:
    """A network's convolutions as an ONNX file lists them; nothing joins them, for nothing but them is read."""
    network, nodes, weights = U2Net(STAGES), [], []
    for name, dilation in execution_order().items():
        module = network.get_submodule(name if not name.rpartition(".")[2].startswith("rebn") else f"{name}.conv_s1")
        for part in ("weight", "bias"):
            weights.append(numpy_helper.from_array(module.get_parameter(part).detach().numpy(), f"{name}.{part}"))
        nodes.append(helper.make_node("Conv", ["x", f"{name}.weight", f"{name}.bias"], ["x"], dilations=[dilation] * 2))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 32, 32]) for name in "xy"]
    return helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], weights))


SEED = folded().SerializeToString()
TYPES = st.sampled_from(TensorProto.DataType.values())


@st.composite
def models(draw: st.DrawFn) -> bytes:
    """Change fields of a model: shapes, types, values, names, the place of the values. Then change bytes."""
    model = ModelProto.FromString(SEED)
    graph = model.graph
    for _ in range(draw(st.integers(0, 4))):
        tensor = draw(st.sampled_from(graph.initializer))
        node = draw(st.sampled_from(graph.node))
        text = draw(st.sampled_from([text for text in HOSTILE_TEXTS if text.isprintable()]))
        match draw(st.integers(0, 13)):
            case 0:
                tensor.dims[:] = draw(st.lists(SIZES | st.integers(-2, 4), max_size=6))
            case 1:
                tensor.data_type = draw(TYPES)
            case 2:
                tensor.raw_data = draw(damaged(tensor.raw_data))
            case 3:
                field = draw(st.sampled_from(["float_data", "double_data"]))
                getattr(tensor, field).extend(draw(st.lists(st.floats(width=32), max_size=40)))
            case 4:
                field = draw(st.sampled_from(["int32_data", "int64_data"]))
                getattr(tensor, field).extend(draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40)))
            case 5:
                tensor.data_location = TensorProto.EXTERNAL
                tensor.external_data.add(key="location", value=text)
                tensor.external_data.add(key="length", value=str(draw(SIZES)))
            case 6:
                tensor.name = text
            case 7:
                tensor.segment.begin, tensor.segment.end = draw(SIZES) % 2**63, draw(SIZES) % 2**63
            case 8:
                node.op_type = draw(st.sampled_from(["Conv", "BatchNormalization", "If", "", text]))
                node.domain = draw(st.sampled_from(["", "ai.onnx", "com.microsoft", text]))
            case 9:
                node.input[:] = draw(st.lists(st.sampled_from([each.name for each in graph.initializer]), max_size=4))
            case 10:
                del node.attribute[:]
                node.attribute.append(
                    helper.make_attribute("dilations", draw(st.lists(st.integers(-1, 8), max_size=3)), attr_type=7)
                )
            case 11:
                body = node.attribute.add(name="then_branch", type=5).g
                body.CopyFrom(ModelProto.FromString(SEED).graph)
            case 12:
                model.opset_import.add(domain=draw(st.sampled_from(["", "ai.onnx", text])), version=draw(SIZES) % 2**63)
            case _:
                graph.node.append(node)
    return draw(damaged(model.SerializeToString(), 2))


@short
@given(models() | damaged(SEED))
def test_onnx(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "original")
        path.write_bytes(data)
        with WATCH.reading(Path(folder), Failure):
            tensors = read_folded_onnx(path)
            checked_tensors(tensors, check_topology(tensors, path), path)


if __name__ == "__main__":
    fuzz(test_onnx)
