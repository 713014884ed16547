"""TensorFlow.js graph models on disk: a model.json whose manifest says how its shards divide into weights."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from commands import Failure

# Small enough for one PutObject with a checksum, for caches, and to resume a download cheaply.
SHARD_BYTES = 4 * 1024 * 1024
ITEM_BYTES = {"float32": 4, "int32": 4, "float16": 2, "uint16": 2, "uint8": 1}

# One entry of model.json's weightsManifest: name, shape, dtype, and how it is quantized.
Specification = dict[str, Any]


def stored_bytes(specification: Specification) -> int:
    """Return how many bytes a weight takes in its shard, quantized or not."""
    dtype = specification.get("quantization", {}).get("dtype", specification["dtype"])
    return math.prod(specification["shape"]) * ITEM_BYTES[dtype]


def read_weights(folder: Path) -> list[tuple[Specification, bytes]]:
    """Return each weight's specification and stored bytes, in the manifest's order (shards have no other).

    Raises Failure where a shard is missing or too large, or where shards and manifest disagree.
    """
    weights: list[tuple[Specification, bytes]] = []
    for group in json.loads((folder / "model.json").read_text())["weightsManifest"]:
        shards = []
        for path in group["paths"]:
            if not (folder / path).is_file():
                raise Failure(f"{folder / path} is missing")
            shards.append((folder / path).read_bytes())
            if len(shards[-1]) > SHARD_BYTES:
                raise Failure(f"{folder / path} is larger than a shard's {SHARD_BYTES} bytes")
        data = b"".join(shards)
        sizes = [stored_bytes(specification) for specification in group["weights"]]
        if sum(sizes) != len(data):
            raise Failure(f"{folder}: its shards hold {len(data)} bytes, its manifest describes {sum(sizes)}")
        offset = 0
        for specification, size in zip(group["weights"], sizes, strict=True):
            weights.append((specification, data[offset : offset + size]))
            offset += size
    return weights


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
