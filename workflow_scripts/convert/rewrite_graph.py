"""Rewrite a frozen U²-Net into fewer, faster operations: undo openvino2tensorflow's detours, merge linear operations.

Each rewrite computes the same function. At most the order of its sums changes. If a pattern is found but is not exactly
as expected, the script stops and names the node: nothing is rewritten on a guess. All tensors are NHWC, and all kernels
are [height, width, in, out].
"""

from collections import Counter
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.formats.frozen_graph import GraphDef, NodeDef, ends, prune_graph
from workflow_scripts.shared.failures import Failure

# isort: split
from tensorflow.core.framework.types_pb2 import DT_FLOAT, DT_INT32
from tensorflow.python.framework.tensor_util import MakeNdarray, make_tensor_proto

# So small that it rounds away beside any activation. Yet so large that float32 holds it as a normal number, even after
# a few layers of small weights.
NEGLIGIBLE_BIAS = 1e-30
# Converters order what could come in any order by name, so the nodes in this scope come as late as possible. LiteRT.js
# takes 236 MiB less at 1024 then, and has room for a full-size network (docs/engines.md).
LATE = "skipped"


class Graph:
    """The nodes of a graph by name, and how many inputs each one feeds."""

    def __init__(self, definition: GraphDef) -> None:
        self.nodes: dict[str, NodeDef] = {node.name: node for node in definition.node}
        self.uses = Counter(name for node in definition.node for name in node.input)

    def constant(self, name: str) -> NDArray[np.generic] | None:
        """Return the value of a Const node, or None for any other node."""
        node = self.nodes[name]
        return MakeNdarray(node.attr["value"].tensor) if node.op == "Const" else None

    def weights(self, name: str) -> NDArray[np.float32]:
        """Return the float32 values of a Const node. Raises Failure for any other node."""
        values = self.constant(name)
        if values is None or values.dtype != np.float32:
            raise Failure(f"{name} ({self.nodes[name].op}) is no constant of float32 weights")
        return cast(NDArray[np.float32], values)

    def set_weights(self, name: str, values: NDArray[np.float32]) -> None:
        """Replace the values of a Const node of float32."""
        self.nodes[name].attr["value"].tensor.CopyFrom(make_tensor_proto(values, np.float32))

    def replace_weights(self, node: NodeDef, values: NDArray[np.float32]) -> None:
        """Replace the second input of a node by new weights. Other nodes may still read the old weights."""
        if self.uses[node.input[1]] > 1:
            node.input[1] = self.add(f"{node.name}/weights", "Const", []).name
        self.set_weights(node.input[1], values)

    def add(self, name: str, op: str, inputs: Sequence[str]) -> NodeDef:
        """Add a node of float32 and return it. A node with the same name is replaced."""
        node = NodeDef(name=name, op=op, input=inputs)
        node.attr["dtype" if op == "Const" else "T"].type = DT_FLOAT
        self.nodes[name] = node
        return node

    def producer(self, node: NodeDef, op: str) -> NodeDef | None:
        """Return the first input of `node` if it is an `op` and feeds no other node, else None."""
        found = self.nodes[node.input[0]]
        if found.op != op:
            return None
        if self.uses[found.name] != 1:
            raise Failure(f"{found.name} ({op}) feeds more than {node.name}")
        return found


def use_dilations(graph: Graph) -> None:
    """Replace SpaceToBatchND, convolution and BatchToSpaceND by one dilated convolution, named after the last of them.

    The three nodes convolve each phase of the block separately, which is what a dilated convolution does. Whatever
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
    """Remove a Pad that adds the same zeros as a SAME convolution of stride 1 adds by itself."""
    for convolution in graph.nodes.values():
        pad = graph.producer(convolution, "Pad") if convolution.op == "Conv2D" else None
        if pad is None:
            continue
        amounts, kernel = graph.constant(pad.input[1]), graph.constant(convolution.input[1])
        if amounts is None or kernel is None:
            raise Failure(f"{convolution.name} (Conv2D) has no constant kernel and padding")
        dilations = list(convolution.attr["dilations"].list.i)
        total = [(size - 1) * dilation for size, dilation in zip(kernel.shape[:2], dilations[1:3], strict=True)]
        # If the total is odd, SAME puts the larger half last.
        expected = [[0, 0], *([each // 2, each - each // 2] for each in total), [0, 0]]
        strides = list(convolution.attr["strides"].list.i)
        if amounts.tolist() != expected or strides != [1] * 4 or convolution.attr["padding"].s != b"VALID":
            raise Failure(f"{pad.name} (Pad by {amounts.tolist()}) is not the SAME padding of {convolution.name}")
        convolution.input[0] = pad.input[0]
        convolution.attr["padding"].s = b"SAME"


def use_bias_add(graph: Graph) -> None:
    """Turn the addition of one constant per channel to a convolution into BiasAdd, which converters fuse."""
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


def add_absent_biases(graph: Graph) -> None:
    """Give each convolution without a bias a bias of zeros, because mo leaves out the addition of zeros.

    A convolution that feeds a sum is the second half of a split convolution. The first half has the bias.
    """
    consumers = {name: node.op for node in graph.nodes.values() for name in node.input}
    for convolution in list(graph.nodes.values()):
        if convolution.op != "Conv2D" or consumers.get(convolution.name) in ("AddV2", "BiasAdd"):
            continue
        plain = NodeDef()
        plain.CopyFrom(convolution)
        plain.name = f"{convolution.name}/plain"
        graph.nodes[plain.name] = plain
        zeros = graph.add(f"{convolution.name}/bias", "Const", [])
        graph.set_weights(zeros.name, np.zeros(graph.weights(plain.input[1]).shape[3], np.float32))
        bias = graph.add(convolution.name, "BiasAdd", [plain.name, zeros.name])
        bias.attr["data_format"].s = b"NHWC"


def upsampled_convolution(graph: Graph, name: str) -> tuple[NodeDef, NodeDef]:
    """Return the convolution whose output is `name`, directly or after upsampling, and the node of its bias."""
    end = graph.nodes[name]
    bias = graph.producer(end, "BiasAdd") if end.op == "ResizeBilinear" else end
    convolution = graph.producer(bias, "Conv2D") if bias and bias.op == "BiasAdd" else None
    if not bias or not convolution or graph.uses[name] != 1:
        raise Failure(f"{name} ({end.op}) is not the output of a convolution with a bias, upsampled and mixed once")
    return convolution, bias


def mix_before_upsampling(graph: Graph) -> None:
    """Fold a 1×1 convolution over joined, upsampled convolutions into these, so that their outputs only need adding.

    Mixing channels is linear. It commutes with bilinear upsampling, because the weights of that sum to one. So the side
    outputs need not be joined or convolved at full size.
    """
    for output in list(graph.nodes.values()):
        mixing = graph.producer(output, "Conv2D") if output.op == "BiasAdd" else None
        joined = graph.producer(mixing, "ConcatV2") if mixing else None
        if mixing is None or joined is None:
            continue
        kernel, offset = graph.weights(mixing.input[1]), graph.weights(output.input[1])
        if kernel.shape[:2] != (1, 1):
            continue
        ends, start = joined.input[:-1], 0
        for name in ends:
            convolution, bias = upsampled_convolution(graph, name)
            side, side_bias = graph.weights(convolution.input[1]), graph.weights(bias.input[1])
            share = kernel[0, 0, start : start + side.shape[3]]
            start += side.shape[3]
            # The bias of the mixing itself is added once, with the first branch.
            graph.replace_weights(convolution, side @ share)
            graph.replace_weights(bias, side_bias @ share + (offset if name == ends[0] else 0))
        total = ends[0]
        for name in ends[1:]:
            place = output.name if name == ends[-1] else f"{name}/mixed"
            graph.add(place, "AddV2", [total, name])
            total = place


def channels(graph: Graph, name: str) -> int:
    """Return how many channels a node outputs. Raises Failure if a U²-Net has no such operation."""
    node = graph.nodes[name]
    match node.op:
        case "Conv2D":
            return int(graph.weights(node.input[1]).shape[3])
        case "ConcatV2":
            return sum(channels(graph, part) for part in node.input[:-1])
        case "AddV2" | "BiasAdd" | "MaxPool" | "Relu" | "ResizeBilinear":
            return channels(graph, node.input[0])
        case "Placeholder":
            return int(node.attr["shape"].shape.dim[3].size)
    raise Failure(f"{name} ({node.op}) is no operation of a U²-Net")


def split_concatenations(graph: Graph) -> None:
    """Convolve the parts of a concatenation separately and add the results, if the sum is the smaller tensor.

    A concatenation stores the decoder's upsampled map and its skip connection a second time. The network's memory peaks
    there. Convolving two halves of the input channels and adding the results is the same as convolving all of them.
    """
    for bias in list(graph.nodes.values()):
        convolution = graph.producer(bias, "Conv2D") if bias.op == "BiasAdd" else None
        joined = graph.producer(convolution, "ConcatV2") if convolution else None
        if convolution is None or joined is None or len(joined.input) != 3:
            continue
        kernel = graph.weights(convolution.input[1])
        first, second = joined.input[:2]
        cut = channels(graph, first)
        if kernel.shape[2] < 2 * kernel.shape[3]:
            continue
        upsampled, skipped = f"{convolution.name}/upsampled", f"{LATE}/{convolution.name}"
        for name, part, values in ((upsampled, first, kernel[:, :, :cut]), (skipped, second, kernel[:, :, cut:])):
            half = graph.add(name, "Conv2D", [part, f"{name}/kernel"])
            for attribute in ("strides", "dilations", "padding", "data_format"):
                half.attr[attribute].CopyFrom(convolution.attr[attribute])
            graph.add(half.input[1], "Const", [])
            graph.set_weights(half.input[1], values)
        # If the plain convolution came first, TensorFlow's optimizer would fuse the sum. TensorFlow.js cannot run that.
        biased = graph.add(f"{LATE}/{bias.name}", "BiasAdd", [skipped, bias.input[1]])
        biased.attr["data_format"].s = b"NHWC"
        graph.add(bias.name, "AddV2", [biased.name, upsampled])


def keep_zero_biases(graph: Graph) -> None:
    """Replace a bias of zeros by a bias so small that it rounds away. TensorFlow's optimizer would drop zeros.

    Converters fuse a convolution with both its bias and its ReLU, or not at all. So every convolution keeps its bias.
    """
    for node in graph.nodes.values():
        if node.op == "BiasAdd" and not (values := graph.weights(node.input[1])).any():
            graph.set_weights(node.input[1], np.full_like(values, NEGLIGIBLE_BIAS))


def share_constants(graph: Graph) -> None:
    """Make nodes that read equal integers (sizes, axes) read one constant. Each weight keeps a constant of its own."""
    first: dict[bytes, str] = {}
    same = {
        node.name: first.setdefault(node.attr["value"].SerializeToString(deterministic=True), node.name)
        for node in graph.nodes.values()
        if node.op == "Const" and node.attr["dtype"].type == DT_INT32
    }
    for node in graph.nodes.values():
        node.input[:] = [same.get(name, name) for name in node.input]


REWRITES = (
    use_dilations,
    use_same_padding,
    use_bias_add,
    add_absent_biases,
    mix_before_upsampling,
    split_concatenations,
    keep_zero_biases,
    share_constants,
)


def rewrite_graph(definition: GraphDef) -> GraphDef:
    """Return a new graph that computes the same function, with every rewrite applied, input x and output d0.

    Raises Failure unless the graph has one input and one output. Also raises Failure, with the name of the node, if a
    node resembles one of the patterns but does not match it.
    """
    copy = prune_graph(definition, *ends(definition))
    for rewrite in REWRITES:
        graph = Graph(copy)
        rewrite(graph)
        rewritten = GraphDef(versions=definition.versions)
        rewritten.node.extend(graph.nodes.values())
        # Remove the replaced nodes: the next rewrite would count them as consumers.
        copy = prune_graph(rewritten, "x", "d0")
    return copy
