"""ONNX files: their wiring, their fields, and the bytes that they are stored as, changed."""

import io
import tempfile
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper

from tests.support.fuzzing import HOSTILE_TEXTS, SIZES, Watch, damaged, fuzz, instrument, short

instrument(
    "workflow_scripts.checkpoint.onnx_tensors",
    "workflow_scripts.checkpoint.onnx_graph",
    "workflow_scripts.checkpoint.onnx_network",
    "workflow_scripts.checkpoint.external_data",
    "workflow_scripts.shared.u2net",
)

from workflow_scripts.checkpoint.external_data import single_file
from workflow_scripts.checkpoint.file_kinds import kind_of
from workflow_scripts.checkpoint.read_checkpoint import read_network
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import U2Net

torch.set_num_threads(1)
WATCH = Watch()
STAGES = {
    f"stage{name}": (3 if name == "1" else 4 if name.endswith("d") else 2, 1, 2)
    for name in ("1", "2", "3", "4", "5", "6", "5d", "4d", "3d", "2d", "1d")
}


def exported() -> bytes:
    """A whole network as PyTorch exports it, its sizes computed at run time."""
    buffer = io.BytesIO()
    axes = {"x": {2: "height", 3: "width"}}
    options = {"dynamo": False, "opset_version": 17, "input_names": ["x"], "dynamic_axes": axes}
    torch.onnx.export(U2Net(STAGES).eval(), (torch.zeros(1, 3, 32, 32),), buffer, **options)
    return buffer.getvalue()


SEED = exported()
OPERATIONS = sorted({node.op_type for node in ModelProto.FromString(SEED).graph.node} | {"BatchNormalization", "Mul"})
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
        match draw(st.integers(0, 18)):
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
                node.op_type = draw(st.sampled_from([*OPERATIONS, "If", "Tile", "Expand", "Range", "", text]))
                node.domain = draw(st.sampled_from(["", "ai.onnx", "com.microsoft", text]))
            case 9:
                names = [*(each.name for each in graph.initializer), *(each.output[0] for each in graph.node)]
                node.input[:] = draw(st.lists(st.sampled_from(names), max_size=4))
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
            case 13:
                graph.node.append(node)
            case 14:
                # What an attribute says, of the kind that it has.
                if node.attribute:
                    attribute = draw(st.sampled_from(node.attribute))
                    numbers = draw(st.lists(SIZES | st.integers(-3, 4), min_size=len(attribute.ints), max_size=8))
                    attribute.ints[:] = [number % 2**63 for number in numbers]
                    attribute.i = draw(SIZES) % 2**63
                    attribute.s = draw(st.sampled_from([b"linear", b"nearest", b"half_pixel", b"SAME_UPPER", b"\xff"]))
            case 15:
                # An operation of the same kind elsewhere takes its place.
                node.output[:], other = list(node.output), draw(st.sampled_from(graph.node))
                node.input[:], other.input[:] = list(other.input), list(node.input)
            case 16:
                dims = graph.input[0].type.tensor_type.shape.dim
                draw(st.sampled_from(dims)).dim_value = draw(SIZES) % 2**63
            case 17:
                graph.input[0].type.tensor_type.elem_type = draw(TYPES)
            case _:
                place, other = draw(st.integers(0, len(graph.node) - 1)), draw(st.integers(0, len(graph.node) - 1))
                first, second = graph.node[place].output[0], graph.node[other].output[0]
                graph.node[place].output[0], graph.node[other].output[0] = second, first
    return draw(damaged(model.SerializeToString(), 2))


@short
@given(models() | damaged(SEED))
def test_onnx(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "original")
        path.write_bytes(data)
        with WATCH.reading(Path(folder), Failure):
            if kind_of(path) == "onnx" and (content := single_file(path)) is not None:
                path.write_bytes(content)
            read_network(path)


if __name__ == "__main__":
    fuzz(test_onnx)
