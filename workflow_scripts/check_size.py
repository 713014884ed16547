"""Check that every artifact holds each convolution weight once, at its dtype's width, and little beside."""

import argparse
import hashlib
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from commands import Failure, run
from files import write_report
from graphs import read_graph
from tensorflow import make_ndarray
from tensorflow.core.framework.types_pb2 import DT_FLOAT
from tfjs_models import ITEM_BYTES, read_weights

# Protobuf's limit for one message: a graph beyond it cannot be parsed, nor a SavedModel written.
PROTOBUF_BYTES = 2**31


@dataclass(frozen=True)
class Weight:
    """One stored weight tensor: its elements, bytes and, for kernels that vary, digest."""

    elements: int
    bytes: int
    kernel_digest: str | None


@dataclass(frozen=True)
class Size:
    """One artifact's measured sizes, all in bytes but `tensors`."""

    artifact: str
    bytes: int
    weight_bytes: int
    expected_weight_bytes: int
    tensors: int
    problems: list[str]


def weight(values: Any, elements: int) -> Weight:
    """Describe one stored tensor. Constant tensors (zero biases, say) may repeat, kernels may not."""
    varies = elements > 64 and values.size > 0 and bool((values != values.flat[0]).any())
    digest = hashlib.sha256(values.tobytes()).hexdigest() if varies else None
    return Weight(elements, values.nbytes, digest)


def onnx_weights(path: Path) -> list[Weight]:
    """Return an ONNX file's float initializers."""
    tensors = onnx.load(path, load_external_data=False).graph.initializer
    arrays = [onnx.numpy_helper.to_array(t) for t in tensors if t.data_type == onnx.TensorProto.FLOAT]
    return [weight(array, array.size) for array in arrays]


def ir_weights(xml: Path) -> list[Weight]:
    """Return the floating-point constants of an IR, from model.xml and the model.bin beside it."""
    data = xml.with_suffix(".bin").read_bytes()
    weights = []
    for layer in ElementTree.parse(xml).iter("layer"):
        if layer.get("type") != "Const" or (constant := layer.find("data")) is None:
            continue
        if constant.get("element_type", "").startswith("f"):
            offset, size = int(constant.get("offset", 0)), int(constant.get("size", 0))
            if offset + size > len(data):
                raise Failure(f"{xml.with_suffix('.bin')} has {len(data)} bytes, {offset + size} are described")
            raw = np.frombuffer(data[offset : offset + size], np.uint8)
            elements = int(np.prod([int(n) for n in constant.get("shape", "1").split(",") if n]))
            weights.append(weight(raw, elements))
    return weights


def graph_weights(path: Path) -> list[Weight]:
    """Return a frozen graph's float constants."""
    arrays = [
        make_ndarray(node.attr["value"].tensor)
        for node in read_graph(path).node
        if node.op == "Const" and node.attr["dtype"].type == DT_FLOAT
    ]
    return [weight(array, array.size) for array in arrays]


def tfjs_weights(folder: Path) -> list[Weight]:
    """Return a TensorFlow.js model's float weights as stored; raise Failure where shards and manifest disagree."""
    return [
        weight(np.frombuffer(data, np.uint8), int(np.prod(specification["shape"])))
        for specification, data in read_weights(folder)
        if specification["dtype"] == "float32"
    ]


def size_of(path: Path) -> int:
    """Return a file's bytes, or all of a folder's; Snakemake's own marker is not counted."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.iterdir() if not file.name.startswith("."))


def check_artifact(
    artifact: str,
    paths: Sequence[Path],
    read: Callable[[Path], list[Weight]],
    item_bytes: float,
    architecture: dict[str, Any],
    limits: dict[str, float],
) -> Size:
    """Measure one artifact (its `paths`, weights read from the first) against the network's own count."""
    expected = round(architecture["convolution_parameters"] * item_bytes)
    total = sum(size_of(path) for path in paths)
    try:
        weights = read(paths[0])
    except Exception as error:
        # Each format's reader has errors of its own: DecodeError, ParseError, KeyError, ….
        return Size(artifact, total, 0, expected, 0, [f"cannot be read: {error}"])
    stored = sum(w.bytes for w in weights)
    problems = []
    if len(weights) != 2 * architecture["convolutions"]:
        problems.append(f"{len(weights)} weight tensors, expected {2 * architecture['convolutions']}")
    if (elements := sum(w.elements for w in weights)) != architecture["convolution_parameters"]:
        problems.append(f"{elements} weights, expected {architecture['convolution_parameters']}")
    if abs(stored - expected) > limits["weights"] * expected:
        problems.append(f"{stored} weight bytes, expected {expected} within {limits['weights']:.0%}")
    copies = Counter(w.kernel_digest for w in weights if w.kernel_digest)
    if duplicates := sum(count - 1 for count in copies.values()):
        problems.append(f"{duplicates} kernels are stored more than once")
    if (graph := total - stored) > limits["graph_bytes"]:
        problems.append(f"{graph} bytes beside the weights, at most {limits['graph_bytes']} expected")
    if max(map(size_of, paths)) >= PROTOBUF_BYTES:
        problems.append("2 GiB or more, which no protobuf message can hold")
    return Size(artifact, total, stored, expected, len(weights), problems)


def mean_width(plan: Path, architecture: dict[str, Any]) -> float:
    """Return a compact weight's bytes on average, as plan_compact counted them; raise Failure from uint16's on."""
    width: float = json.loads(plan.read_text())["bytes"] / architecture["convolution_parameters"]
    if width >= ITEM_BYTES["uint16"]:
        raise Failure(f"{plan} takes {width:.2f} bytes a weight, no less than uint16; leave compact out")
    return width


def table(sizes: Iterable[Size]) -> str:
    """Return a line an artifact."""
    lines = [f"{'artifact':<18}{'bytes':>14}{'weights':>14}{'expected':>14}{'beside':>12}"]
    for size in sizes:
        figures = (size.bytes, size.weight_bytes, size.expected_weight_bytes, size.bytes - size.weight_bytes)
        lines.append(f"{size.artifact:<18}{figures[0]:>14,}{figures[1]:>14,}{figures[2]:>14,}{figures[3]:>12,}")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--ir", type=Path, required=True, help="model.xml, its model.bin beside it")
    parser.add_argument("--frozen", type=Path, required=True)
    parser.add_argument("--optimized", type=Path, required=True)
    parser.add_argument("--tfjs", type=Path, nargs="+", required=True, help="a folder a dtype, named after it")
    parser.add_argument("--plan", type=Path, help="report of plan_compact, for compact weights")
    parser.add_argument("--limits", type=json.loads, required=True, help="JSON: weights (share), graph_bytes")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    artifacts: list[tuple[str, list[Path], Callable[[Path], list[Weight]], str]] = [
        ("onnx", [arguments.onnx], onnx_weights, "float32"),
        ("ir", [arguments.ir, arguments.ir.with_suffix(".bin")], ir_weights, "float32"),
        ("frozen", [arguments.frozen], graph_weights, "float32"),
        ("optimized", [arguments.optimized], graph_weights, "float32"),
        *((f"tfjs-{folder.name}", [folder], tfjs_weights, folder.name) for folder in arguments.tfjs),
    ]
    architecture = json.loads(arguments.architecture.read_text())
    widths: dict[str, float] = dict(ITEM_BYTES)
    if arguments.plan:
        widths["compact"] = mean_width(arguments.plan, architecture)
    sizes = [
        check_artifact(name, paths, read, widths[dtype], architecture, arguments.limits)
        for name, paths, read, dtype in artifacts
    ]
    print(table(sizes))
    report = {
        "artifacts": [asdict(size) for size in sizes],
        "limits": arguments.limits,
        "passed": not any(size.problems for size in sizes),
    }
    first = next((size for size in sizes if size.problems), None)
    write_report(arguments.output, report, f"{first.artifact}: {first.problems[0]}" if first else None)


if __name__ == "__main__":
    run(main)
