"""TensorFlow.js graph models on disk: a model.json, and shards that its manifest divides into weights."""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.shared.failures import Failure

# Small enough for one PutObject with a checksum, for caches, and for a download that is resumed.
SHARD_BYTES = 4 * 1024 * 1024
ITEM_BYTES = {"float32": 4, "int32": 4, "float16": 2, "uint16": 2, "uint8": 1}

# A shard lies beside its model.json.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

# One entry of model.json's weightsManifest: name, shape, dtype, and how it is quantized.
Specification = dict[str, Any]


def stored_bytes(specification: Specification) -> int:
    """Return how many bytes a weight takes in its shard, quantized or not."""
    dtype = specification.get("quantization", {}).get("dtype", specification["dtype"])
    return math.prod(specification["shape"]) * ITEM_BYTES[dtype]


def check_quantization(specification: Specification) -> None:
    """Raise ValueError unless a weight's scale and minimum are both finite numbers, or both missing."""
    quantization = specification.get("quantization", {})
    found = [quantization[key] for key in ("scale", "min") if key in quantization]
    if len(found) == 1 or not all(type(value) in (int, float) and math.isfinite(value) for value in found):
        raise ValueError(f"the quantization of {specification['name'][:100]!r} has no finite scale and min")


def read_manifest(path: Path) -> list[dict[str, Any]]:
    """Return the groups of a model.json's weightsManifest; raise Failure if it is damaged or something else."""
    try:
        groups: list[dict[str, Any]] = json.loads(path.read_text())["weightsManifest"]
        for group in groups:
            if not all(type(name) is str and PLAIN_NAME.fullmatch(name) for name in group["paths"]):
                raise ValueError("a shard is not a file beside it")
            for specification in group["weights"]:
                if type(specification["name"]) is not str:
                    raise ValueError("a weight has no name")
                if not all(type(side) is int and side >= 0 for side in specification["shape"]):
                    raise ValueError(f"the shape of {specification['name'][:100]!r} is not a list of sizes")
                # Raises if the dtype is unknown, or if the quantization is not a table.
                stored_bytes(specification)
                check_quantization(specification)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise Failure(f"{path} is damaged or not a TensorFlow.js graph model ({why}); build it again") from error
    return groups


def read_weights(folder: Path) -> list[tuple[Specification, bytes]]:
    """Return each weight's specification and stored bytes, in the manifest's order.

    Raises Failure if model.json is damaged, if a shard is missing, named twice, elsewhere or too large, or if shards
    and manifest disagree.
    """
    weights: list[tuple[Specification, bytes]] = []
    named: set[str] = set()
    for group in read_manifest(folder / "model.json"):
        shards = []
        for path in group["paths"]:
            if path in named:
                raise Failure(f"{folder / 'model.json'} names {path} twice")
            named.add(path)
            if not (folder / path).is_file():
                raise Failure(f"{folder / path} is missing")
            if (folder / path).stat().st_size > SHARD_BYTES:
                raise Failure(f"{folder / path} is larger than a shard's {SHARD_BYTES} bytes")
            shards.append((folder / path).read_bytes())
        data = b"".join(shards)
        sizes = [stored_bytes(specification) for specification in group["weights"]]
        if sum(sizes) != len(data):
            raise Failure(f"{folder}: the shards hold {len(data)} bytes, but the manifest describes {sum(sizes)}")
        offset = 0
        for specification, size in zip(group["weights"], sizes, strict=True):
            weights.append((specification, data[offset : offset + size]))
            offset += size
    return weights


def loaded_values(specification: Specification, stored: bytes) -> NDArray[Any]:
    """Return the values that TensorFlow.js computes with, float32 or int32, in the weight's shape.

    The arithmetic is that of decodeWeight in tfjs-core 4.22.0, src/io/io_utils.ts, to the last bit: stored * scale +
    min in double precision, rounded once. check_loading compares it with what TensorFlow.js holds. Raises Failure if
    something else than float32 is quantized, which no rule here does.
    """
    dtype = np.dtype(specification["dtype"]).newbyteorder("<")
    quantization = specification.get("quantization")
    if quantization is None:
        values: NDArray[Any] = np.frombuffer(stored, dtype)
    elif specification["dtype"] != "float32":
        raise Failure(f"{specification['name']} is quantized, but {specification['dtype']} and not float32")
    else:
        values = np.frombuffer(stored, np.dtype(quantization["dtype"]).newbyteorder("<"))
        if "scale" in quantization:
            values = values.astype(np.float64) * float(quantization["scale"]) + float(quantization["min"])
    return values.astype(dtype).reshape(specification["shape"])


def graph_and_names(folder: Path) -> dict[str, Any]:
    """Return all that a model.json says besides its weights' values: the graph, its ends, each weight's name and shape.

    Models of one network at one size that differ in nothing but the width of their weights are equal in this.
    """
    model: dict[str, Any] = json.loads((folder / "model.json").read_text())
    groups = read_manifest(folder / "model.json")
    weights = [
        {key: value for key, value in specification.items() if key != "quantization"}
        for group in groups
        for specification in group["weights"]
    ]
    return {**model, "weightsManifest": weights}


def model_digest(folder: Path) -> str:
    """Return the SHA-256 of a model.json and its shards in the manifest's order, one after another."""
    path = folder / "model.json"
    whole = hashlib.sha256(path.read_bytes())
    for group in read_manifest(path):
        for shard in group["paths"]:
            whole.update((folder / shard).read_bytes())
    return whole.hexdigest()


def write_model(path: Path, model: dict[str, Any]) -> None:
    """Write a model.json with sorted keys, so that equal models are equal bytes."""
    path.write_text(json.dumps(model, sort_keys=True, separators=(",", ":")))


def write_weights(folder: Path, model: dict[str, Any], weights: Sequence[tuple[Specification, bytes]]) -> None:
    """Write `model` (its topology and signature) with `weights` as one group of shards, named as the converter does."""
    data = b"".join(stored for _, stored in weights)
    starts = range(0, len(data), SHARD_BYTES)
    paths = [f"group1-shard{number}of{len(starts)}.bin" for number in range(1, len(starts) + 1)]
    folder.mkdir(parents=True)
    for path, start in zip(paths, starts, strict=True):
        (folder / path).write_bytes(data[start : start + SHARD_BYTES])
    manifest = [{"paths": paths, "weights": [specification for specification, _ in weights]}]
    write_model(folder / "model.json", {**model, "weightsManifest": manifest})
