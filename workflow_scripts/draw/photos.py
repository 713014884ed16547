"""Read photos as the page does: which files are read, and which pixels the network and the picture get."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from workflow_scripts.shared.drawings import Pixels

# The formats that Chromium, and so the page, can read. Pillow's JPEG includes MPO, which has a second picture.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "ICO")
# Files that people regard as pictures. If one cannot be read, it is named. Other files are ignored.
SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".avif", ".gif", ".bmp", ".ico"),
    *(".tif", ".tiff", ".heic", ".heif", ".jxl", ".jp2", ".svg", ".psd", ".dng", ".cr2", ".nef", ".arw"),
}
# The page refuses more than 200 million pixels. Pillow warns above this number and raises above twice of it.
Image.MAX_IMAGE_PIXELS = 100_000_000
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class Unreadable(Exception):
    """The page could not read this file as a photo. The message says why."""


def find_photos(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the pictures below a folder, and the other files, both in order. Hidden files are left out."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    photos = [path for path in files if path.suffix.lower() in SUFFIXES]
    return photos, [path for path in files if path.suffix.lower() not in SUFFIXES]


def decode(content: bytes) -> Image.Image:
    """Decode the first frame of a photo's file and turn it as EXIF says. Raises Unreadable if that fails."""
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        image.load()
        upright = ImageOps.exif_transpose(image)
    except UnidentifiedImageError as error:
        raise Unreadable("is no JPEG, PNG, WebP, AVIF, GIF, BMP or ICO file") from error
    except Image.DecompressionBombError as error:
        raise Unreadable("has more than 200 million pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise Unreadable(f"is damaged ({error})") from error
    if 0 in upright.size:
        raise Unreadable("has no pixels")
    return upright


def eight_bit(image: Image.Image) -> Image.Image:
    """Return an image with 8 bits per channel. Pillow keeps grey images at 16 bits."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    return image


def plain_colours(image: Image.Image) -> Image.Image:
    """Return an image's RGB colours, even those that its transparency hides."""
    return image.convert("RGBA").convert("RGB") if image.has_transparency_data else image.convert("RGB")


def on_white(colours: Image.Image, original: Image.Image) -> Pixels:
    """Lay RGB colours on white paper. The original's transparency, if it has any, says where the paper shows."""
    if original.has_transparency_data:
        alpha = original.convert("RGBA").getchannel("A")
        colours = Image.composite(colours, Image.new("RGB", colours.size, "white"), alpha)
    return np.asarray(colours)


def stored_colours(image: Image.Image) -> Pixels:
    """Return the RGB pixels [height, width, 3] that networks see: the file's own values, without its colour profile."""
    image = eight_bit(image)
    return on_white(plain_colours(image), image)


def shown_colours(image: Image.Image) -> Pixels:
    """Return the RGB pixels [height, width, 3] that a person sees: in sRGB, as a browser shows the photo.

    Like in browsers, a profile that cannot be used is ignored.
    """
    profile = image.info.get("icc_profile")
    image = eight_bit(image)
    plain = plain_colours(image)
    # The profile of a CMYK or grey file applies to its channels. The profile of a palette applies to its colours.
    source = image if image.mode in ("CMYK", "L") else plain
    try:
        if profile:
            converted = ImageCms.profileToProfile(
                source, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            plain = converted or plain
    except (ImageCms.PyCMSError, OSError):
        pass
    return on_white(plain, image)
