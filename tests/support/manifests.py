"""Manifests and the few small files that they vouch for, for tests of the code that reads them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from workflow_scripts.formats.manifest import (
    Checks,
    GraphCost,
    Manifest,
    Proof,
    Recorded,
    StoredSize,
    own_digest,
    read_manifest,
    write_manifest,
)
from workflow_scripts.shared.files import files_in, read_by, write_json

WORST = {"max_abs": 3e-5, "mean_abs": 3e-6, "p99_abs": 1.5e-5, "drawing_psnr_db": 80.0, "drawing_ssim": 0.8}
HOPS = ("onnxruntime", "tfjs-float32", "tfjs-uint16", "litert-float16")


def manifest(model: str = "mine", resolution: int = 64, **changes: Any) -> Manifest:
    """Return a manifest without files."""
    made = Manifest(
        model=model,
        task="portrait",
        licence="MIT",
        notice=None,
        provenance=None,
        resolution=resolution,
        architecture={"family": "custom", "stages": {"stage1": [3, 16, 64]}, "parameters": 1131181},
        multiply_adds=7 * resolution**2,
        checkpoint=Recorded(3, "b" * 64),
        artifacts={},
        evidence={},
        checks=Checks(dict.fromkeys(HOPS, WORST), dict.fromkeys(HOPS, StoredSize(5_000_000, 4_501_940))),
        proofs={hop: Proof("tensorflow-cpu 2.19.0") for hop in HOPS},
        tensorflowjs={"tfjs-float32": GraphCost({"MaxPool": 1}, 5, 99)},
        versions={"envs/torch.txt": {"torch": "2.13"}},
        locks={"envs/torch.txt": "a" * 64},
        source_sha256="d" * 64,
        git_commit="c" * 40,
        passed=True,
    )
    return replace(made, **changes)


def write_vouched(project: Path, made: Manifest, *shared: Path, **files: bytes) -> Path:
    """Write `files`, and a manifest of these, of `shared` and of what its folder already holds. Return its path.

    A report says that it judged all of them.
    """
    folder = project / "results" / made.model / str(made.resolution)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    report = folder / "size.json"
    report.unlink(missing_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    artifacts = [*files_in(folder), *shared]
    write_json(report, {"read": read_by(report, artifacts), "passed": True})
    recorded = {str(file.relative_to(project)): Recorded.of(file) for file in artifacts}
    evidence = {str(report.relative_to(project)): Recorded.of(report)}
    write_manifest(folder / "manifest.json", replace(made, artifacts=recorded, evidence=evidence))
    return folder / "manifest.json"


def rewrite(path: Path, **changes: Any) -> None:
    """Change a manifest and its own digest, as an attacker would."""
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({**content, "manifest_sha256": own_digest(content)}))


def vouch_again(path: Path) -> None:
    """Make a manifest vouch for its artifacts as they are now, without evidence."""
    manifest = read_manifest(path)
    files = {name: Recorded.of(path.parents[3] / name) for name in manifest.artifacts}
    write_manifest(path, replace(manifest, artifacts=files, evidence={}))
