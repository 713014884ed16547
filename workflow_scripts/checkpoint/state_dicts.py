"""Find the one U²-Net in what a checkpoint holds, and check that it is one."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workflow_scripts.checkpoint.file_kinds import shown
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import HEIGHTS, U2Net, infer_stages, misfitting

# Every U²-Net has this key. A wrapped network has it behind a prefix.
FIRST_KEY = "stage1.rebnconvin.conv_s1.weight"
# How deep dicts are searched, and how many of them. A checkpoint of any framework needs only a few.
DEEPEST = 4
MOST_DICTS = 10_000
# How the names of the parts of a kernel end that torch.nn.utils divided.
REPARAMETRIZED = (".weight_g", ".weight_v", ".weight_orig", ".weight_mask")
# What training stores beside the weights without a prefix: torch.optim.swa_utils counts the averaged models.
COUNTERS = {"n_averaged"}


@dataclass(frozen=True)
class Candidate:
    """Tensors that may be a U²-Net, the key where they were found, and what else is beside them."""

    key: str
    tensors: dict[str, Tensor]
    beside: list[str]


def named(keys: Sequence[str]) -> str:
    """List the first few keys."""
    return ", ".join(map(shown, keys[:3])) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def dicts_in(content: Any, path: Path) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield every dict in a checkpoint, also in lists, with the dotted keys and places that lead to it.

    The outermost comes first.
    """
    waiting: list[tuple[str, Any, int]] = [("", content, 0)] if isinstance(content, Mapping | list | tuple) else []
    seen = 0
    while waiting:
        key, value, depth = waiting.pop(0)
        seen += 1
        if seen > MOST_DICTS:
            raise Failure(f"{path} holds more than {MOST_DICTS} dicts; save the weights alone")
        if isinstance(value, Mapping):
            yield key, value
        if depth < DEEPEST:
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            inner = [(f"{key}.{name}" if key else str(name), each, depth + 1) for name, each in items]
            waiting += [each for each in inner if isinstance(each[1], Mapping | list | tuple)]


def candidates_in(content: Any, path: Path) -> list[Candidate]:
    """Return each U²-Net that a checkpoint may hold: the tensors of one dict that have one prefix."""
    found = []
    for key, mapping in dicts_in(content, path):
        tensors = {
            name: value for name, value in mapping.items() if isinstance(name, str) and isinstance(value, Tensor)
        }
        for name in tensors:
            if name != FIRST_KEY and not name.endswith(f".{FIRST_KEY}"):
                continue
            prefix = name.removesuffix(FIRST_KEY)
            own = {each.removeprefix(prefix): value for each, value in tensors.items() if each.startswith(prefix)}
            beside = [each for each in tensors if not each.startswith(prefix) and each not in COUNTERS]
            where = ".".join(part for part in (key, prefix.removesuffix(".")) if part)
            found.append(Candidate(where, own, beside))
    return found


def find_network(content: Any, path: Path, wanted: str | None) -> Candidate:
    """Return the one U²-Net in a checkpoint, or the one under the key `wanted`.

    Raises Failure if the checkpoint has no U²-Net, has several and `wanted` chooses none of them, or has other weights
    beside it. Also raises Failure if the tensors take more bytes than the file has: they may be large views of a few
    bytes.
    """
    found = candidates_in(content, path)
    keys = [candidate.key for candidate in found]
    if wanted is not None:
        chosen = [candidate for candidate in found if candidate.key == wanted]
        if not chosen:
            raise Failure(
                f"{path} has no U²-Net under checkpoint_key={shown(wanted)}; "
                + (f"it has one under {named([key or 'no key' for key in keys])}" if keys else "it has none at all")
            )
        candidate = chosen[0]
    elif len(found) > 1:
        raise Failure(
            f"{path} holds {len(found)} networks, under {named([key or 'no key' for key in keys])}; choose one with "
            f"--config checkpoint_key={shown(max(keys))}"
        )
    elif not found:
        raise nothing_found(content, path)
    else:
        candidate = found[0]
        if candidate.beside:
            raise Failure(
                f"{path} holds other weights beside the network under {shown(candidate.key)}: "
                f"{named(candidate.beside)}; if they are no part of it, pass "
                f"--config checkpoint_key={shown(candidate.key)}"
            )
    declared = sum(math.prod(tensor.shape) * tensor.element_size() for tensor in candidate.tensors.values())
    if declared > path.stat().st_size:
        raise Failure(f"{path} describes tensors of {declared} bytes, more than it has; save the weights alone, cloned")
    return candidate


def nothing_found(content: Any, path: Path) -> Failure:
    """Say what a checkpoint holds instead of a U²-Net."""
    holders = [mapping for _, mapping in dicts_in(content, path)]
    tensors = {str(name): value for each in holders for name, value in each.items() if isinstance(value, Tensor)}
    if not tensors:
        return Failure(f"{path} holds no state dict of named tensors; save the model's state_dict()")
    stages = sorted({match[1] for name in tensors if (match := re.search(r"(?:^|\.)(stage\d+d?)\.", name))})
    check_whole(tensors, path)
    if len(stages) > 2:
        return Failure(f"{path} is no U²-Net: it lacks {FIRST_KEY}, and has {named(stages)}")
    return Failure(f"{path} is no U²-Net: its first keys are {named(sorted(tensors))}")


def check_whole(names: Iterable[str], path: Path) -> None:
    """Raise Failure if a checkpoint holds kernels in parts, which only the program that divided them can join."""
    if any(name.endswith(REPARAMETRIZED) or ".parametrizations." in name for name in names):
        raise Failure(
            f"{path} holds kernels in parts, as weight_norm, spectral_norm and pruning leave them; join them with "
            "remove_parametrizations, remove_weight_norm or prune.remove of torch.nn.utils, and save them again"
        )


def check_kind(shapes: Mapping[str, tuple[int, ...]], path: Path) -> None:
    """Raise Failure for the networks that resemble a U²-Net but are something else. Each has a message of its own."""
    check_whole(shapes, path)
    if any(name.startswith("conv_in.") for name in shapes):
        raise Failure(f"{path} is an IS-Net (it has conv_in), which is another network than U²-Net")
    found = {match[1] for name in shapes if (match := re.match(r"(stage\d+d?)\.", name))}
    if missing := [stage for stage in HEIGHTS if stage not in found]:
        raise Failure(f"{path} is no U²-Net: it lacks {named(missing)}; a U²-Net has six stages and five decoders")
    if more := sorted(found - set(HEIGHTS)):
        raise Failure(f"{path} is no U²-Net: it has {named(more)}; a U²-Net has six stages and five decoders")
    for stage, height in HEIGHTS.items():
        levels = {int(match[1]) for name in shapes if (match := re.match(rf"{stage}\.rebnconv(\d{{1,3}})\.", name))}
        if levels and max(levels) != (height or 4):
            raise Failure(f"{path} is no U²-Net: {stage} has {max(levels)} levels instead of {height or 4}")
    channels = shapes.get(FIRST_KEY, ())[1:2]
    if channels and channels[0] != 3:
        raise Failure(f"{path} takes {channels[0]} input channels; three are supported, RGB")
    outputs = max((shapes.get(f"{name}.weight", (1,)) or (1,))[0] for name in ("outconv", "side1"))
    if outputs > 1:
        raise Failure(f"{path} has {outputs} output channels; one is supported")


def check_topology(tensors: Mapping[str, Tensor], path: Path) -> U2Net:
    """Return the U²-Net (on the meta device) whose state dict has exactly these names and shapes.

    Raises Failure if there is no such U²-Net.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    check_kind(shapes, path)
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
    # PyTorch has written these since 0.4.1, and only training reads them.
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
    """Return float32 weights in the network's own order. Raises Failure for NaN, infinity or integer weights."""
    weights: dict[str, Tensor] = {}
    for name in network.state_dict():
        if name.endswith("num_batches_tracked"):
            continue
        if not tensors[name].is_floating_point():
            raise Failure(f"{path}: {name} holds {tensors[name].dtype}, not floating-point weights")
        # Copy each tensor: safetensors refuses tensors that share memory, and a view may show more than it holds.
        weights[name] = tensors[name].detach().to(torch.float32, copy=True, memory_format=torch.contiguous_format)
        if not torch.isfinite(weights[name]).all():
            raise Failure(f"{path}: {name} holds NaN or infinite values")
    return weights
