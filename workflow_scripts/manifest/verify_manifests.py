"""Compare every artifact on disk, and what it was judged by, with the digest its manifest records."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.formats.manifest import own_digest
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import sha256


def damaged(manifest: Path) -> dict[Path, str]:
    """Return each file that is not the one recorded and what is wrong with it, paths relative to the working folder.

    Evidence (checkpoint, probes, predictions, reports) may be gone, as no artifact is made of it any more.
    """
    try:
        content = json.loads(manifest.read_text())
        digest, artifacts, evidence = content["manifest_sha256"], content["artifacts"], content["evidence"]
    except (ValueError, KeyError, TypeError):
        return {manifest: "cannot be read as a manifest"}
    if digest != own_digest(content):
        return {manifest: f"differs from its own sha256 {digest}"}
    if not any(Path(name).is_relative_to(manifest.parent) for name in artifacts):
        return {manifest: "is another resolution's or another model's"}
    problems = {}
    for name, recorded in {**evidence, **artifacts}.items():
        path = Path(name)
        if not path.is_file():
            if name in artifacts:
                problems[path] = "is missing"
        elif path.stat().st_size != recorded["bytes"]:
            problems[path] = f"has {path.stat().st_size} bytes, recorded {recorded['bytes']}"
        elif sha256(path) != recorded["sha256"]:
            problems[path] = f"differs from its recorded sha256 {recorded['sha256']}"
    return problems


def built_as(path: Path) -> Path:
    """Return what Snakemake builds it as: a TensorFlow.js model is one folder."""
    return path.parent if path.parent.parent.name == "tfjs" else path


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True)
    arguments = parser.parse_args(argv)
    problems: dict[Path, str] = {}
    for manifest in arguments.manifests:
        found = damaged(manifest)
        problems |= found
        if not found:
            print(f"{manifest}: every artifact is the recorded one")
    if problems:
        path, problem = next(iter(problems.items()))
        again = " ".join(sorted({str(built_as(path)) for path in problems}))
        raise Failure(
            f"{path} {problem}, {len(problems)} damaged in all; the command that built them makes them anew with: "
            f"--forcerun {again}"
        )


if __name__ == "__main__":
    run(main)
