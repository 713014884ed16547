"""Compare every artifact on disk with the digest its manifest records."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from commands import Failure, run
from files import sha256


def changed_artifacts(manifest: Path) -> list[str]:
    """Return what is wrong with each artifact that is not the one recorded, paths relative to the working folder."""
    problems = []
    for name, recorded in json.loads(manifest.read_text())["artifacts"].items():
        path = Path(name)
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif path.stat().st_size != recorded["bytes"]:
            problems.append(f"{path} has {path.stat().st_size} bytes, recorded {recorded['bytes']}")
        elif sha256(path) != recorded["sha256"]:
            problems.append(f"{path} differs from its recorded sha256 {recorded['sha256']}")
    return problems


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True)
    arguments = parser.parse_args(argv)
    for manifest in arguments.manifests:
        if problems := changed_artifacts(manifest):
            raise Failure(
                f"{problems[0]} ({manifest}, {len(problems)} in all); delete {manifest.parent} and build it again"
            )
        print(f"{manifest}: every artifact is the recorded one")


if __name__ == "__main__":
    run(main)
