"""LiteRT models on disk: a .tflite file is one FlatBuffer, with weights scattered between the tables of its graph."""

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from workflow_scripts.shared import tensorflow_parts  # noqa: F401
from workflow_scripts.shared.failures import Failure

# isort: split
from tensorflow.lite.python.schema_py_generated import Model, TensorType

WEIGHT_TYPES = {TensorType.FLOAT32: "float32", TensorType.FLOAT16: "float16", TensorType.INT8: "int8"}
# No operation of TensorFlow Lite takes more.
AXES = 8


@dataclass(frozen=True)
class Constant:
    """Where the bytes of one stored weight are in the file, its shape, and its type: float32, float16 or int8.

    A weight of int8 stands for its numbers times `scales`, one for each output channel, the kernel's first axis.
    """

    offset: int
    bytes: int
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]

    @property
    def elements(self) -> int:
        """How many numbers the tensor has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Pieces:
    """A .tflite file in two parts: its weights, joined, and the bytes between them (`skeleton`), joined.

    To put the file together again, take `lengths[0]` bytes of the skeleton, `lengths[1]` bytes of the weights, and so
    on in turn.
    """

    lengths: list[int]
    skeleton: bytes
    weights: bytes


@contextmanager
def parsed(path: Path, data: bytes) -> Iterator[Any]:
    """Yield the FlatBuffer's root table; raise Failure if the file is not a .tflite file of one graph.

    A FlatBuffer is a web of offsets. They are followed only while the block reads, so an error that a wrong offset
    causes inside the block becomes a Failure, too.
    """
    if not Model.ModelBufferHasIdentifier(data, 0):
        raise Failure(f"{path} is not a .tflite file")
    try:
        model = Model.GetRootAs(data, 0)
        if model.SubgraphsLength() != 1:
            raise ValueError(f"{model.SubgraphsLength()} graphs instead of one")
        yield model
    except (struct.error, ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise Failure(f"{path} is a damaged .tflite file ({error}); build it again") from error


def read_constants(path: Path) -> tuple[bytes, list[Constant]]:
    """Return a .tflite file's bytes, and its weights in the order of their offsets.

    Tensors that share a buffer count once. Raises Failure if the file is not a .tflite file, if weights overlap, or if
    one of int8 lacks a scale.
    """
    data = path.read_bytes()
    start = np.frombuffer(data, np.uint8).ctypes.data
    constants: dict[int, Constant] = {}
    with parsed(path, data) as model:
        graph = model.Subgraphs(0)
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            buffer = model.Buffers(tensor.Buffer())
            if tensor.Type() in WEIGHT_TYPES and (buffer.DataLength() or buffer.Size()):
                offset, size = buffer.Offset(), buffer.Size()
                if buffer.DataLength():
                    # A view of `data`. The schema has no other way to tell the offset of a buffer inside its table.
                    view = buffer.DataAsNumpy()
                    offset, size = view.ctypes.data - start, view.nbytes
                if offset + size > len(data):
                    raise ValueError(f"{len(data)} bytes, and a weight ends at {offset + size}")
                if tensor.ShapeLength() > AXES:
                    raise ValueError(f"a tensor has {tensor.ShapeLength()} axes")
                shape = tuple(tensor.Shape(axis) for axis in range(tensor.ShapeLength()))
                dtype = WEIGHT_TYPES[tensor.Type()]
                scales = tuple(map(float, tensor.Quantization().ScaleAsNumpy())) if dtype == "int8" else ()
                if dtype == "int8" and (not shape or len(scales) != shape[0]):
                    raise ValueError(f"a kernel of int8 has {len(scales)} scales")
                constants[tensor.Buffer()] = Constant(offset, size, shape, dtype, scales)
        found = sorted(constants.values(), key=lambda constant: constant.offset)
        if any(one.offset + one.bytes > other.offset for one, other in pairwise(found)):
            raise ValueError("weights overlap")
    return data, found


def split(path: Path) -> Pieces:
    """Take a .tflite file apart, so that the files of several resolutions can share their weights, which are equal."""
    data, constants = read_constants(path)
    lengths, skeleton, weights = [], [], []
    end = 0
    for constant in constants:
        skeleton.append(data[end : constant.offset])
        end = constant.offset + constant.bytes
        weights.append(data[constant.offset : end])
        lengths += [len(skeleton[-1]), len(weights[-1])]
    skeleton.append(data[end:])
    lengths.append(len(skeleton[-1]))
    return Pieces(lengths, b"".join(skeleton), b"".join(weights))


def ends(path: Path) -> dict[str, dict[str, Any]]:
    """Return name and shape (NHWC) of the input and the output of a .tflite file; raise Failure if there are more."""
    with parsed(path, path.read_bytes()) as model:
        graph = model.Subgraphs(0)
        if (graph.InputsLength(), graph.OutputsLength()) != (1, 1):
            raise Failure(
                f"{path} has {graph.InputsLength()} inputs and {graph.OutputsLength()} outputs, expected one each"
            )
        tensors = {"input": graph.Tensors(graph.Inputs(0)), "output": graph.Tensors(graph.Outputs(0))}
        return {
            end: {"name": tensor.Name().decode(), "shape": [int(side) for side in tensor.ShapeAsNumpy()]}
            for end, tensor in tensors.items()
        }
