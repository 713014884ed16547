"""Check that every artifact holds each convolution weight once, at its dtype's width, little else, and no detours."""

import argparse
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from workflow_scripts.check.expected_weights import Expected, Network, Values
from workflow_scripts.check.matching import ROUNDING, Stored, match
from workflow_scripts.check.tfjs_structure import Structure, read_structure
from workflow_scripts.formats.frozen_graph import read_graph
from workflow_scripts.formats.tfjs_model import ITEM_BYTES, loaded_values, read_weights
from workflow_scripts.formats.tflite_file import read_constants
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import files_in, read_by, write_report

# isort: split
from tensorflow.core.framework.types_pb2 import DT_FLOAT
from tensorflow.python.framework.tensor_util import MakeNdarray

# Protobuf's limit for one message. A larger graph cannot be parsed, and a larger SavedModel cannot be written.
PROTOBUF_BYTES = 2**31


# The dtype of everything up to the optimized graph.
EXACT = ROUNDING["float32"]


@dataclass(frozen=True)
class Artifact:
    """One artifact to check: its files and its expected weights. `read` reads the first of the files.

    `item_bytes` is the average number of bytes of one weight.
    """

    name: str
    paths: Sequence[Path]
    read: Callable[[Path], list[Stored]]
    expected: Sequence[Expected]
    item_bytes: float


@dataclass(frozen=True)
class Size:
    """One artifact's measured sizes: `tensors` is a count, all others are bytes."""

    artifact: str
    bytes: int
    weight_bytes: int
    expected_weight_bytes: int
    tensors: int
    problems: list[str]


def onnx_weights(path: Path) -> list[Stored]:
    """Return an ONNX file's float initializers."""
    graph = onnx.load(path, load_external_data=False).graph
    kernels = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    stored = []
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = onnx.numpy_helper.to_array(tensor)
            stored.append(Stored(from_oihw(values) if tensor.name in kernels else values, values.nbytes, EXACT))
    return stored


def from_oihw(values: Values) -> Values:
    """Turn a kernel from PyTorch's order of axes into TensorFlow's. Any tensor that is not a kernel stays as it is."""
    return values.transpose(2, 3, 1, 0) if values.ndim == 4 else values


def ir_weights(xml: Path) -> list[Stored]:
    """Return the floating-point constants of an IR, from model.xml and the model.bin beside it."""
    data = xml.with_suffix(".bin").read_bytes()
    root = ElementTree.parse(xml)
    types = {layer.get("id"): layer.get("type") for layer in root.iter("layer")}
    readers = {edge.get("from-layer"): types.get(edge.get("to-layer")) for edge in root.iter("edge")}
    stored = []
    for layer in root.iter("layer"):
        if layer.get("type") != "Const" or (constant := layer.find("data")) is None:
            continue
        if constant.get("element_type", "").startswith("f"):
            offset, size = int(constant.get("offset", 0)), int(constant.get("size", 0))
            if offset + size > len(data):
                raise Failure(f"{xml.with_suffix('.bin')} has {len(data)} bytes, {offset + size} are described")
            shape = [int(n) for n in constant.get("shape", "1").split(",") if n]
            item = f"<f{int(constant.get('element_type', '')[1:]) // 8}"
            values = np.frombuffer(data[offset : offset + size], item).reshape(shape)
            kernel = readers.get(layer.get("id")) == "Convolution"
            stored.append(Stored(from_oihw(values) if kernel else values.reshape(-1), size, EXACT))
    return stored


def graph_weights(path: Path) -> list[Stored]:
    """Return a frozen graph's float constants."""
    arrays = [
        MakeNdarray(node.attr["value"].tensor)
        for node in read_graph(path).node
        if node.op == "Const" and node.attr["dtype"].type == DT_FLOAT
    ]
    return [Stored(values, values.nbytes, EXACT) for values in arrays]


def tfjs_weights(folder: Path) -> list[Stored]:
    """Return a TensorFlow.js model's float weights. Raises Failure if its shards and its manifest disagree."""
    stored = []
    for specification, data in read_weights(folder):
        if specification["dtype"] == "float32":
            dtype = specification.get("quantization", specification)["dtype"]
            values = loaded_values(specification, data)
            # Compact weights are also scaled from channel to channel, so only their shapes are compared.
            rounding = None if folder.name == "compact" else ROUNDING[dtype]
            stored.append(Stored(values, len(data), rounding))
    return stored


def tflite_weights(path: Path) -> list[Stored]:
    """Return a .tflite file's weights. The file stores kernels as [out, height, width, in]."""
    data, constants = read_constants(path)
    stored = []
    for constant in constants:
        values = np.frombuffer(data, constant.dtype, constant.elements, constant.offset).reshape(constant.shape)
        values = values.astype(np.float32)
        if constant.scales:
            values *= np.array(constant.scales, np.float32).reshape(-1, *[1] * (values.ndim - 1))
        values = values.transpose(1, 2, 3, 0) if values.ndim == 4 else values
        stored.append(Stored(values, constant.bytes, ROUNDING[constant.dtype]))
    return stored


def size_of(path: Path) -> int:
    """Return the size in bytes of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in files_in(path))


def check_artifact(artifact: Artifact, limits: dict[str, float]) -> Size:
    """Measure one artifact. It must store each weight once, at its dtype's width, and little else."""
    total = sum(size_of(path) for path in artifact.paths)
    whole = sum(each.values.size for each in artifact.expected)
    try:
        found = match(artifact.read(artifact.paths[0]), artifact.expected)
    except Exception as error:
        # Each format's reader raises errors of its own: DecodeError, ParseError, KeyError, ….
        return Size(artifact.name, total, 0, round(whole * artifact.item_bytes), 0, [f"cannot be read: {error}"])
    expected = round(found.elements * artifact.item_bytes)
    problems = found.problems()
    if abs(found.bytes - expected) > limits["weights"] * expected:
        problems.append(f"{found.bytes} weight bytes, expected {expected} within {limits['weights']:.0%}")
    if (graph := total - found.bytes) > limits["graph_bytes"]:
        problems.append(f"{graph} bytes beside the weights, at most {limits['graph_bytes']} expected")
    if max(map(size_of, artifact.paths)) >= PROTOBUF_BYTES:
        problems.append("2 GiB or more, which no protobuf message can hold")
    return Size(artifact.name, total, found.bytes, expected, found.tensors, problems)


def check_network(network: Network, architecture: dict[str, Any]) -> list[str]:
    """Say what the ONNX model has more of or fewer of than the checkpoint's architecture."""
    counted = {"convolutions": len(network.convolutions), "convolution_parameters": network.parameters}
    return [
        f"{found} {what.replace('_', ' ')}, expected {architecture[what]}"
        for what, found in counted.items()
        if found != architecture[what]
    ]


def check_structure(folder: Path, convolutions: int, multiply_adds: int) -> Structure:
    """Describe one TensorFlow.js model. It must convolve as the network does, without the folded mixing."""
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
    """Return the average bytes of a compact weight, as plan_compact counted them.

    Raises Failure if that is not below uint16's.
    """
    width: float = json.loads(plan.read_text())["bytes"] / parameters
    if width >= ITEM_BYTES["uint16"]:
        raise Failure(f"{plan} takes {width:.2f} bytes a weight, no less than uint16; leave compact out")
    return width


def table(sizes: Iterable[Size]) -> str:
    """Return a table with one line per artifact."""
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
    parser.add_argument("--tfjs", type=Path, nargs="+", required=True, help="one folder for each dtype, named after it")
    parser.add_argument("--tflite", type=Path, nargs="*", required=True, help="one file for each dtype, named after it")
    parser.add_argument("--plan", type=Path, help="report of plan_compact, for compact weights")
    parser.add_argument("--int8-plan", type=Path, help="plan of plan_int8, for .tflite files in int8")
    parser.add_argument("--limits", type=json.loads, required=True, help="JSON: weights (share), graph_bytes")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    architecture = json.loads(arguments.architecture.read_text())
    try:
        network = Network(arguments.onnx)
    except Exception as error:
        # As in check_artifact. Without this model nothing says what the others must hold.
        report = {"artifacts": [], "structures": {}, "limits": arguments.limits, "passed": False}
        write_report(arguments.output, report, f"onnx: cannot be read: {error}")
        return
    plain, optimized = network.plain(), network.optimized()
    # optimize_graph folds the 1×1 convolution over the side outputs into the convolutions that make them.
    convolutions = architecture["convolutions"] - 1
    area = arguments.resolution**2
    multiply_adds = architecture["multiply_adds_32x32"] * area // 32**2 - architecture["side_outputs"] * area
    structures = {
        f"tfjs-{folder.name}": check_structure(folder, convolutions, multiply_adds) for folder in arguments.tfjs
    }
    widths: dict[str, float] = dict(ITEM_BYTES)
    if arguments.plan:
        widths["compact"] = mean_width(arguments.plan, sum(each.values.size for each in optimized))
    if arguments.int8_plan:
        in_int8 = json.loads(arguments.int8_plan.read_text())["int8_weights"]
        # Four bytes for what stays float32.
        widths["int8"] = 4 - 3 * in_int8 / sum(each.values.size for each in optimized)
    artifacts = [
        Artifact("onnx", [arguments.onnx], onnx_weights, plain, 4),
        Artifact("ir", [arguments.ir, arguments.ir.with_suffix(".bin")], ir_weights, plain, 4),
        Artifact("frozen", [arguments.frozen], graph_weights, plain, 4),
        Artifact("optimized", [arguments.optimized], graph_weights, optimized, 4),
        *(
            Artifact(f"tfjs-{folder.name}", [folder], tfjs_weights, optimized, widths[folder.name])
            for folder in arguments.tfjs
        ),
        *(
            Artifact(f"litert-{path.stem}", [path], tflite_weights, optimized, widths[path.stem])
            for path in arguments.tflite
        ),
    ]
    sizes = [check_artifact(artifact, arguments.limits) for artifact in artifacts]
    sizes[0].problems[:0] = check_network(network, architecture)
    print(table(sizes))
    problems = [f"{size.artifact}: {problem}" for size in sizes for problem in size.problems]
    problems += [f"{name}: {problem}" for name, structure in structures.items() for problem in structure.problems]
    read = [arguments.architecture, *filter(None, (arguments.plan, arguments.int8_plan))]
    read += [file for artifact in artifacts for path in artifact.paths for file in files_in(path)]
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
