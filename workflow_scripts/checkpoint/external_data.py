"""Put the weights that an ONNX file keeps in other files into the file itself."""

import hashlib
import os
import stat
from pathlib import Path

from onnx import ModelProto, TensorProto
from onnx.external_data_helper import uses_external_data

from workflow_scripts.checkpoint.file_kinds import kind_of, shown
from workflow_scripts.checkpoint.onnx_tensors import load_model
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import sha256

# One protobuf message holds 2 GB; a U²-Net has 0.2 GB.
MOST_BYTES = 2_000_000_000


def read_beside(path: Path, name: str) -> bytes:
    """Return the content of a regular file in the folder of `path`. Raises Failure for other places and for links."""
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise Failure(f"{path} keeps weights in {shown(name)}, outside its own folder; save it as a single ONNX file")
    beside = path.with_name(name)
    try:
        descriptor = os.open(beside, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Failure(
            f"{path} keeps weights in {shown(name)}, which cannot be read ({error.strerror}); put that file itself, "
            "not a link, beside it"
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Failure(f"{path} keeps weights in {shown(name)}, which is no file; save it as a single ONNX file")
        if status.st_size > MOST_BYTES:
            raise Failure(f"{path} keeps {status.st_size} bytes in {shown(name)}; at most {MOST_BYTES} are read")
        return file.read(MOST_BYTES)


def number(path: Path, fields: dict[str, str], key: str, default: int) -> int:
    """Return one of the numbers that say where a tensor is stored."""
    text = fields.get(key, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Failure(f"{path} gives the {key} {shown(text)} for weights in another file; export it again")
    return int(text)


def take_in(tensor: TensorProto, path: Path, files: dict[str, bytes], left: int) -> int:
    """Put one tensor's bytes into the model and return how many they are. Raises Failure if the file lacks them."""
    fields = {entry.key: entry.value for entry in tensor.external_data}
    name = fields.get("location", "").removeprefix("./")
    if name not in files:
        files[name] = read_beside(path, name)
    start = number(path, fields, "offset", 0)
    length = number(path, fields, "length", max(0, len(files[name]) - start))
    if start + length > len(files[name]):
        raise Failure(f"{path}: {shown(name)} ends before {shown(tensor.name)}; it may be truncated, copy it again")
    if length > left:
        raise Failure(f"{path} keeps more than {MOST_BYTES} bytes of weights in other files; no U²-Net has as many")
    tensor.raw_data = files[name][start : start + length]
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")
    return length


def single_file(path: Path) -> bytes | None:
    """Return an ONNX file's content together with the weights that it keeps in other files of its folder.

    Return None if all weights are in the file itself. Raises Failure if the other files are in another folder, are
    links, or do not exist.
    """
    model: ModelProto = load_model(path)
    constants = [each.t for node in model.graph.node for each in node.attribute if each.HasField("t")]
    outside = [tensor for tensor in [*model.graph.initializer, *constants] if uses_external_data(tensor)]
    if not outside:
        return None
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for tensor in outside:
        left -= take_in(tensor, path, files, left)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def whole_content(path: Path) -> bytes | None:
    """Return a checkpoint's content if it is not just the file's: an ONNX file with its weights in other files."""
    return single_file(path) if kind_of(path) == "onnx" else None


def digest_of(path: Path) -> str:
    """Return the SHA-256 that results/{model}/checkpoint/original has if it is made of this file."""
    content = whole_content(path)
    return sha256(path) if content is None else hashlib.sha256(content).hexdigest()
