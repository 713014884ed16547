"""What PyTorch makes of a photo, at the photo's size, and how far other people's tools are from it.

Run in the torch environment:
.venvs/torch/bin/python -m tests.support.tools_pictures --weights W --photo P --resolution R --task T --found N=FILE …
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workflow_scripts.engines.torch import open_model
from workflow_scripts.shared.drawings import draw, preprocess
from workflow_scripts.shared.psnr import psnr_db

# The reference implementation and the page shrink a photo with a triangle filter, other tools with Lanczos.
FILTERS = {"triangle": Image.Resampling.BILINEAR, "lanczos": Image.Resampling.LANCZOS}


def shrunk(photo: Image.Image, side: int, filter_name: str) -> NDArray[np.uint8]:
    """Return a photo as side × side pixels of 8 bits."""
    return np.asarray(photo.resize((side, side), FILTERS[filter_name]))


def enlarged(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a picture in [0, 1] at another size, as the page enlarges it."""
    image = Image.fromarray(picture.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image).clip(0, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--x", type=Path, help="file to write: the network input of the photo, float32")
    parser.add_argument("--d0", type=Path, help="what a tool computed from that input, float32")
    parser.add_argument("--found", nargs="*", default=[], help="NAME=FILE, a tool's picture: its alpha, or its grey")
    arguments = parser.parse_args()
    photo = Image.open(arguments.photo).convert("RGB")
    predict = open_model(arguments.weights, 1).predict
    side = arguments.resolution
    d0 = {name: predict(preprocess(shrunk(photo, side, name), side)) for name in FILTERS}
    figures: dict[str, Any] = {
        # What each part does by itself.
        "filter": psnr_db(draw(d0["lanczos"], arguments.task), draw(d0["triangle"], arguments.task)),
        "stretch": psnr_db(d0["lanczos"][0, 0], draw(d0["lanczos"], arguments.task)),
    }
    x = preprocess(np.asarray(photo), side)
    if arguments.d0:
        computed = np.fromfile(arguments.d0, np.float32).reshape(1, 1, side, side)
        figures["same tensor"] = float(np.abs(computed - predict(x)).max())
    elif arguments.x:
        x.tofile(arguments.x)
    for name, _, file in (each.partition("=") for each in arguments.found):
        found = Image.open(file)
        assert found.size == photo.size, file
        picture = np.asarray(found.getchannel("A") if arguments.task == "saliency" else found.convert("L")) / 255
        figures[name] = {
            which: psnr_db(picture, enlarged(draw(d0[which], arguments.task), photo.size)) for which in FILTERS
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
