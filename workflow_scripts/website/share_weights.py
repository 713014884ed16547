"""Store one model's weights once per engine, in shards named by their content, which all its resolutions share."""

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from workflow_scripts.formats.catalogue import check_vouched, onnx_of, shown_parity, source_of
from workflow_scripts.formats.manifest import Manifest, again, by_resolution
from workflow_scripts.formats.tfjs_model import read_weights
from workflow_scripts.formats.tflite_file import ends, split
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import broken_seal, replacing, sha256, write_json

# A visitor's browser keeps the finished shards of an interrupted download. They are smaller than the converter's, so
# that on a slow line the first ones are there soon, and so large that 176 MB of weights are 336 requests.
SHARD_BYTES = 512 * 1024
# The way from models/{model}/{resolution}/{dtype}/ up to the top of the site.
TOP = "../../../.."


def write_shards(data: bytes, weights: Path) -> list[dict[str, Any]]:
    """Cut `data` into shards named after their SHA-256, and write those that are missing.

    Return each shard's url, sha256 and bytes.
    """
    shards = []
    for start in range(0, len(data), SHARD_BYTES):
        shard = data[start : start + SHARD_BYTES]
        digest = hashlib.sha256(shard).hexdigest()
        (weights / f"{digest}.bin").write_bytes(shard)
        shards.append({"url": f"weights/{digest}.bin", "sha256": digest, "bytes": len(shard)})
    return shards


def write_named(content: Any, site: Path, place: str, stem: str) -> dict[str, Any]:
    """Write JSON below `site` into `place`, with its SHA-256 in its name. Return its url, sha256 and bytes."""
    data = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    url = f"{place}/{stem}.{digest}.json"
    (site / place).mkdir(parents=True)
    (site / url).write_bytes(data)
    return {"url": url, "sha256": digest, "bytes": len(data)}


def copy_to_address(file: Path, site: Path, url: str) -> dict[str, Any]:
    """Copy a file to an address that stays the same in every release. Return its url, sha256 and bytes.

    Other programs load models from these addresses, because they cannot know a digest in advance.
    """
    shutil.copyfile(file, site / url)
    return {"url": url, "sha256": sha256(file), "bytes": file.stat().st_size}


def share_model(folder: Path, site: Path, place: str) -> dict[str, Any]:
    """Write one graph model below `site` into `place`. Return its files as the catalogue lists them.

    Float weights are the same at every resolution; integer constants are not. Each become a group of their own, so that
    all resolutions share the float shards byte for byte.
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
    named = write_named(model, site, place, "model")
    # It names its shards by digest, so it is whole at any moment, whichever release it belongs to.
    address = copy_to_address(site / named["url"], site, f"{place}/model.json")
    return {"model": named, "weights": shards, "address": address}


def share_tflite(file: Path, site: Path, place: str) -> dict[str, Any]:
    """Write one .tflite file below `site` in pieces, with a recipe that joins them, and once more as a whole.

    Return the files as the catalogue lists them.

    The weights go into shards that all resolutions share. The skeleton, which is all that stands between the weights,
    belongs to one resolution. To rebuild the file, take bytes from the skeleton and from the weights in turn: the
    recipe's `pieces` are the lengths to take. `sha256` is that of the whole file. The page reads the pieces; LiteRT's
    own loader needs the whole file.
    """
    pieces = split(file)
    skeleton = write_shards(pieces.skeleton, site / "weights")
    weights = write_shards(pieces.weights, site / "weights")
    recipe = {
        "bytes": file.stat().st_size,
        "sha256": sha256(file),
        **ends(file),
        "skeleton": [f"{TOP}/{shard['url']}" for shard in skeleton],
        "weights": [f"{TOP}/{shard['url']}" for shard in weights],
        "pieces": pieces.lengths,
    }
    named = write_named(recipe, site, place, "recipe")
    address = copy_to_address(file, site, f"{PurePosixPath(place).parent}/{file.name}")
    return {"model": named, "weights": skeleton + weights, "address": address}


def share_onnx(manifest: Manifest, project: Path, site: Path) -> dict[str, Any] | None:
    """Copy the ONNX file that the models were converted from, for the page that times engines. Return its reference.

    Its sizes are free, so it is one file for all resolutions. Return None if the manifest does not vouch for it.
    """
    name = onnx_of(manifest.model)
    if name not in manifest.artifacts:
        return None
    url = f"models/{manifest.model}/{manifest.artifacts[name].sha256}.onnx"
    return copy_to_address(project / name, site, url)


def share_resolution(
    manifest: Manifest, root: Path, dtypes: Sequence[str], tflite_dtypes: Sequence[str], site: Path
) -> dict[str, Any]:
    """Write one resolution's models below `site`. Return its catalogue entry."""
    folder = f"models/{manifest.model}/{manifest.resolution}"

    def entry(engine: str, dtype: str, shared: dict[str, Any]) -> dict[str, Any]:
        return {
            "engine": engine,
            "dtype": dtype,
            **shared,
            "made_of": {name: file.sha256 for name, file in source_of(manifest, engine, dtype).items()},
            "parity": shown_parity(manifest.checks.parity[f"{engine}-{dtype}"]),
        }

    entries = [
        entry("tfjs", dtype, share_model(root / "tfjs" / dtype, site, f"{folder}/{dtype}")) for dtype in dtypes
    ] + [
        entry("litert", dtype, share_tflite(root / "tflite" / f"{dtype}.tflite", site, f"{folder}/litert-{dtype}"))
        for dtype in tflite_dtypes
    ]
    return {"resolution": manifest.resolution, "multiply_adds": manifest.multiply_adds, "dtypes": entries}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="one a resolution, of one model")
    parser.add_argument("--dtypes", nargs="+", required=True)
    parser.add_argument("--tflite-dtypes", nargs="*", required=True)
    parser.add_argument("--own-resolution", type=int, required=True, help="where the model draws best")
    parser.add_argument("--probe", type=Path, required=True, help="folder of share_probe")
    parser.add_argument("--output", type=Path, required=True, help="folder: models/, probes/, weights/ and entry.json")
    arguments = parser.parse_args(argv)
    manifests = by_resolution(arguments.manifests)
    if problem := broken_seal(arguments.probe):
        raise Failure(f"{problem}, so nothing is shared{again(arguments.probe)}")
    first = next(iter(manifests.values()))
    with replacing(arguments.output) as staging:
        (staging / "weights").mkdir(parents=True)
        shutil.copytree(arguments.probe / "probes", staging / "probes")
        resolutions = [
            share_resolution(manifest, path.parent, arguments.dtypes, arguments.tflite_dtypes, staging)
            for path, manifest in manifests.items()
        ]
        entry = {
            "name": first.model,
            "task": first.task,
            "parameters": first.parameters,
            "licence": first.licence,
            "notice": first.notice,
            "own_resolution": arguments.own_resolution,
            "onnx": share_onnx(first, arguments.manifests[0].parents[3], staging),
            "probe": json.loads((arguments.probe / "probe.json").read_text()),
            "resolutions": resolutions,
        }
        check_vouched([entry], list(manifests.values()))
        write_json(staging / "entry.json", entry)


if __name__ == "__main__":
    run(main)
