"""Photos as the page takes them in: which files are read, and how their pixels reach the network and the picture."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from workflow_scripts.shared.drawings import Pixels

# What Chromium reads, and with it the page. Pillow's JPEG includes MPO: a second picture stands behind the first.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "ICO")
# Files that their owner takes for pictures: one that cannot be read is named. Other files are left alone.
SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".avif", ".gif", ".bmp", ".ico"),
    *(".tif", ".tiff", ".heic", ".heif", ".jxl", ".jp2", ".svg", ".psd", ".dng", ".cr2", ".nef", ".arw"),
}
# The page refuses more than 200 million pixels. Pillow raises at twice this number, and warns from here on.
Image.MAX_IMAGE_PIXELS = 100_000_000
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class Unreadable(Exception):
    """A file that is no photo that the page would read; the message says why."""


def find_photos(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the pictures below a folder and the other files, each in order; what is hidden is neither."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    photos = [path for path in files if path.suffix.lower() in SUFFIXES]
    return photos, [path for path in files if path.suffix.lower() not in SUFFIXES]


def decode(content: bytes) -> Image.Image:
    """Decode the first frame of a photo's file and turn it as EXIF says; raise Unreadable if that cannot be done."""
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
    """Return an image of 8 bits a channel: Pillow keeps the 16 bits of grey ones."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    return image


def plain_colours(image: Image.Image) -> Image.Image:
    """Return an image's RGB colours, also those that its transparency hides."""
    return image.convert("RGBA").convert("RGB") if image.has_transparency_data else image.convert("RGB")


def on_white(colours: Image.Image, original: Image.Image) -> Pixels:
    """Lay RGB colours on white paper with the original's transparency, if it has any."""
    if original.has_transparency_data:
        alpha = original.convert("RGBA").getchannel("A")
        colours = Image.composite(colours, Image.new("RGB", colours.size, "white"), alpha)
    return np.asarray(colours)


def stored_colours(image: Image.Image) -> Pixels:
    """Return the RGB pixels [height, width, 3] that networks see: as they stand in the file, whatever its profile."""
    image = eight_bit(image)
    return on_white(plain_colours(image), image)


def shown_colours(image: Image.Image) -> Pixels:
    """Return RGB pixels [height, width, 3] in sRGB, as a browser shows the photo: what a person sees.

    A profile that cannot be used is ignored, as browsers do.
    """
    profile = image.info.get("icc_profile")
    image = eight_bit(image)
    plain = plain_colours(image)
    # The profiles of CMYK and grey files speak of those channels; of palettes, of the colours in them.
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
