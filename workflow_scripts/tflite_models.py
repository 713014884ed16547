"""LiteRT models on disk: one FlatBuffer a .tflite file, its weights scattered between the tables of its graph."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from commands import Failure
from tensorflow.lite.python.schema_py_generated import Model, TensorType

FLOAT_TYPES = (TensorType.FLOAT32, TensorType.FLOAT16)


@dataclass(frozen=True)
class Constant:
    """Where one stored float tensor's bytes lie in the file, and how many elements they are."""

    offset: int
    bytes: int
    elements: int


@dataclass(frozen=True)
class Pieces:
    """A .tflite file taken apart: its weights, one after another, and what stands between them, likewise.

    `lengths` are bytes, of the skeleton and of the weights in turn, the skeleton first: taken in that order they are
    the file again.
    """

    lengths: list[int]
    skeleton: bytes
    weights: bytes


def parse(path: Path, data: bytes) -> Any:
    """Return the FlatBuffer's root table; raise Failure where the file is no .tflite file."""
    if not Model.ModelBufferHasIdentifier(data, 0):
        raise Failure(f"{path} is not a .tflite file")
    return Model.GetRootAs(data, 0)


def read_constants(path: Path) -> tuple[bytes, list[Constant]]:
    """Return a .tflite file's bytes and its float constants in the order in which they lie there.

    Tensors that share a buffer count once. Raises Failure where the file is no .tflite file.
    """
    data = path.read_bytes()
    model = parse(path, data)
    start = np.frombuffer(data, np.uint8).ctypes.data
    constants: dict[int, Constant] = {}
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            buffer = model.Buffers(tensor.Buffer())
            if tensor.Type() in FLOAT_TYPES and buffer.DataLength():
                # A view of `data`: the schema has no other way to tell where a buffer lies.
                view = buffer.DataAsNumpy()
                shape = [tensor.Shape(axis) for axis in range(tensor.ShapeLength())]
                constants[tensor.Buffer()] = Constant(view.ctypes.data - start, view.nbytes, math.prod(shape))
    return data, sorted(constants.values(), key=lambda constant: constant.offset)


def split(path: Path) -> Pieces:
    """Take a .tflite file apart, so that files of several resolutions, whose weights are equal, can share them."""
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
    """Return name and shape (NHWC) of the only input and the only output of a .tflite file."""
    graph = parse(path, path.read_bytes()).Subgraphs(0)
    if (graph.InputsLength(), graph.OutputsLength()) != (1, 1):
        raise Failure(
            f"{path} has {graph.InputsLength()} inputs and {graph.OutputsLength()} outputs, expected one each"
        )
    tensors = {"input": graph.Tensors(graph.Inputs(0)), "output": graph.Tensors(graph.Outputs(0))}
    return {
        end: {"name": tensor.Name().decode(), "shape": [int(side) for side in tensor.ShapeAsNumpy()]}
        for end, tensor in tensors.items()
    }
