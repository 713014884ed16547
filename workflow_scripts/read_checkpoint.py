"""Read a checkpoint of any U²-Net into safetensors, without running anything it holds."""

import argparse
import pickle
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from commands import Failure, run
from files import replacing, write_json
from read_folded_onnx import read_folded_onnx
from safetensors.torch import save
from torch import Tensor
from u2net import U2Net, describe, infer_stages, misfitting


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
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"(?:GLOBAL|global|class|function) [`']?([\w.]+)", str(error))
        what = f" ({found.group(1)})" if found else ""
        raise Failure(
            f"{path} is not a plain state dict: it is damaged or holds more than tensors{what}, "
            "and nothing in it was run; save the model's state_dict() with torch.save"
        ) from error
    except Exception as error:
        # Damaged bytes raise nearly anything in PyTorch's reader: AssertionError, struct.error, TypeError, ….
        raise Failure(
            f"{path} cannot be read as a PyTorch checkpoint, it may be truncated "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        ) from error


def state_dict_of(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict in an unpickled checkpoint: bare or under "state_dict"; "module." prefixes dropped."""
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())
    ):
        raise Failure(f"{path} holds no state dict of named tensors; save the model's state_dict()")
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}


def named(keys: Sequence[str]) -> str:
    """List the first few keys."""
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def check_topology(tensors: Mapping[str, Tensor], path: Path) -> U2Net:
    """Return the (meta-device) U²-Net whose state dict has just these names and shapes, else raise Failure."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    try:
        stages = infer_stages(shapes)
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
        weights[name] = tensors[name].detach().to(torch.float32).contiguous()
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
