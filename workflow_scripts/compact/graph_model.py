"""A TensorFlow.js graph model in PyTorch: it runs node by node, at any size, with any weights of the same shapes."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from workflow_scripts.formats.tfjs_model import read_weights
from workflow_scripts.shared.failures import Failure

CONVOLUTIONS = ("Conv2D", "_FusedConv2D")


@dataclass(frozen=True)
class Node:
    """One operation: the names of the values it consumes and, apart from them, of its constants."""

    name: str
    op: str
    inputs: tuple[str, ...]
    constants: tuple[str, ...]
    attributes: Mapping[str, Any]

    @property
    def bias(self) -> str | None:
        """The name of a convolution's second constant, if it has one."""
        return self.constants[1] if len(self.constants) > 1 else None


def text(value: str) -> str:
    """Decode a text of model.json, which stores bytes as base64."""
    return base64.b64decode(value).decode()


def integers(attribute: Mapping[str, Any]) -> list[int]:
    """Return the numbers of a list attribute, which protobuf writes as text."""
    return [int(number) for number in attribute["list"]["i"]]


class GraphModel:
    """A float32 graph model of one square input and one output.

    `weights` holds the float constants as tensors, and kernels as [out, in, height, width]. In `nodes` each node comes
    after the nodes it consumes. Values are NCHW.
    """

    def __init__(self, folder: Path) -> None:
        topology = json.loads((folder / "model.json").read_text())["modelTopology"]["node"]
        stored: dict[str, NDArray[Any]] = {
            spec["name"]: np.frombuffer(data, spec["dtype"]).reshape(spec["shape"])
            for spec, data in read_weights(folder)
        }
        self.weights = {
            name: torch.from_numpy((values.transpose(3, 2, 0, 1) if values.ndim == 4 else values).copy())
            for name, values in stored.items()
            if values.dtype == np.float32
        }
        self._integers = {name: values for name, values in stored.items() if values.dtype == np.int32}
        self.nodes: list[Node] = []
        by_name = {node["name"]: node for node in topology if node["op"] != "Const"}
        done: set[str] = set()

        def add(name: str) -> None:
            if name in done or name not in by_name:
                return
            done.add(name)
            node = by_name[name]
            given = [each.partition(":")[0] for each in node.get("input", [])]
            for each in given:
                add(each)
            inputs = tuple(each for each in given if each in by_name)
            constants = tuple(each for each in given if each not in by_name)
            self.nodes.append(Node(name, node["op"], inputs, constants, node.get("attr", {})))

        (placeholder,) = (name for name, node in by_name.items() if node["op"] == "Placeholder")
        for name in [placeholder, *by_name]:
            add(name)
        shape = self.nodes[0].attributes["shape"]["shape"]["dim"]
        self.resolution = int(shape[1]["size"])
        self.input, self.output = placeholder, self.nodes[-1].name
        self._last_use = {each: node.name for node in self.nodes for each in node.inputs}

    @property
    def convolutions(self) -> list[Node]:
        """The convolutions, in the order of `nodes`."""
        return [node for node in self.nodes if node.op in CONVOLUTIONS]

    def evaluate(self, node: Node, inputs: list[Tensor], weights: Mapping[str, Tensor], scale: float) -> Tensor:
        """Compute one node at `scale` times the model's own size; raise Failure for an unknown operation."""
        if node.op in CONVOLUTIONS:
            fused = [text(each) for each in node.attributes.get("fused_ops", {}).get("list", {}).get("s", [])]
            if not set(fused) <= {"BiasAdd", "Relu"} or set(integers(node.attributes["strides"])) != {1}:
                raise Failure(f"{node.name} is not a convolution of stride 1 with bias and ReLU (fused: {fused})")
            kernel, bias = weights[node.constants[0]], weights[node.bias] if node.bias else None
            dilation = integers(node.attributes["dilations"])[1:3]
            if text(node.attributes["padding"]["s"]) != "SAME" and kernel.shape[2:] != (1, 1):
                raise Failure(f"{node.name} is a convolution with another padding than SAME")
            result = F.conv2d(inputs[0], kernel, bias, padding="same", dilation=dilation)
            return F.relu(result) if "Relu" in fused else result
        if node.op == "MaxPool":
            return F.max_pool2d(inputs[0], 2, stride=2, ceil_mode=True)
        if node.op == "ResizeBilinear":
            size = [round(int(side) * scale) for side in self._integers[node.constants[0]]]
            return F.interpolate(inputs[0], size=size, mode="bilinear", align_corners=False)
        if node.op == "ConcatV2":
            return torch.cat(inputs, 1)
        if node.op in ("AddV2", "AddN") and not node.constants:
            return torch.stack(inputs).sum(0)
        if node.op == "BiasAdd" or (node.op == "AddV2" and weights[node.constants[0]].ndim <= 1):
            return inputs[0] + weights[node.constants[0]].reshape(1, -1, 1, 1)
        if node.op == "Relu":
            return F.relu(inputs[0])
        if node.op == "Sigmoid":
            return torch.sigmoid(inputs[0])
        raise Failure(f"{node.name} is a {node.op}, an operation that graph_model does not know")

    def last_used_by(self, node: Node) -> set[str]:
        """Return the inputs of `node` that no later node consumes."""
        return {name for name in node.inputs if self._last_use[name] == node.name}

    def run(self, x: Tensor, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return d0 [batch, 1, size, size] of x [batch, 3, size, size]."""
        values: dict[str, Tensor] = {self.input: x}
        for node in self.nodes[1:]:
            inputs = [values[name] for name in node.inputs]
            values[node.name] = self.evaluate(node, inputs, weights or self.weights, x.shape[2] / self.resolution)
            for name in self.last_used_by(node):
                del values[name]
        return values[self.output]
