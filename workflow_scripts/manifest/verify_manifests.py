"""Compare every artifact, the evidence about it, and the summary with what the manifests record."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.formats.manifest import Damaged, Manifest, built_as, damaged, read_manifest
from workflow_scripts.manifest.summary import lacks, rows
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import broken_seal


def summary_problems(paths: Sequence[Path], manifests: Sequence[Manifest]) -> dict[Path, str]:
    """Return what is wrong with the summaries: they must be unchanged and contain each manifest's rows.

    A summary may cover more manifests than these. It may also be missing if it was never built.
    """
    problems = {}
    for path in paths:
        if not path.is_file():
            continue
        if broken := broken_seal(path):
            problems[path] = broken.removeprefix(f"{path} ")
        for manifest in manifests:
            if any(lacks(path.read_text(), row) for row in rows(manifest)):
                problems[path] = f"lacks the figures of {manifest.model} at {manifest.resolution}"
    return problems


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True)
    parser.add_argument("--summaries", type=Path, nargs="*", default=[], help="of summarize_manifests, if they exist")
    arguments = parser.parse_args(argv)
    problems: dict[Path, str] = {}
    manifests = []
    for path in arguments.manifests:
        try:
            manifest = read_manifest(path)
            found = damaged(path, manifest)
        except Damaged as error:
            found = {path: error.problem}
        problems |= found
        if not found:
            manifests.append(manifest)
            print(f"{path}: every artifact is the recorded one")
    problems |= summary_problems(arguments.summaries, manifests)
    if problems:
        path, problem = next(iter(problems.items()))
        again = " ".join(sorted({str(built_as(path)) for path in problems}))
        raise Failure(
            f"{path} {problem}, {len(problems)} damaged in all; the command that built them makes them again with: "
            f"--forcerun {again}"
        )


if __name__ == "__main__":
    run(main)
