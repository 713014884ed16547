"""Find where two files of one format first differ, in the format's own terms: a key, a node, a tensor, a line."""

import json
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import onnx
from safetensors import safe_open
from tensorflow.core.framework.graph_pb2 import GraphDef


def json_paths(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf of a JSON document with its path."""
    if isinstance(content, dict):
        # Order counts: the same content in another order is a different file.
        for key, value in content.items():
            yield from json_paths(value, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from json_paths(value, f"{path}[{index}]")
    else:
        yield path, content


def json_items(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (key's path, value)."""
    return json_paths(json.loads(path.read_text()))


def onnx_items(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the nodes, the initializers and the rest of an ONNX file."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        yield f"node {node.name}", node.SerializeToString(deterministic=True)
    for tensor in model.graph.initializer:
        yield f"initializer {tensor.name}", tensor.SerializeToString(deterministic=True)
    for field, value in model.ListFields():
        if field.name != "graph":
            yield field.name, str(value)


def graph_items(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the nodes of a frozen graph."""
    graph = GraphDef()
    graph.ParseFromString(path.read_bytes())
    for node in graph.node:
        yield f"node {node.name} ({node.op})", node.SerializeToString(deterministic=True)


def tensor_items(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the metadata and the tensors of a safetensors file."""
    with safe_open(path, framework="numpy") as file:
        yield "metadata", file.metadata()
        for name in file.keys():  # noqa: SIM118 (an open file is no mapping)
            yield f"tensor {name}", file.get_tensor(name).tobytes()


def line_items(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the lines of a text."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        yield f"line {number}", line


ITEMS: dict[str, Callable[[Path], Iterator[tuple[str, Any]]]] = {
    ".json": json_items,
    ".onnx": onnx_items,
    ".pb": graph_items,
    ".safetensors": tensor_items,
    ".xml": line_items,
    ".html": line_items,
    ".js": line_items,
    ".css": line_items,
    ".md": line_items,
}


def shown(value: Any) -> str:
    """Return a value in a form that fits into one line. For bytes, return only how many there are."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def first_difference(first: Path, second: Path) -> str | None:
    """Say where two files first differ. Return None if they are equal byte for byte."""
    contents = first.read_bytes(), second.read_bytes()
    if contents[0] == contents[1]:
        return None
    items = ITEMS.get(first.suffix)
    if items is not None:
        for one, other in zip_longest(items(first), items(second), fillvalue=("the end", None)):
            if one[0] != other[0]:
                return f"{one[0]} in the first, {other[0]} in the second"
            if one[1] != other[1]:
                return f"{one[0]}: {shown(one[1])} and {shown(other[1])}"
    at = next(
        (index for index, (a, b) in enumerate(zip(*contents, strict=False)) if a != b),
        min(len(contents[0]), len(contents[1])),
    )
    return f"byte {at} of {len(contents[0])} and {len(contents[1])}"
