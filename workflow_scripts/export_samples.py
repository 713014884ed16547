"""Export the sample photos that ship with the page, free of restrictions, with their credits."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from commands import run
from files import replacing, write_json
from PIL import Image
from skimage import data

# Name shown, file, credit as scikit-image documents it, and how to load it.
SAMPLES = (
    ("Astronaut", "astronaut.png", "Eileen Collins, NASA, public domain", data.astronaut),
    ("Cat", "chelsea.png", "Chelsea, Stefan van der Walt, CC0", data.chelsea),
    ("Coffee", "coffee.png", "Rachel Michetti, CC0", data.coffee),
)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the photos and samples.json")
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        staging.mkdir()
        for _, file, _, load in SAMPLES:
            Image.fromarray(load()).save(staging / file, optimize=True)
        listed = [{"url": f"samples/{file}", "name": name, "credit": credit} for name, file, credit, _ in SAMPLES]
        write_json(staging / "samples.json", listed)


if __name__ == "__main__":
    run(main)
