"""The weights that an artifact must hold. They follow from the ONNX model's wiring, for every format made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.numpy_helper import to_array

from workflow_scripts.shared.failures import Failure

Values = NDArray[Any]


@dataclass(frozen=True)
class Expected:
    """One weight tensor: a kernel [height, width, in, out] or a bias [out] of the convolution `name`."""

    name: str
    values: Values

    @property
    def is_kernel(self) -> bool:
        """Whether this is a kernel."""
        return self.values.ndim == 4

    def __str__(self) -> str:
        return f"the {'kernel' if self.is_kernel else 'bias'} of {self.name}"


@dataclass(frozen=True)
class Convolution:
    """One convolution, and the name of the tensor that it reads."""

    name: str
    source: str
    kernel: Values
    bias: Values


class Network:
    """The convolutions of an ONNX model, in the order of its nodes, and what feeds them.

    Raises Failure if a convolution lacks its kernel or its bias. export_onnx writes even a bias of zeros.
    """

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path, load_external_data=False).graph
        self.weights = {tensor.name: to_array(tensor) for tensor in graph.initializer}
        self.producers = {output: node for node in graph.node for output in node.output}
        self.inputs = {value.name: value.type.tensor_type.shape.dim[1].dim_value for value in graph.input}
        self.convolutions = [self._read(node) for node in graph.node if node.op_type == "Conv"]

    def _read(self, node: Any) -> Convolution:
        name = node.name or node.output[0]
        if len(node.input) != 3:
            raise Failure(f"the convolution {name} has no bias")
        if absent := [weight for weight in node.input[1:] if weight not in self.weights]:
            raise Failure(f"the convolution {name} reads {absent[0]}, which is no weight")
        kernel, bias = (self.weights[weight] for weight in node.input[1:])
        if kernel.ndim != 4 or bias.shape != kernel.shape[:1]:
            raise Failure(f"the convolution {name} has a kernel of {kernel.shape} and a bias of {bias.shape}")
        return Convolution(name, node.input[0], kernel.transpose(2, 3, 1, 0), bias)

    @property
    def parameters(self) -> int:
        """How many weights all convolutions have."""
        return sum(each.kernel.size + each.bias.size for each in self.convolutions)

    def channels(self, name: str) -> int:
        """Return how many channels a tensor has. All other operations keep the channels of their first input."""
        if name in self.inputs:
            return int(self.inputs[name])
        node = self.producers[name]
        if node.op_type == "Conv":
            return int(self.weights[node.input[1]].shape[0])
        return sum(map(self.channels, node.input)) if node.op_type == "Concat" else self.channels(node.input[0])

    def joined(self, name: str) -> Sequence[str]:
        """Return the tensors that a concatenation joins into this one. Other tensors get an empty list."""
        node = self.producers.get(name)
        return list(node.input) if node is not None and node.op_type == "Concat" else []

    def plain(self) -> list[Expected]:
        """Return each convolution's kernel and bias: what the formats up to the frozen graph hold."""
        return [Expected(each.name, values) for each in self.convolutions for values in (each.kernel, each.bias)]

    def optimized(self) -> list[Expected]:
        """Return the weights after optimize_graph has mixed the side outputs and split kernels over joined halves."""
        mixing = next((each for each in self.convolutions if self._mixes(each)), None)
        shares = self._shares(mixing) if mixing else {}
        found = []
        for each in self.convolutions:
            if each is mixing:
                continue
            output, inputs = each.kernel.shape[3], each.kernel.shape[2]
            kernel, bias = each.kernel, each.bias
            if each.name in shares:
                share, offset = shares[each.name]
                kernel, bias = kernel @ share, bias @ share + offset
            halves = self.joined(each.source)
            kernels = [kernel]
            if len(halves) == 2 and inputs >= 2 * output:
                kernels = np.split(kernel, [self.channels(halves[0])], axis=2)
            found += [Expected(each.name, values) for values in (*kernels, bias)]
        return found

    def _mixes(self, convolution: Convolution) -> bool:
        return convolution.kernel.shape[:2] == (1, 1) and bool(self.joined(convolution.source))

    def _shares(self, mixing: Convolution) -> dict[str, tuple[Values, Values]]:
        """Return what each mixed convolution is multiplied by and what is added to it, by the convolution's name."""
        shares: dict[str, tuple[Values, Values]] = {}
        start = 0
        for name in self.joined(mixing.source):
            node = self.producers[name]
            side = node if node.op_type == "Conv" else self.producers[node.input[0]]
            end = start + self.channels(name)
            # The bias of the mixing itself is added once, with the first branch.
            shares[side.name or side.output[0]] = (
                mixing.kernel[0, 0, start:end],
                mixing.bias if start == 0 else mixing.bias * 0,
            )
            start = end
        return shares
