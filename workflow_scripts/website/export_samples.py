"""Write the page's sample photos, named after their digests, and their credits."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from PIL.ImageOps import fit
from skimage import data

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing, sha256, write_json

# All are free to use. For each: the name shown, the file name, the credit that scikit-image documents, and the loader.
SAMPLES = (
    ("Astronaut", "astronaut", "Eileen Collins, NASA, public domain", data.astronaut),
    ("Cat", "chelsea", "Chelsea, Stefan van der Walt, CC0", data.chelsea),
    ("Coffee", "coffee", "Rachel Michetti, CC0", data.coffee),
)
# The side of the copies on the page's buttons, in pixels: those are 72 wide, on screens with two pixels for each.
THUMBNAIL = 144


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
            thumbnail = staging / f"{stem}.webp"
            fit(Image.fromarray(load()), (THUMBNAIL, THUMBNAIL)).save(thumbnail)
            thumbnail = thumbnail.rename(staging / f"{stem}.{sha256(thumbnail)}.webp")
            photo = photo.rename(staging / f"{stem}.{sha256(photo)}.png")
            listed.append(
                {
                    "url": f"samples/{photo.name}",
                    "name": name,
                    "credit": credit,
                    "thumbnail": {"url": f"samples/{thumbnail.name}"},
                }
            )
        write_json(staging / "samples.json", listed)


if __name__ == "__main__":
    run(main)
