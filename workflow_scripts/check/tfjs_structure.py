"""What a TensorFlow.js graph model consists of: operations, multiply-adds, and what should have been rewritten."""

import base64
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workflow_scripts.formats.tfjs_model import read_weights
from workflow_scripts.shared.failures import Failure

# The detours of openvino2tensorflow, and a bias that should have been fused into its convolution.
DETOURS = ("BatchToSpaceND", "BiasAdd", "MirrorPad", "Pad", "PadV2", "SpaceToBatchND")

Node = dict[str, Any]


@dataclass(frozen=True)
class Structure:
    """The number of nodes by operation, the convolutions' multiply-adds for one input, and one line per problem."""

    operations: dict[str, int]
    multiply_adds: int
    problems: list[str]


class Topology:
    """The nodes of a model.json by name, and the shapes and values of its weights."""

    def __init__(self, folder: Path) -> None:
        model = json.loads((folder / "model.json").read_text())
        self.nodes: dict[str, Node] = {node["name"]: node for node in model["modelTopology"]["node"]}
        self.weights = {specification["name"]: (specification, data) for specification, data in read_weights(folder)}

    def size(self, name: str) -> tuple[int, int]:
        """Return a tensor's height and width. Every convolution keeps them (stride 1, SAME)."""
        node = self.nodes[name]
        match node["op"]:
            case "Placeholder":
                _, height, width, _ = (int(dimension["size"]) for dimension in node["attr"]["shape"]["shape"]["dim"])
                return height, width
            case "ResizeBilinear":
                height, width = np.frombuffer(self.weights[node["input"][1]][1], "<i4").tolist()
                return height, width
            case "MaxPool":
                height, width = self.size(node["input"][0])
                return height // 2, width // 2
        return self.size(node["input"][0])

    def multiply_adds(self, node: Node) -> int:
        """Return the number of multiply-adds of one convolution, without its bias."""
        if base64.b64decode(node["attr"]["padding"]["s"]) != b"SAME":
            raise Failure(f"{node['name']} ({node['op']}) has another padding than SAME")
        height, width = self.size(node["input"][0])
        return height * width * math.prod(self.weights[node["input"][1]][0]["shape"])


def read_structure(folder: Path) -> Structure:
    """Describe a graph model. Raises Failure if its shards and its manifest disagree."""
    topology = Topology(folder)
    nodes = topology.nodes.values()
    operations = Counter(node["op"] for node in nodes)
    problems = [f"{operations[op]} {op} are left" for op in DETOURS if operations[op]]
    convolutions = [node for node in nodes if node["op"] in ("Conv2D", "_FusedConv2D")]
    # The second half of a split convolution has no bias: the first half has it. The ReLU comes after their sum.
    halves = {
        name
        for node in nodes
        if node["op"] == "AddV2"
        and {topology.nodes[name]["op"] for name in node["input"]} == {"Conv2D", "_FusedConv2D"}
        for name in node["input"]
    }
    plain = [node["name"] for node in convolutions if node["op"] == "Conv2D" and node["name"] not in halves]
    if plain:
        problems.append(f"{len(plain)} convolutions are not fused with a bias, {plain[0]} first")
    names = {node["name"] for node in convolutions}
    if late := [node["input"][0] for node in nodes if node["op"] == "Relu" and node["input"][0] in names]:
        problems.append(f"{len(late)} convolutions are not fused with their ReLU, {late[0]} first")
    # A convolution after a Pad does not have its input's size. The problem above already says what to mend.
    total = 0 if problems else sum(map(topology.multiply_adds, convolutions))
    return Structure(dict(sorted(operations.items())), total, problems)
