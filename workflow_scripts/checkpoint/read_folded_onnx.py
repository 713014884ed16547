"""Recover a U²-Net's state dict from an ONNX file whose batch norms were folded into the convolutions."""

import math
from pathlib import Path

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto, numpy_helper
from torch import Tensor

from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import FAMILIES, HEIGHTS, ConvBNReLU, U2Net, Widths, misfitting

# A batch norm with these statistics is the identity, whatever its epsilon is named here.
BATCH_NORM_EPSILON = 1e-5

# Positions of each stage's first two convolutions tell its widths; RSU-4F counts as four levels.
CONVOLUTIONS_PER_STAGE = {stage: 2 * (height or 4) for stage, height in HEIGHTS.items()}
CONVOLUTIONS = sum(CONVOLUTIONS_PER_STAGE.values()) + 7

# The fields that a tensor of each type may keep its values in.
FIELDS = {
    TensorProto.FLOAT: ("raw_data", "float_data"),
    TensorProto.FLOAT16: ("raw_data", "int32_data"),
    TensorProto.DOUBLE: ("raw_data", "double_data"),
}
STANDARD = ("", "ai.onnx")
ITEM_BYTES = {TensorProto.FLOAT: 4, TensorProto.FLOAT16: 2, TensorProto.DOUBLE: 8}


def execution_order() -> dict[str, int]:
    """Return the dilation of each convolution by its name, in the order in which a forward pass runs them."""
    # Whatever the widths, which a file may exaggerate, the order is that of the smallest known network.
    network = U2Net(FAMILIES["u2netp"]).eval()
    order: dict[str, int] = {}
    for name, module in network.named_modules():
        if isinstance(module, (ConvBNReLU, torch.nn.Conv2d)) and not name.endswith("conv_s1"):
            convolution = module.conv_s1 if isinstance(module, ConvBNReLU) else module
            dilation = int(convolution.dilation[0])
            module.register_forward_hook(lambda *_, name=name, dilation=dilation: order.update({name: dilation}))
    with torch.inference_mode():
        network(torch.zeros(1, 3, 32, 32))
    return order


def stages_of(kernels: list[Tensor]) -> dict[str, Widths]:
    """Read the stages' widths off the convolution kernels, given in execution order."""
    stages: dict[str, Widths] = {}
    position = 0
    for stage, count in CONVOLUTIONS_PER_STAGE.items():
        last, first = kernels[position].shape[:2]
        stages[stage] = (first, kernels[position + 1].shape[0], last)
        position += count
    return stages


def values_of(tensor: TensorProto, path: Path) -> Tensor:
    """Return an initializer's values; raise Failure where they are no floats or not as many as its shape says."""
    if tensor.data_type not in FIELDS:
        raise Failure(f"{path}: {tensor.name[:100]!r} holds no floating-point weights")
    raw, typed = (getattr(tensor, field) for field in FIELDS[tensor.data_type])
    held = len(raw) / ITEM_BYTES[tensor.data_type] if raw else len(typed)
    if any(side < 0 for side in tensor.dims) or held != math.prod(tensor.dims):
        raise Failure(f"{path}: {tensor.name[:100]!r} holds {held:g} values, its shape is {list(tensor.dims)[:8]}")
    try:
        return torch.from_numpy(numpy_helper.to_array(tensor).copy())
    except (ValueError, TypeError, OverflowError) as error:
        raise Failure(f"{path}: {tensor.name[:100]!r} cannot be read ({error})") from error


def convolutions(model: ModelProto, path: Path) -> list[tuple[Tensor, Tensor, int]]:
    """Return each Conv node's kernel, bias and dilation in the file's order; Failure where they are not inside."""
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    if len(initializers) < len(model.graph.initializer):
        raise Failure(f"{path} holds two weights of one name; export it again")
    found: list[tuple[Tensor, Tensor, int]] = []
    left = path.stat().st_size
    for node in model.graph.node:
        if node.op_type != "Conv" or node.domain not in STANDARD:
            continue
        if len(node.input) != 3 or not all(name in initializers for name in node.input[1:]):
            raise Failure(f"{path}: convolution {node.name[:100]!r} has no constant kernel and bias")
        left -= sum(initializers[name].ByteSize() for name in node.input[1:])
        if left < 0:
            raise Failure(f"{path} uses the same weights again and again, which no U²-Net does")
        kernel, bias = (values_of(initializers[name], path) for name in node.input[1:])
        if kernel.dim() != 4 or tuple(bias.shape) != tuple(kernel.shape[:1]):
            raise Failure(f"{path}: convolution {node.name[:100]!r} has no 4-D kernel with a bias a channel")
        dilations = next((list(a.ints) for a in node.attribute if a.name == "dilations"), []) or [1]
        found.append((kernel, bias, dilations[0]))
    return found


def read_folded_onnx(path: Path) -> dict[str, Tensor]:
    """Return the state dict of the network in an ONNX file with folded batch norms.

    Each kernel and bias is copied, in execution order, into a network whose batch norms are the identity
    (weight 1, bias 0, mean 0, variance 1 - epsilon): the same function, up to float rounding.
    Raises Failure for a file that is no ONNX model, refers to data outside itself, or is another network.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise Failure(f"{path} is not an ONNX file: {error}") from error
    if any(onnx.external_data_helper.uses_external_data(t) for t in model.graph.initializer):
        raise Failure(f"{path} keeps weights in other files; save it as a single ONNX file")
    if any(node.op_type == "BatchNormalization" for node in model.graph.node):
        raise Failure(
            f"{path} has batch norms that are not folded; export it in evaluation mode, or pass the .pth file"
        )
    found = convolutions(model, path)
    if len(found) != CONVOLUTIONS:
        raise Failure(f"{path} is no U²-Net with folded batch norms: {len(found)} convolutions, not {CONVOLUTIONS}")
    opsets = [opset.version for opset in model.opset_import if opset.domain in STANDARD]
    newest = onnx.defs.onnx_opset_version()
    if len(opsets) != 1 or not 1 <= opsets[0] <= newest:
        said = ", ".join(map(str, opsets[:3])) or "none"
        raise Failure(f"{path} names the opset {said}, known are 1 to {newest}; export it with one of these")
    state: dict[str, Tensor] = {}
    stages = stages_of([kernel for kernel, _, _ in found])
    if misfits := misfitting(stages):
        raise Failure(f"{path} is no U²-Net: {misfits[0]}")
    for (name, expected), (kernel, bias, dilation) in zip(execution_order().items(), found, strict=True):
        if dilation != expected:
            raise Failure(f"{path} is no U²-Net: {name} is dilated by {dilation} instead of {expected}")
        if not name.rpartition(".")[2].startswith("rebnconv"):
            state[f"{name}.weight"], state[f"{name}.bias"] = kernel, bias
            continue
        state[f"{name}.conv_s1.weight"], state[f"{name}.conv_s1.bias"] = kernel, bias
        channels = bias.shape[0]
        state[f"{name}.bn_s1.weight"] = torch.ones(channels)
        state[f"{name}.bn_s1.bias"] = torch.zeros(channels)
        state[f"{name}.bn_s1.running_mean"] = torch.zeros(channels)
        state[f"{name}.bn_s1.running_var"] = torch.full((channels,), 1 - BATCH_NORM_EPSILON)
    return state
