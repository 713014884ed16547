"""Recover a U²-Net's state dict from an ONNX file by following its graph along the network's own forward pass."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from onnx import ModelProto, TensorProto
from torch import Tensor, fx, nn

from workflow_scripts.checkpoint.file_kinds import shown
from workflow_scripts.checkpoint.onnx_graph import Graph, graph_at
from workflow_scripts.checkpoint.onnx_tensors import Array, load_model, values_of
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import FAMILIES, ConvBNReLU, U2Net, pool, upsample_like

# A batch norm with these statistics and this epsilon is the identity.
BATCH_NORM_EPSILON = 1e-5
# Two sizes that no constant in the graph can equal by chance: all four sides differ.
FREE_SIZES = ((64, 96), (160, 128))
LARGEST_SIDE = 8192
LARGEST_BATCH = 64
FLOAT_TYPES = {TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16"}
WORDS = {
    "conv": "a convolution",
    "bn": "a batch norm",
    "pool": "a pooling",
    "resize": "a resizing",
    "relu": "a ReLU",
    "add": "a sum",
}


@dataclass(frozen=True)
class FileInput:
    """An ONNX file's one input, float32 or float16. Batch and sides are as the file declares them. None means any."""

    name: str
    type: str
    batch: int | None
    sides: tuple[int, int] | None


@dataclass(frozen=True)
class FileNetwork:
    """The network in an ONNX file. `output` names its d0, or d0 before the sigmoid if `logits`.

    `precision` is float16 if the file computes in it.
    """

    state: dict[str, Tensor]
    input: FileInput
    output: str
    logits: bool
    precision: str


@dataclass(frozen=True)
class Layer:
    """A convolution of the graph and what follows it before the ReLU: numbers of arrays in `Graph.arrays`.

    `order` is the order of the kernel's input channels, if the file joins maps in another order than PyTorch.
    """

    kernel: int
    bias: int
    after: tuple[tuple[Any, ...], ...]
    order: tuple[int, ...] | None


class Tracer(fx.Tracer):
    """Traces a network into poolings, resizings, sums, joins, and convolutions with what belongs to them."""

    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        """Return whether a module is one step."""
        return isinstance(module, (ConvBNReLU, nn.Conv2d))


@cache
def forward_pass() -> fx.Graph:
    """Return PyTorch's own operations, in the order of a forward pass. They are the same for all widths."""
    with torch.device("meta"):
        return Tracer(autowrap_functions=(pool, upsample_like)).trace(U2Net(FAMILIES["u2netp"]))


class Match:
    """Follows a graph along the forward pass. `layers` are the convolutions found, by the network's names for them."""

    def __init__(self, graph: Graph, network: nn.Module) -> None:
        self.graph = graph
        self.path = graph.path
        self.network = network
        self.layers: dict[str, Layer] = {}
        # The order of a join's channels in the file, by the join's term: blocks of channels, in PyTorch's order.
        self.orders: dict[int, tuple[int, ...]] = {}

    def mismatch(self, expected: str, after: int) -> Failure:
        """Say what a U²-Net has after a term, and what the file has instead."""
        terms = [self.graph.terms[user] for user in self.graph.users.get(after, [])]
        found = ", ".join(sorted({WORDS.get(term.operation, f"a {term.operation}") for term in terms})) or "an output"
        return Failure(f"{self.path} is no U²-Net: it has {found} where U²-Net has {expected}")

    def only_user(self, term: int, operations: Sequence[str], expected: str) -> int:
        """Return the one term of these operations that takes `term`."""
        users = [user for user in self.graph.users.get(term, []) if self.graph.terms[user].operation in operations]
        if len(users) != 1:
            raise self.mismatch(expected, term)
        return users[0]

    def convolution(self, name: str, module: nn.Conv2d, x: int) -> int:
        """Follow a convolution and the batch norm or constants after it. Return the last of their terms."""
        expected = f"the convolution {name}"
        users = [user for user in self.graph.users.get(x, []) if self.graph.terms[user].operation == "conv"]
        if len(users) != 1:
            raise self.mismatch(expected, x)
        found = users[0]
        kernel, bias, dilation = self.graph.terms[found].details
        window = self.graph.arrays[kernel].shape[2]
        if window != module.kernel_size[0]:
            raise Failure(f"{self.path} is no U²-Net: {name} has a kernel of {window}×{window}")
        if dilation != module.dilation[0]:
            raise Failure(f"{self.path} is no U²-Net: {name} is dilated by {dilation} instead of {module.dilation[0]}")
        after = []
        while True:
            users = self.graph.users.get(found, [])
            if len(users) != 1 or self.graph.terms[users[0]].operation not in ("bn", "shift", "scale"):
                break
            found = users[0]
            after.append((self.graph.terms[found].operation, *self.graph.terms[found].details))
        self.layers[name] = Layer(kernel, bias, tuple(after), self.orders.get(x))
        return found

    def joined(self, parts: Sequence[int]) -> int:
        """Return the term that joins these terms, in any order. Remember that order."""
        joins = [
            user
            for user in self.graph.users.get(parts[0], [])
            if self.graph.terms[user].operation == "concat" and sorted(self.graph.terms[user].inputs) == sorted(parts)
        ]
        if len(joins) != 1:
            raise self.mismatch(f"the joining of {len(parts)} maps", parts[0])
        inputs = self.graph.terms[joins[0]].inputs
        if inputs != tuple(parts):
            # For each of PyTorch's channels, its place among the file's channels.
            starts = np.cumsum([0, *(self.graph.shapes[each][1] for each in inputs)])
            order: list[int] = []
            for part in parts:
                place = inputs.index(part)
                order += range(int(starts[place]), int(starts[place + 1]))
            self.orders[joins[0]] = tuple(order)
        return joins[0]

    def node(self, node: fx.Node, terms: dict[fx.Node, int]) -> int:
        """Return the term of one step of the forward pass."""
        if node.op == "placeholder":
            return 0
        arguments: Any = node.args
        if node.op == "call_module":
            name = str(node.target)
            module = self.network.get_submodule(name)
            x = terms[arguments[0]]
            if isinstance(module, ConvBNReLU):
                last = self.convolution(f"{name}", module.conv_s1, x)
                return self.only_user(last, ["relu"], f"the ReLU of {name}")
            return self.convolution(name, cast(nn.Conv2d, module), x)
        if node.target is torch.cat:
            return self.joined([terms[each] for each in arguments[0]])
        if node.target is operator.add:
            parts = sorted(terms[each] for each in arguments)
            found = self.graph.find("add", parts)
            if found is None:
                raise self.mismatch("the sum at a stage's end", parts[-1])
            return found
        x = terms[arguments[0]]
        if node.target is pool:
            found = self.graph.find("pool", [x])
            if found is None:
                raise self.mismatch("a pooling; has it another number of levels?", x)
            return found
        if node.target is upsample_like:
            size = self.graph.shapes[terms[arguments[1]]][2:]
            # Resizing to the same size is the identity, so it has no term.
            if self.graph.shapes[x][2:] == size:
                return x
            users = [user for user in self.graph.users.get(x, []) if self.graph.terms[user].operation == "resize"]
            if not users:
                raise self.mismatch("a resizing; has it another number of levels?", x)
            for user in users:
                if self.graph.shapes[user][2:] == size:
                    return user
            sizes = [list(self.graph.shapes[user][2:]) for user in users]
            raise Failure(f"{self.path} is no U²-Net: it resizes to {sizes[:3]} where U²-Net resizes to {list(size)}")
        raise AssertionError(node)

    def follow(self) -> tuple[int, int | None]:
        """Follow the whole forward pass. Return the term of d0 before the sigmoid, and after it if the file has one."""
        terms: dict[fx.Node, int] = {}
        logits = 0
        for node in forward_pass().nodes:
            if node.target is torch.sigmoid:
                logits = terms[node.args[0]]
                return logits, self.graph.find("sigmoid", [logits])
            terms[node] = self.node(node, terms)
        raise AssertionError("the forward pass ends in a sigmoid")


def single_input(model: ModelProto, path: Path) -> FileInput:
    """Return a model's input. Raises Failure unless it is one batch of RGB images in floats."""
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in stored]
    if len(inputs) != 1:
        raise Failure(f"{path} has {len(inputs)} inputs, a U²-Net has one; export the network alone")
    (given,) = inputs
    name = shown(given.name)
    tensor = given.type.tensor_type
    if tensor.elem_type not in FLOAT_TYPES:
        if tensor.elem_type == TensorProto.DOUBLE:
            raise Failure(f"{path} computes in float64; export the network in float32, after model.float()")
        raise Failure(
            f"{path} takes no float32 or float16 numbers but another type; export the network alone, without "
            "preprocessing"
        )
    dims = [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in tensor.shape.dim]
    if len(dims) != 4:
        raise Failure(f"{path}: {name} has {len(dims)} dimensions instead of [batch, 3, height, width]")
    batch, channels, height, width = dims
    if channels not in (3, None):
        if width == 3:
            raise Failure(f"{path} takes its channels last (NHWC); export the network as PyTorch has it, NCHW")
        raise Failure(f"{path} takes {channels} input channels; three are supported, RGB")
    if (batch or 1) > LARGEST_BATCH or max(height or 1, width or 1) > LARGEST_SIDE:
        raise Failure(f"{path} takes a batch of {batch or 1} images of {height}×{width}, which is too large")
    sides = (height, width) if height is not None and width is not None else None
    if sides is None and (height, width) != (None, None):
        raise Failure(
            f"{path} leaves one of height and width open, not both; export it with both or none of them dynamic"
        )
    return FileInput(given.name, FLOAT_TYPES[tensor.elem_type], batch, sides)


def check_ends(graph: Graph, path: Path) -> None:
    """Raise Failure for steps before the first convolution, and for other networks that their ends give away."""
    begins = {graph.terms[user].operation for user in graph.users.get(0, [])}
    if begins - {"conv"}:
        raise Failure(
            f"{path} changes its input before the first convolution ({', '.join(sorted(begins - {'conv'}))}): the "
            "normalisation is built in; export the network alone"
        )
    if not graph.outputs:
        raise Failure(f"{path} has no output that depends on its input; export it again")


def check_channels(layers: dict[str, Layer], graph: Graph) -> None:
    """Raise Failure if the network has several output channels, or widths that do not fit its wiring."""
    out = graph.arrays[layers["outconv"].kernel].shape[0]
    sides = {graph.arrays[layers[f"side{index}"].kernel].shape[0] for index in range(1, 7)}
    if out != 1 or sides != {1}:
        raise Failure(f"{graph.path} has {max(out, *sides)} output channels; one is supported")


def folded(layer: Layer, graph: Graph) -> tuple[Array, Array, tuple[Array, ...] | None]:
    """Return a layer's kernel, bias and batch norm (scale, bias, mean, variance). Constants after it are folded in."""
    kernel = graph.arrays[layer.kernel]
    bias = np.zeros(kernel.shape[0], kernel.dtype) if layer.bias < 0 else graph.arrays[layer.bias]
    if layer.order is not None:
        kernel = kernel[:, list(layer.order)]
    norms = [each for each in layer.after if each[0] == "bn"]
    if len(layer.after) == 1 and norms:
        (_, *numbers, epsilon) = norms[0]
        scale, shift, mean, variance = (graph.arrays[number] for number in numbers)
        if epsilon != BATCH_NORM_EPSILON:
            variance = (variance.astype(np.float64) + (epsilon - BATCH_NORM_EPSILON)).astype(np.float32)
        return kernel, bias, (scale, shift, mean, variance)
    if not layer.after:
        return kernel, bias, None
    exact, exact_bias = kernel.astype(np.float64), bias.astype(np.float64)
    for operation, *numbers in layer.after:
        if operation == "bn":
            *places, epsilon = numbers
            scale, shift, mean, variance = (graph.arrays[number].astype(np.float64) for number in places)
            factor = scale / np.sqrt(variance + epsilon)
            exact, exact_bias = exact * factor[:, None, None, None], (exact_bias - mean) * factor + shift
        elif operation == "scale":
            factor = graph.arrays[numbers[0]]
            exact, exact_bias = exact * factor[:, None, None, None], exact_bias * factor
        else:
            exact_bias = exact_bias + graph.arrays[numbers[0]]
    return exact.astype(np.float32), exact_bias.astype(np.float32), None


def state_of(layers: dict[str, Layer], graph: Graph, network: nn.Module) -> dict[str, Tensor]:
    """Return the state dict with these layers.

    If a batch norm was folded into its convolution, the network gets one that is the identity (weight 1, bias 0,
    mean 0, variance 1 - epsilon). The function is the same, up to float rounding.
    """
    state: dict[str, Tensor] = {}
    for name, layer in layers.items():
        kernel, bias, norm = folded(layer, graph)
        with_norm = isinstance(network.get_submodule(name), ConvBNReLU)
        if norm is not None and not with_norm:
            raise Failure(f"{graph.path} is no U²-Net: {name} has a batch norm after it")
        prefix = f"{name}.conv_s1" if with_norm else name
        state[f"{prefix}.weight"], state[f"{prefix}.bias"] = (
            torch.from_numpy(kernel.copy()),
            torch.from_numpy(bias.copy()),
        )
        if with_norm:
            channels = bias.shape[0]
            identity = (
                np.ones(channels),
                np.zeros(channels),
                np.zeros(channels),
                np.full(channels, 1 - BATCH_NORM_EPSILON),
            )
            names = ("weight", "bias", "running_mean", "running_var")
            for key, values in zip(names, norm or identity, strict=True):
                state[f"{name}.bn_s1.{key}"] = torch.from_numpy(np.array(values, np.float32))
    return state


def read_onnx(path: Path) -> FileNetwork:
    """Return the network that an ONNX file computes, by the names of the public checkpoints.

    The file's graph is followed along PyTorch's own forward pass, at the size that the file declares. If it declares no
    size, the graph is followed at two sizes. Raises Failure, with the reason, if the file computes another function
    than a U²-Net.
    """
    model = load_model(path)
    given = single_input(model, path)
    arrays = {tensor.name: values_of(tensor, path) for tensor in model.graph.initializer}
    with torch.device("meta"):
        network = U2Net(FAMILIES["u2netp"])
    found: list[tuple[dict[str, Tensor], str, bool, str]] = []
    for sides in (given.sides,) if given.sides else FREE_SIZES:
        graph = graph_at(model, path, (given.batch or 1, 3, *sides), arrays)
        check_ends(graph, path)
        match = Match(graph, network)
        logits, d0 = match.follow()
        check_channels(match.layers, graph)
        names = {term: name for name, term in reversed(graph.outputs.items())}
        if d0 in names or logits in names:
            ends = (names[d0], False) if d0 is not None and d0 in names else (names[logits], True)
        else:
            after = {graph.terms[user].operation for user in graph.users.get(logits if d0 is None else d0, [])}
            raise Failure(
                f"{path} gives out neither d0 nor its logits, but what {', '.join(sorted(after)) or 'another branch'} "
                "makes of it; export the network alone"
            )
        halves = graph.halves or any(graph.arrays[layer.kernel].dtype == np.float16 for layer in match.layers.values())
        precision = "float16" if halves else given.type
        found.append((state_of(match.layers, graph, network), *ends, precision))
    state, output, logits_only, precision = found[0]
    for other, other_output, other_logits, _ in found[1:]:
        same = (other_output, other_logits) == (output, logits_only)
        if not same or any(not torch.equal(state[name], other[name]) for name in state):
            raise Failure(f"{path} is another network at another size; export it again")
    return FileNetwork(state, given, output, logits_only, precision)
