"""Check that every artifact holds each convolution weight once, at its dtype's width, little beside, and no detours."""

import argparse
import hashlib
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from tensorflow import make_ndarray
from tensorflow.core.framework.types_pb2 import DT_FLOAT

from workflow_scripts.check.tfjs_structure import Structure, read_structure
from workflow_scripts.formats.frozen_graph import read_graph
from workflow_scripts.formats.tfjs_model import ITEM_BYTES, read_weights
from workflow_scripts.formats.tflite_file import read_constants
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import files_in, read_by, write_report

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


def tflite_weights(path: Path, parameters: int) -> list[Weight]:
    """Return a .tflite file's float constants as stored, less the zeros in which its converter exceeds `parameters`.

    The format wants a bias for each convolution: the half of a split one that has none gets zeros.
    """
    data, constants = read_constants(path)
    surplus = sum(constant.elements for constant in constants) - parameters
    weights = []
    for constant in constants:
        values = np.frombuffer(data[constant.offset :][: constant.bytes], np.uint8)
        if constant.elements <= surplus and not values.any():
            surplus -= constant.elements
        else:
            weights.append(weight(values, constant.elements))
    return weights


def size_of(path: Path) -> int:
    """Return a file's bytes, or all of a folder's."""
    return sum(file.stat().st_size for file in files_in(path))


def check_artifact(
    artifact: str,
    paths: Sequence[Path],
    read: Callable[[Path], list[Weight]],
    item_bytes: float,
    parameters: int,
    tensors: int,
    limits: dict[str, float],
) -> Size:
    """Measure one artifact (its `paths`, weights read from the first): `parameters` in as many `tensors`, once each."""
    expected = round(parameters * item_bytes)
    total = sum(size_of(path) for path in paths)
    try:
        weights = read(paths[0])
    except Exception as error:
        # Each format's reader has errors of its own: DecodeError, ParseError, KeyError, ….
        return Size(artifact, total, 0, expected, 0, [f"cannot be read: {error}"])
    stored = sum(w.bytes for w in weights)
    problems = []
    if (elements := sum(w.elements for w in weights)) != parameters:
        problems.append(f"{elements} weights, expected {parameters}")
    if len(weights) != tensors:
        problems.append(f"{len(weights)} weight tensors, expected {tensors}")
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


def check_structure(folder: Path, convolutions: int, multiply_adds: int) -> Structure:
    """Describe one TensorFlow.js model; it is to convolve as the network does, less the folded mixing."""
    try:
        structure = read_structure(folder)
    except (Failure, KeyError, ValueError) as error:
        return Structure({}, 0, [f"cannot be read: {error!r}"])
    if structure.problems:
        return structure
    if (fused := structure.operations.get("_FusedConv2D", 0)) != convolutions:
        structure.problems.append(f"{fused} fused convolutions, expected {convolutions}")
    if structure.multiply_adds != multiply_adds:
        structure.problems.append(f"{structure.multiply_adds:,} multiply-adds, expected {multiply_adds:,}")
    return structure


def mean_width(plan: Path, parameters: int) -> float:
    """Return a compact weight's bytes on average, as plan_compact counted them; raise Failure from uint16's on."""
    width: float = json.loads(plan.read_text())["bytes"] / parameters
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
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--ir", type=Path, required=True, help="model.xml, its model.bin beside it")
    parser.add_argument("--frozen", type=Path, required=True)
    parser.add_argument("--optimized", type=Path, required=True)
    parser.add_argument("--tfjs", type=Path, nargs="+", required=True, help="a folder a dtype, named after it")
    parser.add_argument("--tflite", type=Path, nargs="*", required=True, help="a file a dtype, named after it")
    parser.add_argument("--plan", type=Path, help="report of plan_compact, for compact weights")
    parser.add_argument("--limits", type=json.loads, required=True, help="JSON: weights (share), graph_bytes")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    architecture = json.loads(arguments.architecture.read_text())
    whole, convolutions = architecture["convolution_parameters"], architecture["convolutions"]
    # optimize_graph folds the 1×1 convolution over the side outputs, a weight each and a bias, into what makes them.
    mixed = whole - architecture["side_outputs"] - 1
    area = arguments.resolution**2
    multiply_adds = architecture["multiply_adds_32x32"] * area // 32**2 - architecture["side_outputs"] * area
    structures = {
        f"tfjs-{folder.name}": check_structure(folder, convolutions - 1, multiply_adds) for folder in arguments.tfjs
    }
    # A kernel and a bias each; the second half of a split convolution is one more kernel.
    whole_tensors = 2 * convolutions
    mixed_tensors = whole_tensors - 2 + max(each.operations.get("Conv2D", 0) for each in structures.values())
    artifacts: list[tuple[str, list[Path], Callable[[Path], list[Weight]], str, int, int]] = [
        ("onnx", [arguments.onnx], onnx_weights, "float32", whole, whole_tensors),
        ("ir", [arguments.ir, arguments.ir.with_suffix(".bin")], ir_weights, "float32", whole, whole_tensors),
        ("frozen", [arguments.frozen], graph_weights, "float32", whole, whole_tensors),
        ("optimized", [arguments.optimized], graph_weights, "float32", mixed, mixed_tensors),
        *(
            (f"tfjs-{folder.name}", [folder], tfjs_weights, folder.name, mixed, mixed_tensors)
            for folder in arguments.tfjs
        ),
        *(
            (f"litert-{path.stem}", [path], partial(tflite_weights, parameters=mixed), path.stem, mixed, mixed_tensors)
            for path in arguments.tflite
        ),
    ]
    widths: dict[str, float] = dict(ITEM_BYTES)
    if arguments.plan:
        widths["compact"] = mean_width(arguments.plan, mixed)
    sizes = [
        check_artifact(name, paths, read, widths[dtype], parameters, tensors, arguments.limits)
        for name, paths, read, dtype, parameters, tensors in artifacts
    ]
    print(table(sizes))
    problems = [f"{size.artifact}: {problem}" for size in sizes for problem in size.problems]
    problems += [f"{name}: {problem}" for name, structure in structures.items() for problem in structure.problems]
    read = [arguments.architecture, *([arguments.plan] if arguments.plan else [])]
    read += [file for _, paths, *_ in artifacts for path in paths for file in files_in(path)]
    report = {
        "artifacts": [asdict(size) for size in sizes],
        "structures": {name: asdict(structure) for name, structure in structures.items()},
        "limits": arguments.limits,
        "read": read_by(arguments.output, read),
        "passed": not problems,
    }
    write_report(arguments.output, report, problems[0] if problems else None)


if __name__ == "__main__":
    run(main)
