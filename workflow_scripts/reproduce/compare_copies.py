"""Compare two builds file by file, byte by byte."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.reproduce.differences import first_difference
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import files_in, sha256, write_report


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=Path, required=True)
    parser.add_argument("--second", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    names = tuple(
        {str(path.relative_to(folder)) for path in files_in(folder)} for folder in (arguments.first, arguments.second)
    )
    differing = dict.fromkeys(names[0] ^ names[1], "only one copy has it")
    for name in names[0] & names[1]:
        if difference := first_difference(arguments.first / name, arguments.second / name):
            differing[name] = difference
    same = sorted((names[0] & names[1]) - differing.keys())
    report = {
        "equal": {name: sha256(arguments.first / name) for name in same},
        "different": dict(sorted(differing.items())),
        "passed": bool(same) and not differing,
    }
    print(f"{len(same)} files equal, {len(differing)} different")
    problem = None
    if differing:
        name, difference = min(differing.items())
        problem = f"{name} differs: {difference} ({len(differing)} of {len(same) + len(differing)} files in all)"
    elif not same:
        problem = f"{arguments.first} and {arguments.second} hold no file"
    write_report(arguments.output, report, problem)


if __name__ == "__main__":
    run(main)
