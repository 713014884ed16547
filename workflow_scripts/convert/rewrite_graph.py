"""Rewrite a frozen U²-Net into fewer, faster operations: undo openvino2tensorflow's detours, merge what is linear.

Each rewrite computes the same function; at most the order of its sums changes. A pattern that is met but not
exactly as expected stops with the node's name; nothing is rewritten on a guess. All tensors are NHWC, all kernels
[height, width, in, out].
"""

from collections import Counter
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from tensorflow import make_ndarray, make_tensor_proto
from tensorflow.core.framework.types_pb2 import DT_FLOAT, DT_INT32

from workflow_scripts.formats.frozen_graph import GraphDef, NodeDef, ends, prune_graph
from workflow_scripts.shared.failures import Failure

# Far below what rounds away beside any activation, and far above what float32 cannot hold or only holds slowly, even
# after a few layers of small weights.
NEGLIGIBLE_BIAS = 1e-30


class Graph:
    """The nodes of a graph by name, and how often each is consumed."""

    def __init__(self, definition: GraphDef) -> None:
        self.nodes: dict[str, NodeDef] = {node.name: node for node in definition.node}
        self.uses = Counter(name for node in definition.node for name in node.input)

    def constant(self, name: str) -> NDArray[np.generic] | None:
        """Return the value of a Const node, None for any other."""
        node = self.nodes[name]
        return make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None

    def weights(self, name: str) -> NDArray[np.float32]:
        """Return the float32 values of a Const node; raise Failure where it is none."""
        values = self.constant(name)
        if values is None or values.dtype != np.float32:
            raise Failure(f"{name} ({self.nodes[name].op}) is no constant of float32 weights")
        return cast(NDArray[np.float32], values)

    def set_weights(self, name: str, values: NDArray[np.float32]) -> None:
        """Give a Const node of float32 other values."""
        self.nodes[name].attr["value"].tensor.CopyFrom(make_tensor_proto(values, np.float32))

    def replace_weights(self, node: NodeDef, values: NDArray[np.float32]) -> None:
        """Give a node other weights in place of its second input, which other nodes may go on reading."""
        if self.uses[node.input[1]] > 1:
            node.input[1] = self.add(f"{node.name}/weights", "Const", []).name
        self.set_weights(node.input[1], values)

    def add(self, name: str, op: str, inputs: Sequence[str]) -> NodeDef:
        """Add a node of float32 and return it; one of the same name is replaced."""
        node = NodeDef(name=name, op=op, input=inputs)
        node.attr["dtype" if op == "Const" else "T"].type = DT_FLOAT
        self.nodes[name] = node
        return node

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


def add_absent_biases(graph: Graph) -> None:
    """Give each convolution that has no bias one of zeros: mo leaves out the addition of zeros.

    A convolution that feeds a sum is the second half of a split one, whose bias the first half has.
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
    """Return the convolution with a bias whose upsampled (or own) output `name` is, and that bias."""
    end = graph.nodes[name]
    bias = graph.producer(end, "BiasAdd") if end.op == "ResizeBilinear" else end
    convolution = graph.producer(bias, "Conv2D") if bias and bias.op == "BiasAdd" else None
    if not bias or not convolution or graph.uses[name] != 1:
        raise Failure(f"{name} ({end.op}) is not the output of a convolution with a bias, upsampled and mixed once")
    return convolution, bias


def mix_before_upsampling(graph: Graph) -> None:
    """Fold a 1×1 convolution over joined, upsampled convolutions into these, so that they are only added.

    Mixing channels is linear and commutes with bilinear upsampling, whose weights sum to one. So the side outputs
    are neither joined at full size nor convolved there.
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
            # What the mixing itself adds comes once, with the first branch.
            graph.replace_weights(convolution, side @ share)
            graph.replace_weights(bias, side_bias @ share + (offset if name == ends[0] else 0))
        total = ends[0]
        for name in ends[1:]:
            place = output.name if name == ends[-1] else f"{name}/mixed"
            graph.add(place, "AddV2", [total, name])
            total = place


def channels(graph: Graph, name: str) -> int:
    """Return how many channels a node puts out; raise Failure where its operation is none of the network's."""
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
    """Convolve what a concatenation joins part by part and add, where the sum is the smaller tensor.

    Joined, the decoder's upsampled map and its skip connection exist twice, and the network's peak of memory lies
    there. The sum of kernels over two halves of the input channels is the kernel over all of them.
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
        for name, part, values in (("upsampled", first, kernel[:, :, :cut]), ("skipped", second, kernel[:, :, cut:])):
            half = graph.add(f"{convolution.name}/{name}", "Conv2D", [part, f"{convolution.name}/{name}/kernel"])
            for attribute in ("strides", "dilations", "padding", "data_format"):
                half.attr[attribute].CopyFrom(convolution.attr[attribute])
            graph.add(half.input[1], "Const", [])
            graph.set_weights(half.input[1], values)
        # With the plain convolution first, TensorFlow's optimizer would fuse the sum, which TensorFlow.js cannot run.
        biased = graph.add(f"{bias.name}/skipped", "BiasAdd", [f"{convolution.name}/skipped", bias.input[1]])
        biased.attr["data_format"].s = b"NHWC"
        graph.add(bias.name, "AddV2", [biased.name, f"{convolution.name}/upsampled"])


def keep_zero_biases(graph: Graph) -> None:
    """Replace a bias of zeros by one that rounds away: TensorFlow's optimizer would drop it.

    Converters fuse a convolution with its bias and its ReLU, or not at all, so every network keeps its biases.
    """
    for node in graph.nodes.values():
        if node.op == "BiasAdd" and not (values := graph.weights(node.input[1])).any():
            graph.set_weights(node.input[1], np.full_like(values, NEGLIGIBLE_BIAS))


def share_constants(graph: Graph) -> None:
    """Let nodes that read equal integers (sizes, axes) read them from one constant; weights stay one each."""
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
    """Return a new graph of the same function with every rewrite applied; input x, output d0.

    Raises Failure where the graph has not one input and one output, or with the name of a node that looks like
    one of the patterns and is not.
    """
    copy = prune_graph(definition, *ends(definition))
    for rewrite in REWRITES:
        graph = Graph(copy)
        rewrite(graph)
        rewritten = GraphDef(versions=definition.versions)
        rewritten.node.extend(graph.nodes.values())
        # The nodes that a rewrite replaced would look like consumers to the next one.
        copy = prune_graph(rewritten, "x", "d0")
    return copy
