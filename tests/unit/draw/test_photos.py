import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from workflow_scripts.draw.photos import Unreadable, decode, find_photos, shown_colours, stored_colours

pytestmark = pytest.mark.environment("draw")

WIDTH, HEIGHT = 48, 32
PIXELS = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
PHOTO = Image.fromarray(PIXELS)
# The tag of a photo's orientation.
ORIENTATION = 0x0112


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    framed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda pixels: pixels),
        (2, lambda pixels: pixels[:, ::-1]),
        (3, lambda pixels: pixels[::-1, ::-1]),
        (4, lambda pixels: pixels[::-1]),
        (5, lambda pixels: pixels.transpose(1, 0, 2)),
        (6, lambda pixels: np.rot90(pixels, -1)),
        (7, lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda pixels: np.rot90(pixels, 1)),
    ],
)
def test_photo_is_turned_as_exif_says(orientation: int, turn: Any) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = decode(saved(PHOTO, "PNG", exif=exif))
    expected: NDArray[np.uint8] = turn(PIXELS)
    assert np.array_equal(stored_colours(image), expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(WIDTH, HEIGHT, 16, 2, b"".join(b"\0" + row.tobytes() for row in PIXELS.astype(">u2") * 257)), PIXELS),
        (
            png(WIDTH, HEIGHT, 16, 0, b"".join(b"\0" + row.tobytes() for row in PIXELS[..., 0].astype(">u2") * 257)),
            PIXELS[..., :1].repeat(3, axis=2),
        ),
        (saved(PHOTO, "WEBP", lossless=True), PIXELS),
        (saved(PHOTO, "BMP"), PIXELS),
        (saved(PHOTO, "PNG", save_all=True, append_images=[Image.new("RGB", PHOTO.size)]), PIXELS),
        (saved(PHOTO.quantize(16), "PNG"), np.asarray(PHOTO.quantize(16).convert("RGB"))),
        (saved(PHOTO.quantize(16), "GIF"), np.asarray(PHOTO.quantize(16).convert("RGB"))),
    ],
    ids=["16 bits", "grey of 16 bits", "WebP", "BMP", "animated PNG", "palette", "GIF"],
)
def test_every_kind_is_read_as_it_looks(content: bytes, expected: NDArray[np.uint8]) -> None:
    image = decode(content)
    assert np.array_equal(stored_colours(image), expected)
    assert np.array_equal(shown_colours(image), expected)


@pytest.mark.parametrize(
    ("form", "options"),
    [("AVIF", {"quality": 100, "subsampling": "4:4:4"}), ("MPO", {"quality": 100, "subsampling": 0})],
)
def test_lossy_kinds_are_read_nearly_as_they_look(form: str, options: dict[str, Any]) -> None:
    smooth = PHOTO.resize((8, 8)).resize(PHOTO.size, Image.Resampling.BICUBIC)
    found = stored_colours(decode(saved(smooth, form, **options))).astype(int)
    assert np.abs(found - np.asarray(smooth)).max() <= 6


def test_cmyk_is_read_as_it_looks() -> None:
    smooth = PHOTO.resize((8, 8)).resize(PHOTO.size, Image.Resampling.BICUBIC)
    content = saved(smooth.convert("CMYK"), "JPEG", quality=100, subsampling=0)
    assert np.abs(stored_colours(decode(content)).astype(int) - np.asarray(smooth)).mean() < 4


def test_what_is_transparent_lies_on_white() -> None:
    pixels = np.dstack([PIXELS, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    pixels[:, :10] = (255, 0, 0, 0)
    pixels[:, 10:20, 3] = 128
    found = stored_colours(decode(saved(Image.fromarray(pixels), "PNG")))
    assert (found[:, :10] == 255).all()
    half = 255 + (PIXELS[:, 10:20].astype(float) - 255) * 128 / 255
    assert np.abs(found[:, 10:20] - half).max() <= 1
    assert np.array_equal(found[:, 20:], PIXELS[:, 20:])


def test_networks_see_the_stored_colours_and_people_those_of_the_profile() -> None:
    # A profile whose primaries are swapped: what is stored as red is shown as blue.
    swapped = ImageCms.ImageCmsProfile(io.BytesIO(swapped_profile()))
    content = saved(Image.new("RGB", (4, 4), (255, 0, 0)), "PNG", icc_profile=swapped.tobytes())
    image = decode(content)
    assert stored_colours(image)[0, 0].tolist() == [255, 0, 0]
    shown = shown_colours(image)[0, 0].tolist()
    assert shown[2] > 250
    assert max(shown[:2]) < 5


def swapped_profile() -> bytes:
    """Return sRGB's profile with the primaries of red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)


def test_profile_that_is_none_is_ignored() -> None:
    image = decode(saved(PHOTO, "PNG", icc_profile=b"nothing"))
    assert np.array_equal(shown_colours(image), PIXELS)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no JPEG"),
        (b"no image", "is no JPEG"),
        (saved(PHOTO, "TIFF"), "is no JPEG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "is no JPEG"),
        (saved(PHOTO, "PNG")[:20], "is damaged|is no JPEG"),
        (saved(PHOTO, "PNG")[:200], "is damaged"),
        (saved(PHOTO, "JPEG")[:700], "is damaged"),
        (saved(PHOTO, "WEBP")[:100], "is damaged"),
        (png(0, 0, 8, 2, b""), "is no JPEG"),
        (png(15_000, 15_000, 8, 2, bytes(45_001)), "has more than 200 million pixels"),
        (png(2**31 - 1, 2**31 - 1, 8, 2, b"\0"), "has more than 200 million pixels"),
    ],
    ids=["empty", "text", "TIFF", "SVG", "cut header", "cut PNG", "cut JPEG", "cut WebP", "0", "225 million", "2^62"],
)
def test_what_is_no_photo_says_why(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        decode(content)


def test_pictures_are_found_below_the_folder_and_other_files_told_apart(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/c.PNG", "a/d.heic", "notes.txt", ".hidden.jpg", ".git/e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    photos, others = find_photos(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in photos] == ["a/c.PNG", "a/d.heic", "b.jpg"]
    assert [path.name for path in others] == ["notes.txt"]
