"""A TensorFlow.js graph model with each kind of operation that a U²-Net has, and the same function in PyTorch."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

SIZE = 32
RANDOM = np.random.default_rng(11)


def kernel(window: int, channels_in: int, channels_out: int) -> NDArray[np.float32]:
    """He-initialised kernel [height, width, in, out]. The ranges of its output channels differ by up to 30 times."""
    values = RANDOM.normal(0, (2 / (window**2 * channels_in)) ** 0.5, (window, window, channels_in, channels_out))
    return (values * np.geomspace(1, 30, channels_out) ** RANDOM.choice([-1, 1])).astype(np.float32)


def bias(channels: int) -> NDArray[np.float32]:
    return RANDOM.normal(0, 0.1, channels).astype(np.float32)


WEIGHTS: dict[str, NDArray[np.float32]] = {
    "kernel1": kernel(3, 3, 8),
    "bias1": bias(8),
    "kernel2": kernel(3, 8, 6),
    "bias2": bias(6),
    "kernel3": kernel(3, 14, 8),
    "bias3": bias(8),
    "kernel4": kernel(1, 8, 1) / 30,
    "bias4": bias(1),
}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def numbers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def convolution(name: str, x: str, index: int, dilation: int, relu: bool) -> dict[str, Any]:
    fused = ["BiasAdd", "Relu"] if relu else ["BiasAdd"]
    attributes = {
        "strides": numbers(1, 1, 1, 1),
        "dilations": numbers(1, dilation, dilation, 1),
        "padding": {"s": encoded("SAME")},
        "fused_ops": {"list": {"s": [encoded(each) for each in fused]}},
    }
    return {"name": name, "op": "_FusedConv2D", "input": [x, f"kernel{index}", f"bias{index}"], "attr": attributes}


def topology() -> list[dict[str, Any]]:
    """The nodes in an arbitrary order, as the converter writes them."""
    shape = [{"size": str(side)} for side in (1, SIZE, SIZE, 3)]
    constants = [{"name": name, "op": "Const"} for name in [*WEIGHTS, "axis", "size"]]
    return [
        {"name": "d0", "op": "Sigmoid", "input": ["side"]},
        convolution("side", "sum", 4, 1, relu=False),
        {"name": "sum", "op": "AddV2", "input": ["third", "first"]},
        convolution("third", "joined", 3, 1, relu=True),
        {"name": "joined", "op": "ConcatV2", "input": ["up", "first", "axis"]},
        {"name": "up", "op": "ResizeBilinear", "input": ["second", "size"]},
        convolution("second", "pooled", 2, 2, relu=True),
        {"name": "pooled", "op": "MaxPool", "input": ["first"]},
        convolution("first", "x", 1, 1, relu=True),
        *constants,
        {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": shape}}}},
    ]


def write_model(folder: Path, nodes: list[dict[str, Any]] | None = None) -> Path:
    """Write the model in float32. Return its folder."""
    from workflow_scripts.formats.tfjs_model import write_weights

    stored: dict[str, NDArray[Any]] = {
        **WEIGHTS,
        "axis": np.array(3, np.int32),
        "size": np.array([SIZE, SIZE], np.int32),
    }
    weights = [
        ({"name": name, "shape": list(values.shape), "dtype": values.dtype.name}, values.tobytes())
        for name, values in stored.items()
    ]
    write_weights(folder, {"modelTopology": {"node": nodes or topology(), "versions": {}}}, weights)
    return folder


def reference(x: Tensor, weights: dict[str, NDArray[np.float32]] = WEIGHTS) -> Tensor:
    """The same function in PyTorch, written independently."""
    kernels = [torch.tensor(weights[f"kernel{index}"].transpose(3, 2, 0, 1)) for index in range(1, 5)]
    biases = [torch.tensor(weights[f"bias{index}"]) for index in range(1, 5)]
    first = F.relu(F.conv2d(x, kernels[0], biases[0], padding=1))
    second = F.relu(F.conv2d(F.max_pool2d(first, 2), kernels[1], biases[1], padding=2, dilation=2))
    up = F.interpolate(second, scale_factor=2, mode="bilinear", align_corners=False)
    third = F.relu(F.conv2d(torch.cat([up, first], 1), kernels[2], biases[2], padding=1))
    return torch.sigmoid(F.conv2d(third + first, kernels[3], biases[3]))
