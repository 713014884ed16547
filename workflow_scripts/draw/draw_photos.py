"""Draw every photo of a folder with OpenVINO, as the page would save it. Only new or changed photos are drawn."""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from workflow_scripts.draw import faces, photos, pictures
from workflow_scripts.engines.openvino import open_model
from workflow_scripts.formats.manifest import vouched
from workflow_scripts.shared import drawings
from workflow_scripts.shared.drawings import Pixels, preprocess
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import remove, write_json

# The name that the page gives to the file that it saves.
PRODUCTS = {"portrait": "portrait", "drawing": "portrait", "saliency": "cut-out"}
# Under this key, a drawing's file says what it was made from.
MADE_OF = "made-of"
# Larger photos are drawn one at a time, because each pixel takes some 20 bytes of memory.
LARGE_PIXELS = 40_000_000
# zlib's fastest level. Higher ones take longer than the drawing itself (docs/draw.md).
COMPRESSION = 1


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: its drawing, or why it has no drawing. Paths are relative to the two folders."""

    photo: str
    drawing: str | None
    problem: str | None


@dataclass(frozen=True)
class Artist:
    """A model that draws photos into files."""

    task: str
    resolution: int
    # Digests of the model's two files, and of the code and the libraries that turn a photo into its picture.
    model: tuple[str, str]
    method: str
    predict: Callable[[NDArray[np.float32]], NDArray[Any]]
    one_at_a_time: Lock
    # Set where only the largest face of a photo is drawn.
    find_faces: faces.FindFaces | None = None

    def draw(self, photo: Path, drawing: Path) -> bool:
        """Draw one photo. Return False if its drawing exists already. Raises Unreadable."""
        content = photo.read_bytes()
        made_of = {"photo": hashlib.sha256(content).hexdigest(), "model": self.model, "method": self.method}
        if self.find_faces is not None:
            made_of["faces"] = faces.DETECTOR
        recipe = json.dumps(made_of, sort_keys=True)
        if what_made(drawing) == recipe:
            return False
        image = photos.decode(content)
        with self.one_at_a_time if image.width * image.height > LARGE_PIXELS else nullcontext():
            pixels = photos.stored_colours(image)
            if self.find_faces is not None:
                frame = faces.frame_portrait(self.find_faces(pixels), image.width, image.height)
                image = image.crop(frame)
                pixels = photos.stored_colours(image)
            d0 = self.predict(preprocess(pixels, self.resolution))
            if not np.isfinite(d0).all():
                raise Failure(f"the model gives no usable numbers for {photo}; build the model again")
            size = pictures.picture_size(image.width, image.height, self.resolution, self.task)
            picture = pictures.grey_picture(d0, self.task, *size)
            if self.task == "saliency":
                picture = pictures.cut_out(photos.shown_colours(image), picture)
            save(picture, drawing, recipe)
        return True


def save(picture: Pixels, drawing: Path, recipe: str) -> None:
    """Write a picture completely or not at all. It needs no seal: its own text and checksums say what it is."""
    note = PngInfo()
    note.add_text(MADE_OF, recipe)
    drawing.parent.mkdir(parents=True, exist_ok=True)
    staging = drawing.with_name(f".{drawing.name}.partial")
    try:
        Image.fromarray(picture).save(staging, "PNG", pnginfo=note, compress_level=COMPRESSION)
        staging.replace(drawing)
    finally:
        remove(staging)


def what_made(drawing: Path) -> str | None:
    """Return what a drawing says it was made from, or None if there is no complete drawing."""
    try:
        with Image.open(drawing, formats=["PNG"]) as image:
            said: str | None = image.info.get(MADE_OF)
            # This compares the checksums without decoding the picture.
            image.verify()
    except (OSError, SyntaxError, ValueError):
        return None
    return said


def method() -> str:
    """Return a digest of everything that decides what a picture looks like, except the photo and the model."""
    modules = (faces, photos, pictures, drawings)
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in modules) + Path(__file__).read_bytes()
    libraries = " ".join(version(package) for package in ("pillow", "numpy", "openvino"))
    return hashlib.sha256(code + libraries.encode()).hexdigest()


def name_drawings(found: Sequence[Path], folder: Path, product: str) -> dict[Path, str]:
    """Return each photo's drawing, named as the page names it.

    Photos whose names differ only in their ending keep the ending in their drawing's name.
    """
    relative = {path: path.relative_to(folder) for path in found}
    stems = Counter(str(path.with_suffix("")).lower() for path in relative.values())
    return {
        path: f"{name.with_suffix('') if stems[str(name.with_suffix('')).lower()] == 1 else name}-{product}.png"
        for path, name in relative.items()
    }


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="a folder, read with all folders in it")
    parser.add_argument("--manifest", type=Path, required=True, help="of the model at the resolution to draw at")
    parser.add_argument("--model", type=Path, required=True, help="the IR's model.xml that the manifest vouches for")
    parser.add_argument("--faces", type=Path, help="the face detector's .tflite file; draws only the largest face")
    parser.add_argument("--threads", type=int, required=True, help="photos drawn at the same time")
    parser.add_argument("--output", type=Path, required=True, help="folder of the drawings; what else is in it stays")
    parser.add_argument("--index", type=Path, required=True, help="JSON that says what became of each photo")
    arguments = parser.parse_args(argv)
    manifest = vouched(arguments.manifest)
    digests = {arguments.manifest.parents[3] / name: each.sha256 for name, each in manifest.artifacts.items()}
    files = (arguments.model, arguments.model.with_suffix(".bin"))
    for file in files:
        if file not in digests:
            raise Failure(f"{arguments.manifest} does not vouch for {file}; give the IR beside that manifest")
    xml, weights = (digests[file] for file in files)
    found, others = photos.find_photos(arguments.photos)
    if not found:
        raise Failure(f"{arguments.photos} holds no photo; give a folder with JPEG, PNG, WebP or AVIF files")
    names = name_drawings(found, arguments.photos, PRODUCTS[manifest.task])
    engine = open_model(arguments.model, arguments.threads, streams=arguments.threads)
    find_faces = faces.open_detector(arguments.faces) if arguments.faces else None
    artist = Artist(manifest.task, manifest.resolution, (xml, weights), method(), engine.predict, Lock(), find_faces)

    def draw(photo: Path) -> Outcome:
        name = str(photo.relative_to(arguments.photos))
        try:
            drawn = artist.draw(photo, arguments.output / names[photo])
        except photos.Unreadable as problem:
            print(f"{name}: {problem}", flush=True)
            return Outcome(name, None, str(problem))
        print(f"{name}: {'drawn' if drawn else 'its drawing is there'}", flush=True)
        return Outcome(name, names[photo], None)

    with ThreadPoolExecutor(arguments.threads) as pool:
        try:
            outcomes = list(pool.map(draw, found))
        except BaseException:
            # Finished drawings stay, and no other drawing begins.
            pool.shutdown(cancel_futures=True)
            raise
    report = {
        "model": manifest.model,
        "task": manifest.task,
        "resolution": manifest.resolution,
        "photos": str(arguments.photos),
        "outcomes": [asdict(outcome) for outcome in outcomes],
        "left_alone": [str(path.relative_to(arguments.photos)) for path in others],
    }
    write_json(arguments.index, report)


if __name__ == "__main__":
    run(main)
