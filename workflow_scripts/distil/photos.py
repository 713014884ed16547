"""The photos that a student is trained on: which files can be read, and which photos are held back."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import sha256

# A photo with a shorter side than this shows the network nothing to draw.
SMALLEST_SIDE = 64
# Photos are reduced to this longer side when they are read, because no crop is used at more than 512 pixels.
LONGEST_SIDE = 1280


@dataclass(frozen=True)
class Photo:
    """A readable photo and the SHA-256 of its file."""

    path: Path
    digest: str


@dataclass(frozen=True)
class Photos:
    """The photos of a folder. `skipped` names the files that hold no photo, each with the reason."""

    training: tuple[Photo, ...]
    held_back: tuple[Photo, ...]
    skipped: tuple[str, ...]


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Return a photo's RGB pixels, [height, width, 3], upright and at most LONGEST_SIDE long.

    Raises OSError or ValueError if the file is not a photo that Pillow can read.
    """
    with warnings.catch_warnings():
        # Pillow warns of a picture that would take too much memory, and refuses an even larger one. Refuse both.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            # Decode a JPEG at a smaller size if that is enough.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                upright = upright.convert("RGBA")
                paper = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(paper, upright)
            rgb = upright.convert("RGB")
    rgb.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(rgb)


def find_photos(folder: Path, held_back_share: float, fewest: int) -> Photos:
    """Return the photos below `folder`, with a share of them held back. Equal files count once.

    Only the photos' digests decide which are held back, so renaming the folder changes nothing.
    Raises Failure if the folder is missing or fewer than `fewest` photos can be read.
    """
    if not folder.is_dir():
        raise Failure(f"there is no folder of photos at {folder}; give the path of one with photos=PATH")
    found: dict[str, Photo] = {}
    skipped: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = str(path.relative_to(folder))
        try:
            height, width, _ = read_photo(path).shape
        except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
            skipped.append(f"{name}: {type(error).__name__}, not a photo that can be read")
            continue
        if min(height, width) < SMALLEST_SIDE:
            skipped.append(f"{name}: {width} × {height} pixels are fewer than {SMALLEST_SIDE} on a side")
            continue
        digest = sha256(path)
        if digest in found:
            skipped.append(f"{name}: the same file as {found[digest].path.relative_to(folder)}")
            continue
        found[digest] = Photo(path, digest)
    if len(found) < fewest:
        raise Failure(
            f"{folder} holds {len(found)} photos that can be read, and training takes at least {fewest}; add photos"
            + (f" (skipped: {'; '.join(skipped[:3])}{' …' if len(skipped) > 3 else ''})" if skipped else "")
        )
    ordered = [found[digest] for digest in sorted(found)]
    count = max(2, round(held_back_share * len(ordered)))
    return Photos(tuple(ordered[count:]), tuple(ordered[:count]), tuple(skipped))
