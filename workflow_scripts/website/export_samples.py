"""Write the page's sample photos, named after their digests, and their credits."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from skimage import data

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing, sha256, write_json

# All are free to use. For each: the name shown, the file name, the credit that scikit-image documents, and the loader.
SAMPLES = (
    ("Astronaut", "astronaut", "Eileen Collins, NASA, public domain", data.astronaut),
    ("Cat", "chelsea", "Chelsea, Stefan van der Walt, CC0", data.chelsea),
    ("Coffee", "coffee", "Rachel Michetti, CC0", data.coffee),
)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the photos and samples.json")
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        staging.mkdir()
        listed = []
        for name, stem, credit, load in SAMPLES:
            photo = staging / f"{stem}.png"
            Image.fromarray(load()).save(photo, optimize=True)
            photo = photo.rename(staging / f"{stem}.{sha256(photo)}.png")
            listed.append({"url": f"samples/{photo.name}", "name": name, "credit": credit})
        write_json(staging / "samples.json", listed)


if __name__ == "__main__":
    run(main)
