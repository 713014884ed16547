"""Say what became of a folder of photos. Fail if a photo could not be drawn or a drawing is missing."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--indexes", type=Path, nargs="+", required=True, help="JSON files of draw_photos")
    arguments = parser.parse_args(argv)
    problems = []
    for path in arguments.indexes:
        index = json.loads(path.read_text())
        folder = path.with_suffix("")
        drawn = [outcome["drawing"] for outcome in index["outcomes"] if outcome["drawing"]]
        left = f"; {len(index['left_alone'])} other files were left alone" if index["left_alone"] else ""
        print(f"{folder}: {len(drawn)} drawings of {len(index['outcomes'])} photos in {index['photos']}{left}")
        missing = [drawing for drawing in drawn if not (folder / drawing).is_file()]
        if missing:
            raise Failure(f"{folder / missing[0]} is missing; make it again with --forcerun draw_photos")
        problems += [f"{each['photo']} {each['problem']}" for each in index["outcomes"] if each["problem"]]
    if problems:
        listed = "; ".join(dict.fromkeys(problems))
        raise Failure(f"not every photo could be drawn, the others are: {listed}")


if __name__ == "__main__":
    run(main)
