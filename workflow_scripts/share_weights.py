"""Store one model's TensorFlow.js weights once: content-addressed shards that all its resolutions refer to."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from commands import run
from files import replacing, sha256, write_json
from tfjs_models import SHARD_BYTES, read_weights, write_model

# From models/{model}/{resolution}/{dtype}/model.json to the site's top.
TOP = "../../../.."


def write_shards(data: bytes, weights: Path) -> list[dict[str, Any]]:
    """Cut `data` into shards named after their SHA-256, write those that are not there; return url, sha256, bytes."""
    shards = []
    for start in range(0, len(data), SHARD_BYTES):
        shard = data[start : start + SHARD_BYTES]
        digest = hashlib.sha256(shard).hexdigest()
        (weights / f"{digest}.bin").write_bytes(shard)
        shards.append({"url": f"weights/{digest}.bin", "sha256": digest, "bytes": len(shard)})
    return shards


def share_model(folder: Path, site: Path, url: str) -> dict[str, Any]:
    """Write one graph model below `site` as `url`; return its model.json and shards as the catalogue lists them.

    Float weights, the same at every resolution, and integer constants, which are not, become a group each, so
    that resolutions share the float shards byte for byte.
    """
    model = json.loads((folder / "model.json").read_text())
    weights = read_weights(folder)
    floats = [(spec, data) for spec, data in weights if spec["dtype"] == "float32"]
    constants = [(spec, data) for spec, data in weights if spec["dtype"] != "float32"]
    model["weightsManifest"] = []
    shards: list[dict[str, Any]] = []
    for group in (floats, constants):
        written = write_shards(b"".join(data for _, data in group), site / "weights")
        shards += written
        paths = [f"{TOP}/{shard['url']}" for shard in written]
        model["weightsManifest"].append({"paths": paths, "weights": [spec for spec, _ in group]})
    path = site / url
    path.parent.mkdir(parents=True)
    write_model(path, model)
    return {"model": {"url": url, "sha256": sha256(path), "bytes": path.stat().st_size}, "weights": shards}


def share_resolution(manifest: dict[str, Any], root: Path, dtypes: Sequence[str], site: Path) -> dict[str, Any]:
    """Write one resolution's models below `site`; return its catalogue entry."""
    name, resolution = manifest["model"], manifest["resolution"]
    entries = []
    for dtype in dtypes:
        figures = manifest["checks"]["parity"][f"tfjs-{dtype}"]
        url = f"models/{name}/{resolution}/{dtype}/model.json"
        entries.append(
            {
                "dtype": dtype,
                **share_model(root / "tfjs" / dtype, site, url),
                "parity": {
                    "max_abs": figures["max_abs"],
                    "p99_abs": figures["p99_abs"],
                    "psnr_db": figures["drawing_psnr_db"],
                    "ssim": figures["drawing_ssim"],
                },
            }
        )
    return {"resolution": resolution, "multiply_adds": manifest["multiply_adds"], "dtypes": entries}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="one a resolution, of one model")
    parser.add_argument("--dtypes", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder: models/, weights/ and entry.json")
    arguments = parser.parse_args(argv)
    manifests = {path: json.loads(path.read_text()) for path in arguments.manifests}
    first = next(iter(manifests.values()))
    with replacing(arguments.output) as staging:
        (staging / "weights").mkdir(parents=True)
        resolutions = [
            share_resolution(manifest, path.parent, arguments.dtypes, staging) for path, manifest in manifests.items()
        ]
        entry = {
            "name": first["model"],
            "task": first["task"],
            "parameters": first["architecture"]["parameters"],
            "licence": first["licence"],
            "notice": first["notice"],
            "resolutions": sorted(resolutions, key=lambda each: int(each["resolution"])),
        }
        write_json(staging / "entry.json", entry)


if __name__ == "__main__":
    run(main)
