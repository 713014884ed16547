"""Read an ONNX file's model and its stored tensors without trusting what they say about themselves."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.external_data_helper import uses_external_data

from workflow_scripts.checkpoint.file_kinds import shown
from workflow_scripts.shared.failures import Failure

Array = NDArray[Any]

STANDARD = ("", "ai.onnx")
# The oldest version that PyTorch's exporters write. Nothing here reads the older operators, which differ.
OLDEST_OPSET = 9
# A U²-Net that computes its sizes at run time has 1600 nodes.
MOST_NODES = 20_000
# For each type of tensor: the fields that may hold its values, and its bytes per value.
FIELDS = {
    TensorProto.FLOAT: ("float_data", 4),
    TensorProto.FLOAT16: ("int32_data", 2),
    TensorProto.DOUBLE: ("double_data", 8),
    TensorProto.INT64: ("int64_data", 8),
    TensorProto.INT32: ("int32_data", 4),
    TensorProto.BOOL: ("int32_data", 1),
}


def has_broken_text(message: Message) -> bool:
    """Return whether a text anywhere in a message is not UTF-8. Protobuf then gives bytes where a text should be."""
    for field, value in message.ListFields():
        if field.type not in (field.TYPE_STRING, field.TYPE_MESSAGE):
            continue
        for each in value if field.is_repeated else [value]:
            if has_broken_text(each) if field.type == field.TYPE_MESSAGE else isinstance(each, bytes):
                return True
    return False


def load_model(path: Path) -> ModelProto:
    """Parse a file as an ONNX model. Raises Failure if it is not one, or if nothing here can read it."""
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise Failure(f"{path} cannot be read as an ONNX file, it may be truncated ({shown(str(error))})") from error
    if has_broken_text(model):
        raise Failure(f"{path} holds a name that is not text in UTF-8: it is damaged; download or export it again")
    opsets = [opset.version for opset in model.opset_import if opset.domain in STANDARD]
    newest = onnx.defs.onnx_opset_version()
    if len(opsets) != 1 or not OLDEST_OPSET <= opsets[0] <= newest:
        said = ", ".join(map(str, opsets[:3])) or "none"
        raise Failure(
            f"{path} has the opset {said}; {OLDEST_OPSET} to {newest} are supported: export it with one of these"
        )
    if len(model.graph.node) > MOST_NODES:
        raise Failure(f"{path} has {len(model.graph.node)} nodes, which no U²-Net needs; simplify it with onnxsim")
    if model.graph.sparse_initializer:
        raise Failure(f"{path} keeps weights as sparse tensors; export the network with dense ones")
    if own := [function.name for function in model.functions if function.domain in STANDARD]:
        raise Failure(f"{path} says itself what {shown(own[0])} computes; export it with ONNX's own operators")
    if len({tensor.name for tensor in model.graph.initializer}) < len(model.graph.initializer):
        raise Failure(f"{path} holds two weights of one name; export it again")
    return model


def opset_of(model: ModelProto) -> int:
    """Return the version of the standard operators."""
    return int(next(opset.version for opset in model.opset_import if opset.domain in STANDARD))


def values_of(tensor: TensorProto, path: Path) -> Array:
    """Return a stored tensor's values. Raises Failure if their number does not fit its shape or their type is wrong."""
    name = shown(tensor.name or "a constant")
    if uses_external_data(tensor):
        raise Failure(f"{path} keeps {name} in another file; save it as a single ONNX file")
    if tensor.data_type not in FIELDS:
        known = TensorProto.DataType.values()
        kind = TensorProto.DataType.Name(tensor.data_type) if tensor.data_type in known else str(tensor.data_type)
        raise Failure(f"{path}: {name} holds {kind.lower()} values; export the network in float32 or float16")
    field, item_bytes = FIELDS[tensor.data_type]
    held = len(tensor.raw_data) / item_bytes if tensor.HasField("raw_data") else len(getattr(tensor, field))
    if any(side < 0 for side in tensor.dims) or held != math.prod(tensor.dims):
        raise Failure(f"{path}: {name} holds {held:g} values, its shape is {list(tensor.dims)[:8]}")
    try:
        return np.array(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, OverflowError) as error:
        raise Failure(f"{path}: {name} cannot be read ({shown(str(error))})") from error
