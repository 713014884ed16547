"""Compare builds file by file, byte by byte."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.reproduce.differences import first_difference
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import files_in, sha256, write_report


def names_in(folder: Path) -> set[str]:
    """Return the paths of all files below a folder."""
    return {str(path.relative_to(folder)) for path in files_in(folder)}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=Path, required=True)
    parser.add_argument("--second", type=Path, required=True, help="with the same files")
    parser.add_argument("--third", type=Path, required=True, help="with some of them: the artifacts, without figures")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    first, second, third = (names_in(folder) for folder in (arguments.first, arguments.second, arguments.third))
    differing = dict.fromkeys(first ^ second, "only one copy has it") | dict.fromkeys(
        third - first, "only one copy has it"
    )
    for other, folder, note in ((second, arguments.second, ""), (third, arguments.third, ", as on another processor")):
        for name in sorted(first & other):
            if difference := first_difference(arguments.first / name, folder / name):
                differing.setdefault(name, f"{difference}{note}")
    same = sorted((first & second) - differing.keys())
    report = {
        "equal": {name: sha256(arguments.first / name) for name in same},
        # These files must also have equal bytes in the copy that ran as on another processor.
        "equal_on_another_processor": sorted(third - differing.keys()),
        "different": dict(sorted(differing.items())),
        "passed": bool(same) and bool(third) and not differing,
    }
    print(f"{len(same)} files equal, {len(third - differing.keys())} on another processor, {len(differing)} different")
    problem = None
    if differing:
        name, difference = min(differing.items())
        problem = f"{name} differs: {difference} ({len(differing)} of {len(same) + len(differing)} files in all)"
    elif not (same and third):
        problem = f"a copy in {arguments.first.parent} holds no file"
    write_report(arguments.output, report, problem)


if __name__ == "__main__":
    run(main)
