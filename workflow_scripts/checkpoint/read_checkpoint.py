"""Read a checkpoint of any U²-Net into safetensors, without running anything it holds."""

import argparse
import io
import math
import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import torch
from safetensors.torch import save
from torch import Tensor

from workflow_scripts.checkpoint.read_folded_onnx import read_folded_onnx
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing, write_json
from workflow_scripts.shared.u2net import U2Net, describe, infer_stages, misfitting

# What the pickle of a state dict names. PyTorch's restricted unpickler runs nothing either, but admits functions that
# make gigabytes of a few bytes.
ADMITTED = re.compile(
    r"collections OrderedDict|torch Size|torch\._utils _rebuild_(tensor_v2|parameter)"
    r"|torch (?!Typed|Untyped)\w+Storage|torch\.storage UntypedStorage"
)
PLAIN = {"GLOBAL", "BINUNICODE", "SHORT_BINSTRING", "BINPERSID"}
# A U²-Net's state dict takes some 30,000 opcodes and refers to no container twice; an optimizer's state triples that.
OPCODES = 1_000_000
SHARED = 8


def shown(text: str) -> str:
    """Return words from a file as they fit into one line: escaped where they do not print, cut where they are long."""
    return text if text.isprintable() and len(text) <= 200 else repr(text[:200])


def check_pickle(file: IO[bytes], path: Path) -> None:
    """Read one pickle's opcodes, running none; raise Failure where it holds more than a state dict does.

    Each reference to a container can double the time that hashing or printing what it stands in takes, so those are
    counted. Raises ValueError where the pickle is cut short or has opcodes that no pickle has.
    """
    containers: set[int] = set()
    shared = 0
    container = False
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if name == "GLOBAL" and not ADMITTED.fullmatch(str(argument)):
            found = shown(str(argument).replace(" ", "."))
            raise Failure(
                f"{path} is not a plain state dict: it is damaged or holds more than tensors ({found}), "
                "and nothing in it was run; save the model's state_dict() with torch.save"
            )
        if name in ("BINPUT", "LONG_BINPUT") and argument is not None:
            (containers.add if container else containers.discard)(argument)
            continue
        container = argument in containers if name in ("BINGET", "LONG_BINGET") else name not in PLAIN
        shared += name in ("BINGET", "LONG_BINGET") and container
        if count > OPCODES or shared > SHARED:
            raise Failure(f"{path} holds more than a network's weights; save the model's state_dict() with torch.save")


def repacked(path: Path) -> IO[bytes]:
    """Return a .pth file's zip members in an archive of our own making, in memory, for PyTorch's reader.

    Another reader may find another directory in the same file; so PyTorch's is given what was checked, and that alone.
    No member's name becomes a path. Raises Failure where members would unpack to more than the file holds, BadZipFile
    where a checksum does not hold.
    """
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as target:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise Failure(f"{path} has compressed members, as torch.save writes none; save it anew with torch.save")
        if sum(member.file_size for member in members) > path.stat().st_size:
            raise Failure(f"{path} says that it holds more bytes than it has; download it again")
        # PyTorch's reader makes no difference between upper and lower case.
        names = [member.filename.lower() for member in members]
        if len(set(names)) < len(names):
            raise Failure(f"{path} holds two members of one name; save it anew with torch.save")
        for member, name in zip(members, names, strict=True):
            content = archive.read(member)
            if name.endswith("data.pkl"):
                check_pickle(io.BytesIO(content), path)
            target.writestr(member.filename, content)
    copy.seek(0)
    return copy


def checked(path: Path) -> IO[bytes]:
    """Open a .pth file for PyTorch's reader, its pickles checked: one in a zip file, five in the older form."""
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\3\4"
        if zipped:
            return repacked(path)
        file.seek(0)
        # A magic number, the protocol's version, the machine's sizes, the content, the names of the storages after it.
        for _ in range(5):
            check_pickle(file, path)
    return path.open("rb")


def unpickle(path: Path) -> Any:
    """Load a .pth file with PyTorch's restricted unpickler; raise Failure for whatever it does not admit."""
    with path.open("rb") as file:
        head = file.read(256).lstrip().lower()
    if head.startswith(b"<"):
        raise Failure(f"{path} is a web page, not a checkpoint; download the file itself")
    try:
        with warnings.catch_warnings():
            # About the pickle's protocol; what follows from it is said below.
            warnings.simplefilter("ignore")
            with checked(path) as file:
                return torch.load(file, map_location="cpu", weights_only=True)
    except Failure:
        raise
    except pickle.UnpicklingError as error:
        raise Failure(
            f"{path} is not a plain state dict: it is damaged or holds more than tensors, "
            "and nothing in it was run; save the model's state_dict() with torch.save"
        ) from error
    except Exception as error:
        # Damaged bytes raise nearly anything in PyTorch's reader: AssertionError, struct.error, TypeError, ….
        said = str(error).splitlines()
        raise Failure(
            f"{path} cannot be read as a PyTorch checkpoint, it may be truncated "
            f"({shown(said[0]) if said else type(error).__name__})"
        ) from error


def state_dict_of(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict in an unpickled checkpoint: bare or under "state_dict"; "module." prefixes dropped.

    Raises Failure for tensors that take more bytes than the file has: views of a few bytes that look like many.
    """
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())
    ):
        raise Failure(f"{path} holds no state dict of named tensors; save the model's state_dict()")
    tensors = {name.removeprefix("module."): tensor for name, tensor in content.items()}
    if len(tensors) < len(content):
        raise Failure(f"{path} holds weights both with and without the prefix module.; save one network's state_dict()")
    declared = sum(math.prod(tensor.shape) * tensor.element_size() for tensor in tensors.values())
    if declared > path.stat().st_size:
        raise Failure(f"{path} describes tensors of {declared} bytes, more than it has; save the model's state_dict()")
    return tensors


def named(keys: Sequence[str]) -> str:
    """List the first few keys."""
    return ", ".join(map(shown, keys[:3])) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def check_topology(tensors: Mapping[str, Tensor], path: Path) -> U2Net:
    """Return the (meta-device) U²-Net whose state dict has just these names and shapes, else raise Failure."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    try:
        stages = infer_stages(shapes)
        if not all(width for widths in stages.values() for width in widths):
            raise ValueError("a stage of no channels")
        with torch.device("meta"):
            network = U2Net(stages)
    except (KeyError, ValueError, RuntimeError) as error:
        raise Failure(
            f"{path} is no U²-Net: {error} is missing or no convolution; its first keys are {named(sorted(shapes))}"
        ) from error
    if misfits := misfitting(stages):
        raise Failure(f"{path} is no U²-Net: {named(misfits)}")
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    # Written by PyTorch since 0.4.1 and read by training alone.
    optional = {name for name in expected if name.endswith("num_batches_tracked")}
    missing = [name for name in expected if name not in shapes and name not in optional]
    unknown = [name for name in shapes if name not in expected]
    differing = [
        f"{name} {list(shapes[name])} instead of {list(shape)}"
        for name, shape in expected.items()
        if name in shapes and shapes[name] != shape
    ]
    for problem, keys in (("lacks", missing), ("has unknown", unknown), ("has mis-shaped", differing)):
        if keys:
            raise Failure(f"{path} is no U²-Net: it {problem} {named(keys)}")
    return network


def checked_tensors(tensors: Mapping[str, Tensor], network: U2Net, path: Path) -> dict[str, Tensor]:
    """Return float32 weights in the network's own order; raise Failure for NaN, infinity or integer weights."""
    weights: dict[str, Tensor] = {}
    for name in network.state_dict():
        if name.endswith("num_batches_tracked"):
            continue
        if not tensors[name].is_floating_point():
            raise Failure(f"{path}: {name} holds {tensors[name].dtype}, not floating-point weights")
        # A copy of its own: safetensors refuses tensors that share memory, and a view may be of less than it shows.
        weights[name] = tensors[name].detach().to(torch.float32, copy=True, memory_format=torch.contiguous_format)
        if not torch.isfinite(weights[name]).all():
            raise Failure(f"{path}: {name} holds NaN or infinite values")
    return weights


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--format", choices=("pth", "onnx"), required=True)
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to write")
    parser.add_argument("--architecture", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args(argv)
    path: Path = arguments.checkpoint
    if not path.is_file():
        raise Failure(f"no checkpoint at {path}")
    onnx = arguments.format == "onnx"
    tensors = read_folded_onnx(path) if onnx else state_dict_of(unpickle(path), path)
    network = check_topology(tensors, path)
    weights = checked_tensors(tensors, network, path)
    architecture = describe(infer_stages({name: tuple(t.shape) for name, t in weights.items()}))
    with replacing(arguments.weights) as staging:
        # Not save_file: it writes to a hidden file first, under another name each time, which a killed process leaves.
        staging.write_bytes(save(weights))
    write_json(arguments.architecture, architecture.to_json())


if __name__ == "__main__":
    run(main)
