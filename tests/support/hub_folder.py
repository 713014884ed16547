"""A model's folder for the Hub, at a size for which only the ONNX files were built, and the card's lines beside it.

Run in the torch environment: .venvs/torch/bin/python -m tests.support.hub_folder --model M --task T --onnx O --folder F
"""

import argparse
import shutil
from pathlib import Path

from PIL import Image
from skimage import data

from tests.support.manifests import manifest
from workflow_scripts.huggingface.model_card import ONNX_FILES, snippets
from workflow_scripts.huggingface.write_huggingface import write_settings

# A cup, larger than the network's input, and a face.
PHOTOS = {"saliency": data.coffee, "portrait": data.astronaut}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--onnx", type=Path, required=True, help="folder of adapt_onnx")
    parser.add_argument("--folder", type=Path, required=True, help="for MODEL/, draw.mjs, draw.py and photo.jpg")
    arguments = parser.parse_args()
    for file, name in zip(("float32.onnx", "uint16.onnx"), ONNX_FILES.values(), strict=True):
        target = arguments.folder / arguments.model / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(arguments.onnx / file, target)
    write_settings(arguments.folder / arguments.model, arguments.resolution)
    lines = snippets(manifest(arguments.model, arguments.resolution, task=arguments.task))
    for language, name in (("js", "draw.mjs"), ("python", "draw.py")):
        if language in lines:
            (arguments.folder / name).write_text(lines[language])
    # Half as bright: without the division by the photo's maximum, the picture would be another one.
    photo = PHOTOS[arguments.task]() // 2
    Image.fromarray(photo).save(arguments.folder / "photo.jpg", quality=95)


if __name__ == "__main__":
    main()
