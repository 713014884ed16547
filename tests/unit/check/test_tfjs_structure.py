import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workflow_scripts.check.tfjs_structure import read_structure
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("tensorflow")


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def convolution(name: str, source: str, kernel: str, op: str = "_FusedConv2D", padding: str = "SAME") -> dict[str, Any]:
    return {"name": name, "op": op, "input": [source, kernel], "attr": {"padding": {"s": text(padding)}}}


def node(name: str, op: str, *inputs: str) -> dict[str, Any]:
    return {"name": name, "op": op, "input": list(inputs)}


def write_model(folder: Path, nodes: list[dict[str, Any]]) -> Path:
    """A graph model of an 8×6 input of 3 channels, with a kernel to 5 channels, one from 5 to 2, and a size."""
    dimensions = [{"size": size} for size in ("1", "8", "6", "3")]
    x = {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": dimensions}}}}
    weights = {
        "k1": np.ones((3, 3, 3, 5), np.float32),
        "k2": np.ones((1, 1, 5, 2), np.float32),
        "size": np.array([8, 6], np.int32),
    }
    specifications = [{"name": k, "shape": list(v.shape), "dtype": v.dtype.name} for k, v in weights.items()]
    (folder / "shard.bin").write_bytes(b"".join(value.tobytes() for value in weights.values()))
    constants = [node(name, "Const") for name in weights]
    model = {
        "modelTopology": {"node": [x, *constants, *nodes]},
        "weightsManifest": [{"paths": ["shard.bin"], "weights": specifications}],
    }
    (folder / "model.json").write_text(json.dumps(model))
    return folder


def test_multiply_adds_follow_pooling_and_upsampling(tmp_path: Path) -> None:
    nodes = [
        node("pooled", "MaxPool", "x"),
        convolution("c1", "pooled", "k1"),
        node("large", "ResizeBilinear", "c1", "size"),
        convolution("c2", "large", "k2"),
    ]
    structure = read_structure(write_model(tmp_path, nodes))
    assert structure.problems == []
    assert structure.multiply_adds == (4 * 3) * (3 * 3 * 3 * 5) + (8 * 6) * (5 * 2)
    assert structure.operations == {"Const": 3, "MaxPool": 1, "Placeholder": 1, "ResizeBilinear": 1, "_FusedConv2D": 2}


def test_the_half_of_a_split_convolution_needs_no_bias(tmp_path: Path) -> None:
    halves = [convolution("c1", "x", "k1"), convolution("c2", "x", "k1", "Conv2D")]
    nodes = [*halves, node("sum", "AddV2", "c1", "c2"), node("active", "Relu", "sum")]
    assert read_structure(write_model(tmp_path, nodes)).problems == []


@pytest.mark.parametrize(
    ("nodes", "problem"),
    [
        ([node("p", "Pad", "x")], "1 Pad are left"),
        ([node("s", "SpaceToBatchND", "x")], "1 SpaceToBatchND are left"),
        ([node("b", "BatchToSpaceND", "x")], "1 BatchToSpaceND are left"),
        ([convolution("c", "x", "k1"), node("b", "BiasAdd", "c")], "1 BiasAdd are left"),
        ([convolution("c", "x", "k1", "Conv2D")], "1 convolutions are not fused with a bias, c first"),
        (
            [
                convolution("c1", "x", "k1", "Conv2D"),
                convolution("c2", "x", "k1", "Conv2D"),
                node("sum", "AddV2", "c1", "c2"),
            ],
            "2 convolutions are not fused with a bias, c1 first",
        ),
        (
            [convolution("c", "x", "k1"), node("r", "Relu", "c")],
            "1 convolutions are not fused with their ReLU, c first",
        ),
    ],
)
def test_what_should_have_been_rewritten_is_named(tmp_path: Path, nodes: list[dict[str, Any]], problem: str) -> None:
    assert read_structure(write_model(tmp_path, nodes)).problems == [problem]


def test_other_padding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"^c \(_FusedConv2D\) has another padding than SAME$"):
        read_structure(write_model(tmp_path, [convolution("c", "x", "k1", padding="VALID")]))
