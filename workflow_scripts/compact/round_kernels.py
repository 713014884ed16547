"""Round each kernel to one grid per tensor so that its output changes least, even if its weights change more.

Columns are rounded one after another. The error of a rounded column is passed on to the columns that are not rounded
yet, by the second moments of the layer's inputs (GPTQ, Frantar et al. 2022, arXiv:2210.17323).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from workflow_scripts.compact.graph_model import CONVOLUTIONS, GraphModel, Node, integers

# This share of the mean second moment is added to each one, because a few photos do not show everything.
DAMPING = 0.01
# The errors of so many columns are passed on together.
BLOCK = 128
# The second moments are taken from so many positions of a layer's input, over all photos.
POSITIONS = 16384


@dataclass(frozen=True)
class Grid:
    """The values scale · n + low for n from 0 to `steps`."""

    scale: float
    low: float
    steps: int

    def nearest(self, values: Tensor) -> Tensor:
        """Return the number n of the nearest grid value for each of `values`, as floats."""
        return torch.round((values - self.low) / self.scale).clamp(0, self.steps)

    def value(self, numbers: Tensor) -> Tensor:
        """Return the values that TensorFlow.js computes from `numbers`: in double precision, then rounded to single."""
        return (numbers.double() * self.scale + self.low).float()


@dataclass(frozen=True)
class Rounded:
    """One weight as grid numbers. A weight that stays float32 has no grid, and `numbers` are its values."""

    grid: Grid | None
    numbers: Tensor

    @property
    def dtype(self) -> str:
        """The type in which it is stored: uint8, uint16 or float32."""
        return "float32" if self.grid is None else "uint8" if self.grid.steps < 256 else "uint16"

    @property
    def bytes(self) -> int:
        """Its size in a shard."""
        return self.numbers.numel() * np.dtype(self.dtype).itemsize

    @property
    def quantization(self) -> dict[str, str | float] | None:
        """Its `quantization` entry in a model.json."""
        if self.grid is None:
            return None
        return {"dtype": self.dtype, "min": self.grid.low, "scale": self.grid.scale, "original_dtype": "float32"}

    def values(self) -> Tensor:
        """Return its values as TensorFlow.js computes them."""
        return self.numbers if self.grid is None else self.grid.value(self.numbers)

    def stored(self) -> NDArray[np.generic]:
        """Return the array that a shard holds; kernels as [height, width, in, out]."""
        numbers = self.numbers.permute(2, 3, 1, 0) if self.numbers.ndim == 4 else self.numbers
        return np.ascontiguousarray(numbers.numpy().astype(self.dtype))


def grid_of(values: Tensor, steps: int) -> Grid:
    """Return the grid over the range of `values` and 0, on which 0 is one of the values."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = (high - low) / steps or 1.0
    return Grid(scale, round(low / scale) * scale, steps)


def nearest(values: Tensor, steps: int) -> Rounded:
    """Round `values` to the nearest values of their own grid."""
    grid = grid_of(values, steps)
    return Rounded(grid, grid.nearest(values))


def columns(x: Tensor, window: tuple[int, int], dilation: tuple[int, int], picked: Tensor) -> Tensor:
    """Return the values that a SAME convolution of x [n, in, h, w] multiplies with its kernel.

    The result is [positions, in · height · width]. `picked` names the positions by their number among n · h · w.
    """
    if window == (1, 1):
        return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])[picked]
    (top, left) = (d * (k - 1) // 2 for d, k in zip(dilation, window, strict=True))
    padded = F.pad(x, (left, left, top, top))
    number, row, column = picked // (x.shape[2] * x.shape[3]), picked // x.shape[3] % x.shape[2], picked % x.shape[3]
    parts = [
        padded[number, :, row + i * dilation[0], column + j * dilation[1]]
        for i in range(window[0])
        for j in range(window[1])
    ]
    return torch.stack(parts, 2).flatten(1)


def damped(moments: Tensor) -> Tensor:
    """Return `moments` with a share of the mean of their diagonal added to the diagonal."""
    return moments + torch.eye(len(moments)) * (DAMPING * moments.diagonal().mean() + 1e-12)


def round_adaptively(kernel: Tensor, grid: Grid, moments: Tensor) -> Tensor:
    """Return grid numbers for kernel [out, columns] given its inputs' damped second moments [columns, columns]."""
    order = moments.diagonal().argsort(descending=True)
    weights = kernel[:, order]
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(moments[order][:, order]))
    root = torch.linalg.cholesky(inverse, upper=True)
    numbers = torch.empty_like(weights)
    for start in range(0, weights.shape[1], BLOCK):
        stop = min(start + BLOCK, weights.shape[1])
        errors = torch.empty(len(weights), stop - start)
        for column in range(start, stop):
            numbers[:, column] = grid.nearest(weights[:, column])
            error = (weights[:, column] - grid.value(numbers[:, column])) / root[column, column]
            weights[:, column:stop] -= error[:, None] * root[column, column:stop]
            errors[:, column - start] = error
        weights[:, stop:] -= errors @ root[start:stop, stop:]
    restored = torch.empty_like(numbers)
    restored[:, order] = numbers
    return restored


def round_convolution(
    node: Node, weights: Mapping[str, Tensor], steps: int, exact: Tensor, found: Tensor, picked: Tensor
) -> dict[str, Rounded]:
    """Round one convolution's kernel and bias, so that its output for `found` is close to its exact output for `exact`.

    Both inputs are [n, in, h, w]. `found` carries the errors of the layers before. First the kernel is moved to undo as
    much of these errors as the `picked` positions show (damped least squares). Then it is rounded. The bias, in uint16,
    takes up the mean error that is left.
    """
    kernel = weights[node.constants[0]]
    window, dilation = (kernel.shape[2], kernel.shape[3]), tuple(integers(node.attributes["dilations"])[1:3])
    before, after = (columns(x, window, (dilation[0], dilation[1]), picked) for x in (exact, found))
    moments = damped(after.T @ after / len(after))
    wanted = kernel.flatten(1)
    drift = (before - after).T @ after / len(after)
    moved = wanted + torch.linalg.solve(moments, drift.T @ wanted.T).T
    grid = grid_of(kernel, steps)
    numbers = round_adaptively(moved, grid, moments)
    rounded = {node.constants[0]: Rounded(grid, numbers.reshape(kernel.shape))}
    if node.bias:
        left = (before @ wanted.T - after @ grid.value(numbers).T).mean(0)
        rounded[node.bias] = nearest(weights[node.bias] + left, 65535)
    return rounded


def round_weights(
    graph: GraphModel, weights: Mapping[str, Tensor], wide: Collection[str], x: Tensor
) -> dict[str, Rounded]:
    """Round all weights of `graph`, layer after layer, on what the network computes from x [batch, 3, size, size].

    Kernels become uint8; those of the convolutions named in `wide` become uint16. Weights of other operations stay
    float32.
    """
    rounded = {name: Rounded(None, values) for name, values in weights.items()}
    random = torch.Generator().manual_seed(1)
    scale = x.shape[2] / graph.resolution
    exact, found = {graph.input: x}, {graph.input: x}
    for node in graph.nodes[1:]:
        before, after = ([values[name] for name in node.inputs] for values in (exact, found))
        if node.op in CONVOLUTIONS:
            picked = torch.randperm(len(x) * after[0][0, 0].numel(), generator=random)[:POSITIONS]
            steps = 65535 if node.name in wide else 255
            rounded |= round_convolution(node, weights, steps, before[0], after[0], picked)
        values = {name: rounded[name].values() for name in node.constants if name in rounded}
        exact[node.name] = graph.evaluate(node, before, weights, scale)
        found[node.name] = graph.evaluate(node, after, values, scale)
        for name in graph.last_used_by(node):
            del exact[name], found[name]
    return rounded
