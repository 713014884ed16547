"""Compare every artifact, its evidence, its checkpoint and the summary with what the manifests record."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from workflow_scripts.checkpoint.external_data import digest_of
from workflow_scripts.formats.manifest import Damaged, Manifest, built_as, damaged, read_manifest
from workflow_scripts.manifest.summary import contradicts, figures_in
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import broken_seal


def summary_problems(paths: Sequence[Path], manifests: Sequence[Manifest]) -> dict[Path, str]:
    """Return what is wrong with the summaries: they must be unchanged and hold the rows of the manifests they name.

    A summary may cover other manifests than these. It may also be missing if it was never built.
    """
    problems = {}
    for path in paths:
        if not path.is_file():
            continue
        if broken := broken_seal(path):
            problems[path] = broken.removeprefix(f"{path} ")
        written = figures_in(path.read_text())
        for manifest in manifests:
            if contradicts(written, manifest):
                problems[path] = f"has other figures of {manifest.model} at {manifest.resolution} than the manifest"
    return problems


def replaced(manifests: Sequence[Manifest], checkpoints: Mapping[str, Path]) -> dict[Path, str]:
    """Return the checkpoints, by model, that are no longer the files that these manifests' models were made of."""
    digests = {
        model: digest_of(path) for model, path in checkpoints.items() if any(m.model == model for m in manifests)
    }
    return {
        checkpoints[manifest.model]: f"is not the checkpoint that {manifest.model} at {manifest.resolution} was made of"
        for manifest in manifests
        if manifest.checkpoint.sha256 != digests.get(manifest.model, manifest.checkpoint.sha256)
    }


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True)
    parser.add_argument("--summaries", type=Path, nargs="*", default=[], help="of summarize_manifests, if they exist")
    parser.add_argument("--checkpoints", nargs="*", default=[], help="MODEL=PATH: the files that the config names")
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
    if not problems:
        named = (each.partition("=") for each in arguments.checkpoints)
        for path, problem in replaced(manifests, {model: Path(path) for model, _, path in named}).items():
            raise Failure(f"{path} {problem}; build it again with snakemake all, or name the file that it was made of")
    if problems:
        path, problem = next(iter(problems.items()))
        again = " ".join(sorted({str(built_as(path)) for path in problems}))
        raise Failure(
            f"{path} {problem}, {len(problems)} damaged in all; the command that built them makes them again with: "
            f"--forcerun {again}"
        )


if __name__ == "__main__":
    run(main)
