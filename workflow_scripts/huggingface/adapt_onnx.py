"""Make the ONNX files that other people's tools load: with the division by the photo's maximum, and at half the bytes.

Nothing is vouched for here. check_huggingface compares both files with PyTorch, and write_huggingface lays out only
what that check and a manifest cover.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from workflow_scripts.shared.drawings import MEAN, STANDARD_DEVIATION
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

# A photo whose brightest value is darker than this counts as black and is not divided: rounding alone reaches 1e-7.
BLACK = 1e-5
# Smaller tensors, most of them biases, stay as they are.
LEAST_VALUES = 256
LEVELS = 65535


def per_channel(name: str, values: np.ndarray) -> onnx.TensorProto:
    """Return a figure for each channel as a constant that broadcasts over [1, 3, height, width]."""
    return numpy_helper.from_array(values.astype(np.float32).reshape(1, 3, 1, 1), name)


def divide_by_maximum(model: onnx.ModelProto) -> None:
    """Put the division of the photo by its own maximum in front of a network, in place.

    The input stays as it was: RGB in [0, 1], normalised with ImageNet's figures, [1, 3, height, width]. The graph turns
    it back into a photo, divides it by its maximum and normalises it again. So an input that was divided before gives
    the same output.
    """
    graph = model.graph
    (x,) = graph.input
    for node in graph.node:
        node.input[:] = ["divided" if name == x.name else name for name in node.input]
    graph.initializer.extend(
        [
            per_channel("mean", MEAN),
            per_channel("deviation", STANDARD_DEVIATION),
            numpy_helper.from_array(np.array(BLACK, np.float32), "black"),
            numpy_helper.from_array(np.array(1, np.float32), "undivided"),
        ]
    )
    prelude = [
        helper.make_node("Mul", [x.name, "deviation"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mean"], ["photo"]),
        helper.make_node("ReduceMax", ["photo"], ["maximum"], keepdims=1, axes=[1, 2, 3]),
        helper.make_node("Greater", ["maximum", "black"], ["bright"]),
        helper.make_node("Where", ["bright", "maximum", "undivided"], ["divisor"]),
        helper.make_node("Div", ["photo", "divisor"], ["stretched"]),
        helper.make_node("Sub", ["stretched", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["divided"]),
    ]
    nodes = [*prelude, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)


def halve(model: onnx.ModelProto) -> None:
    """Store each kernel in 16 bits with a scale and an offset of its own, in place. The network computes in float32.

    The bits are two tensors of uint8, because ONNX Runtime's build for browsers casts no uint16. ONNX Runtime restores
    the kernels once, when it loads the file, and then runs as fast as before.
    """
    graph = model.graph
    nodes: list[onnx.NodeProto] = []
    initializers = [numpy_helper.from_array(np.array(256, np.float32), "byte")]
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST_VALUES or values.min() == values.max():
            initializers.append(tensor)
            continue
        offset = values.min()
        scale = np.float32((values.max() - offset) / LEVELS)
        levels = np.round((values.astype(np.float64) - offset) / scale).clip(0, LEVELS).astype(np.uint16)
        # Long names, each written several times, would take a tenth of a small network's bytes.
        name = f"k{len(nodes)}"
        initializers += [
            numpy_helper.from_array((levels >> 8).astype(np.uint8), f"{name}:high"),
            numpy_helper.from_array((levels & 255).astype(np.uint8), f"{name}:low"),
            numpy_helper.from_array(scale, f"{name}:scale"),
            numpy_helper.from_array(offset, f"{name}:offset"),
        ]
        nodes += [
            helper.make_node("Cast", [f"{name}:high"], [f"{name}:high_float"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [f"{name}:low"], [f"{name}:low_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}:high_float", "byte"], [f"{name}:shifted"]),
            helper.make_node("Add", [f"{name}:shifted", f"{name}:low_float"], [f"{name}:levels"]),
            helper.make_node("Mul", [f"{name}:levels", f"{name}:scale"], [f"{name}:scaled"]),
            helper.make_node("Add", [f"{name}:scaled", f"{name}:offset"], [tensor.name]),
        ]
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(initializers)
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file of simplify_onnx")
    parser.add_argument("--whole", type=Path, required=True, help="ONNX file to write, float32")
    parser.add_argument("--half", type=Path, required=True, help="ONNX file to write, its kernels in 16 bits")
    arguments = parser.parse_args(argv)
    model = onnx.load(arguments.model)
    divide_by_maximum(model)
    with replacing(arguments.whole) as staging:
        onnx.save(model, staging)
    halve(model)
    with replacing(arguments.half) as staging:
        onnx.save(model, staging)


if __name__ == "__main__":
    run(main)
