"""Undo openvino2tensorflow's detours: explicit pads, space-to-batch around dilated convolutions, plain bias adds.

Each rewrite is exact. A pattern that is met but not exactly as expected stops with the node's name; nothing is
rewritten on a guess. All tensors are NHWC, all kernels [height, width, in, out].
"""

from collections import Counter

import numpy as np
from commands import Failure
from graphs import GraphDef, NodeDef, ends, prune_graph
from numpy.typing import NDArray
from tensorflow import make_ndarray


class Graph:
    """The nodes of a graph by name, and how often each is consumed."""

    def __init__(self, definition: GraphDef) -> None:
        self.nodes: dict[str, NodeDef] = {node.name: node for node in definition.node}
        self.uses = Counter(name for node in definition.node for name in node.input)

    def constant(self, name: str) -> NDArray[np.generic] | None:
        """Return the value of a Const node, None for any other."""
        node = self.nodes[name]
        return make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None

    def producer(self, node: NodeDef, op: str) -> NodeDef | None:
        """Return the node that feeds `node` first if it is an `op`, None otherwise; it must feed nothing else."""
        found = self.nodes[node.input[0]]
        if found.op != op:
            return None
        if self.uses[found.name] != 1:
            raise Failure(f"{found.name} ({op}) feeds more than {node.name}")
        return found


def use_dilations(graph: Graph) -> None:
    """Replace SpaceToBatchND, convolution, BatchToSpaceND by one dilated convolution, named after the last.

    The triple convolves each of the block's phases by itself, which is what a dilated convolution does; what
    space-to-batch pads to fill its last block, batch-to-space must crop again.
    """
    for last in list(graph.nodes.values()):
        if last.op != "BatchToSpaceND":
            continue
        convolution = graph.producer(last, "Conv2D")
        first = convolution and graph.producer(convolution, "SpaceToBatchND")
        if not convolution or not first:
            raise Failure(f"{last.name} (BatchToSpaceND) does not follow a convolution of SpaceToBatchND")
        block, padding = (graph.constant(name) for name in first.input[1:])
        unblock, crop = (graph.constant(name) for name in last.input[1:])
        if block is None or padding is None or unblock is None or crop is None:
            raise Failure(f"{last.name} (BatchToSpaceND) has no constant block and crops")
        same = np.array_equal(block, unblock) and np.array_equal(padding, crop)
        plain = list(convolution.attr["strides"].list.i) == list(convolution.attr["dilations"].list.i) == [1, 1, 1, 1]
        leading = np.any(padding[:, 0])
        if not same or not plain or leading or convolution.attr["padding"].s != b"VALID" or np.size(block) != 2:
            raise Failure(f"{convolution.name} (Conv2D) is not a dilated convolution in disguise")
        dilated = NodeDef()
        dilated.CopyFrom(convolution)
        dilated.name = last.name
        dilated.input[0] = first.input[0]
        dilated.attr["dilations"].list.i[:] = [1, *map(int, block), 1]
        graph.nodes[last.name] = dilated


def use_same_padding(graph: Graph) -> None:
    """Drop a Pad whose zeros are those that a SAME convolution of stride 1 adds by itself."""
    for convolution in graph.nodes.values():
        pad = graph.producer(convolution, "Pad") if convolution.op == "Conv2D" else None
        if pad is None:
            continue
        amounts, kernel = graph.constant(pad.input[1]), graph.constant(convolution.input[1])
        if amounts is None or kernel is None:
            raise Failure(f"{convolution.name} (Conv2D) has no constant kernel and padding")
        dilations = list(convolution.attr["dilations"].list.i)
        total = [(size - 1) * dilation for size, dilation in zip(kernel.shape[:2], dilations[1:3], strict=True)]
        # SAME puts an odd total's larger half last.
        expected = [[0, 0], *([each // 2, each - each // 2] for each in total), [0, 0]]
        strides = list(convolution.attr["strides"].list.i)
        if amounts.tolist() != expected or strides != [1] * 4 or convolution.attr["padding"].s != b"VALID":
            raise Failure(f"{pad.name} (Pad by {amounts.tolist()}) is not the SAME padding of {convolution.name}")
        convolution.input[0] = pad.input[0]
        convolution.attr["padding"].s = b"SAME"


def use_bias_add(graph: Graph) -> None:
    """Turn the addition of one constant a channel to a convolution into BiasAdd, which converters fuse."""
    for node in graph.nodes.values():
        if node.op != "AddV2" or graph.nodes[node.input[0]].op != "Conv2D":
            continue
        bias = graph.constant(node.input[1])
        if bias is None:
            continue
        kernel = graph.constant(graph.producer(node, "Conv2D").input[1])  # type: ignore[union-attr]
        if kernel is None or bias.shape != kernel.shape[3:]:
            raise Failure(f"{node.name} (AddV2) adds a constant of shape {bias.shape} to a convolution")
        node.op = "BiasAdd"
        node.attr["data_format"].s = b"NHWC"


def rewrite_graph(definition: GraphDef) -> GraphDef:
    """Return a new graph of the same function with every rewrite applied; input x, output d0.

    Raises Failure where the graph has not one input and one output, or with the name of a node that looks like
    one of the patterns and is not.
    """
    copy = prune_graph(definition, *ends(definition))
    for rewrite in (use_dilations, use_same_padding, use_bias_add):
        graph = Graph(copy)
        rewrite(graph)
        rewritten = GraphDef(versions=definition.versions)
        rewritten.node.extend(graph.nodes.values())
        # The nodes that a rewrite replaced would look like consumers to the next one.
        copy = prune_graph(rewritten, "x", "d0")
    return copy
