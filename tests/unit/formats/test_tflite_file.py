"""A .tflite file with wrong offsets is refused in one line, in bounded time and memory."""

import struct
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from workflow_scripts.formats.tflite_file import ends, read_constants, split
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("tensorflow")

WEIGHTS = struct.pack("<6f", *range(6))


def packed(change: Callable[[schema.ModelT], object]) -> bytes:
    """Return a model of one graph and one constant, with one change."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version = 3
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = list(WEIGHTS)
    graph.tensors = [schema.TensorT() for _ in range(3)]
    for tensor, name, buffer in zip(graph.tensors, ("x", "kernel", "y"), (0, 1, 0), strict=True):
        tensor.name, tensor.buffer, tensor.shape, tensor.type = name, buffer, [2, 3], schema.TensorType.FLOAT32
    graph.inputs, graph.outputs, graph.operators = [0], [2], []
    model.subgraphs, model.operatorCodes = [graph], []
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_good_file_is_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(packed(lambda _: None))
    pieces = split(tmp_path / "m.tflite")
    assert pieces.weights == WEIGHTS
    assert len(pieces.skeleton) + len(WEIGHTS) == (tmp_path / "m.tflite").stat().st_size
    assert ends(tmp_path / "m.tflite")["output"] == {"name": "y", "shape": [2, 3]}


def in_int8(scales: list[float], data: bytes = bytes(range(6))) -> bytes:
    """Return a file whose kernel [2, 3] is of int8, stored behind the tables, as the quantizer stores it."""

    def change(model: schema.ModelT) -> None:
        kernel = model.subgraphs[0].tensors[1]
        kernel.type = schema.TensorType.INT8
        kernel.quantization = schema.QuantizationParametersT()
        kernel.quantization.scale = scales
        # The offset is not known before the tables are written, and takes as many bytes whatever it is.
        model.buffers[1] = schema.BufferT()
        model.buffers[1].offset, model.buffers[1].size = where, 6

    where = 1
    where = len(packed(change))
    return packed(change) + data


def test_weights_of_int8_have_scales_and_may_lie_behind_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(in_int8([0.5, 0.25]))
    data, (constant,) = read_constants(path)
    assert data[constant.offset :][: constant.bytes] == bytes(range(6))
    assert (constant.shape, constant.dtype, constant.scales) == ((2, 3), "int8", (0.5, 0.25))
    pieces = split(path)
    assert pieces.weights == bytes(range(6))
    assert len(pieces.skeleton) + 6 == path.stat().st_size


def overlapping() -> bytes:
    """Return a file whose second buffer has the first one's data. n such buffers would give n times as many bytes."""

    def change(model: schema.ModelT) -> None:
        model.buffers.append(schema.BufferT())
        model.buffers[2].data = list(b"elsewhere!!!")
        model.subgraphs[0].tensors[0].buffer = 2

    data = bytearray(packed(change))
    first, second = (data.index(struct.pack("<I", len(each)) + each) for each in (WEIGHTS, b"elsewhere!!!"))
    for at in range(0, len(data) - 4, 4):
        if at + struct.unpack_from("<I", data, at)[0] == second:
            struct.pack_into("<I", data, at, (first - at) % 2**32)
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: b"", "is not a .tflite file"),
        (lambda: bytes(100), "is not a .tflite file"),
        (lambda: packed(lambda m: m.subgraphs.append(m.subgraphs[0])), "2 graphs instead of one"),
        (lambda: packed(lambda m: m.subgraphs.clear()), "graphs instead of one"),
        (lambda: packed(lambda m: setattr(m.subgraphs[0].tensors[1], "shape", [1] * 1000)), "a tensor has 1000 axes"),
        (lambda: packed(lambda m: setattr(m.subgraphs[0].tensors[1], "buffer", 2**31)), "is a damaged .tflite file"),
        (lambda: packed(lambda _: None)[:200], "is a damaged .tflite file"),
        (lambda: struct.pack("<I", 2**31 - 1) + packed(lambda _: None)[4:], "is a damaged .tflite file"),
        (overlapping, "weights overlap"),
        (lambda: in_int8([0.5]), "a kernel of int8 has 1 scales"),
        (lambda: in_int8([0.5, 0.25])[:-1], "and a weight ends at"),
    ],
)
def test_offsets_that_lead_astray_are_refused(tmp_path: Path, content: Callable[[], bytes], message: str) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(content())
    with pytest.raises(Failure) as refused:
        split(path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("end", ["inputs", "outputs"])
def test_end_that_is_no_tensor_is_refused(tmp_path: Path, end: str) -> None:
    (tmp_path / "m.tflite").write_bytes(packed(lambda m: setattr(m.subgraphs[0], end, [10**9])))
    with pytest.raises(Failure, match=r"is a damaged .tflite file"):
        ends(tmp_path / "m.tflite")
