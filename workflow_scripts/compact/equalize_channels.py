"""Rescale a graph model's channels so that quantizing each kernel with one step costs the least. The function stays.

ReLU, maximum, bilinear resizing and concatenation commute with a positive factor per channel. So a convolution may
output channels that are s times larger, if the weights that read them are s times smaller (Nagel et al. 2019,
arXiv:1906.04721). A residual addition ties the factors of the channels it adds. The network's input and the sigmoid's
input keep the factor 1.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow_scripts.compact.graph_model import CONVOLUTIONS, GraphModel
from workflow_scripts.shared.failures import Failure

# Logarithms of factors stay within ±LIMIT, so that float32 never leaves its range. Useful factors are far smaller.
LIMIT = 9.0


@dataclass(frozen=True)
class Ties:
    """Which factor each convolution's channels take: indices into one vector of `count` factors. The first stays 1."""

    inputs: Mapping[str, NDArray[np.int64]]
    outputs: Mapping[str, NDArray[np.int64]]
    count: int


def tie_channels(graph: GraphModel) -> Ties:
    """Derive from the topology which channels must share a factor; raise Failure for an unknown operation."""
    parents: list[int] = [0]

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    def tie(a: int, b: int) -> None:
        a, b = find(a), find(b)
        # Number 0 is the fixed factor, so it must always be the root.
        parents[max(a, b)] = min(a, b)

    channels: dict[str, list[int]] = {}
    inputs: dict[str, list[int]] = {}
    for node in graph.nodes:
        given = [channels[name] for name in node.inputs]
        if node.op == "Placeholder":
            channels[node.name] = [0, 0, 0]
        elif node.op in CONVOLUTIONS:
            inputs[node.name] = given[0]
            outputs = len(graph.weights[node.constants[0]])
            channels[node.name] = list(range(len(parents), len(parents) + outputs))
            parents.extend(channels[node.name])
        elif node.op == "ConcatV2":
            channels[node.name] = [each for part in given for each in part]
        elif node.op in ("AddV2", "AddN") and len(given) > 1:
            for first, *others in zip(*given, strict=True):
                for other in others:
                    tie(first, other)
            channels[node.name] = given[0]
        elif node.op in ("Sigmoid", "AddV2", "BiasAdd"):
            # No factor may reach the addition of a constant, or a sigmoid.
            for each in given[0]:
                tie(each, 0)
            channels[node.name] = given[0]
        elif node.op in ("MaxPool", "ResizeBilinear", "Relu"):
            channels[node.name] = given[0]
        else:
            raise Failure(f"{node.name} is a {node.op}, and equalize_channels does not know how it passes on a factor")
    for each in channels[graph.output]:
        tie(each, 0)
    roots = sorted({find(index) for index in range(len(parents))})
    number = {root: index for index, root in enumerate(roots)}

    def numbers(indices: list[int]) -> NDArray[np.int64]:
        return np.array([number[find(index)] for index in indices])

    return Ties(
        {name: numbers(each) for name, each in inputs.items()},
        {name: numbers(channels[name]) for name in inputs},
        len(roots),
    )


def scaled(graph: GraphModel, ties: Ties, factors: Tensor) -> dict[str, Tensor]:
    """Return the weights with `factors` applied; the function is the same."""
    weights = dict(graph.weights)
    for node in graph.convolutions:
        given, made = factors[ties.inputs[node.name]], factors[ties.outputs[node.name]]
        kernel = weights[node.constants[0]]
        weights[node.constants[0]] = kernel * made[:, None, None, None] / given[None, :, None, None]
        if node.bias:
            weights[node.bias] = weights[node.bias] * made
    return weights


def predicted_errors(
    graph: GraphModel, ties: Ties, factors: Tensor, sensitivity: Mapping[str, Tensor], steps: int
) -> dict[str, float]:
    """Return, for each convolution, the predicted squared error of the output if its kernel is rounded to `steps`.

    `sensitivity` [out, in] of a convolution is the squared derivative of the output by its weights, summed over the
    window. Rounding to steps of range / `steps` adds a variance of step² / 12 to each weight.
    """
    weights = scaled(graph, ties, factors)
    errors = {}
    for node in graph.convolutions:
        kernel = weights[node.constants[0]]
        given, made = factors[ties.inputs[node.name]], factors[ties.outputs[node.name]]
        step = float(kernel.amax().clamp(min=0) - kernel.amin().clamp(max=0)) / steps
        errors[node.name] = step**2 / 12 * float(made.pow(-2) @ sensitivity[node.name] @ given.square())
    return errors


def equalize(
    graph: GraphModel, ties: Ties, sensitivity: Mapping[str, Tensor], wide: Collection[str], rounds: int = 120
) -> Tensor:
    """Return the factors [count] with the least sum of predicted errors. `wide` kernels have 65535 steps, others 255.

    It is minimised over the logarithms of the factors. There, apart from the ranges, it is a sum of exponentials.
    """
    logarithms = torch.zeros(ties.count, requires_grad=True)
    layers = []
    for node in graph.convolutions:
        kernel = graph.weights[node.constants[0]].flatten(2)
        # A channel of zeros has no range, and log(0) is infinite.
        high, low = (each.clamp(min=1e-12).log() for each in (kernel.amax(2), (-kernel).amax(2)))
        given, made = (torch.from_numpy(each[node.name]) for each in (ties.inputs, ties.outputs))
        cost = sensitivity[node.name].clamp(min=1e-30)
        layers.append((high, low, cost, given, made, 2 * math.log(65535 if node.name in wide else 255)))
    optimizer = torch.optim.Adam([logarithms], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, rounds)
    for _ in range(rounds):
        optimizer.zero_grad()
        factors = torch.cat([torch.zeros(1), logarithms[1:].clamp(-LIMIT, LIMIT)])
        errors = []
        for high, low, cost, given, made, steps in layers:
            ratio = factors[made][:, None] - factors[given]
            span = ((high + ratio).amax().exp() + (low + ratio).amax().exp()).log()
            noise = (-2 * factors[made]).exp() @ cost @ (2 * factors[given]).exp()
            errors.append(2 * span + noise.log() - steps)
        torch.logsumexp(torch.stack(errors), 0).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return torch.cat([torch.zeros(1), logarithms.detach()[1:].clamp(-LIMIT, LIMIT)]).exp()
