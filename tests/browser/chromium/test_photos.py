"""Photos that people bring: turned, animated, in other colours and depths, damaged, or made to take all memory."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from tests.support.visitors import Visitor
from workflow_scripts.website.predict_browser import PRESS_DRAW

CAT = Image.fromarray(data.chelsea())
WIDTH, HEIGHT = CAT.size
# The tag of a photo's orientation. 6 means: turn it to the right.
ORIENTATION, TURN_RIGHT = 0x0112, 6
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><script>window.injected = true</script>
<image href="https://example.com/tracked.png" width="9" height="9"/><rect width="50" height="50"/></svg>"""


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG file of filtered rows. Its header may say anything."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    framed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def turned() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    return saved(CAT.rotate(90, expand=True), "JPEG", quality=95, exif=exif)


def deep() -> bytes:
    """A photo with 16 bits per channel. Each row begins with its filter: 0, no filter."""
    wide = data.chelsea().astype(">u2") * 257
    return png(WIDTH, HEIGHT, 16, 2, b"".join(b"\0" + row.tobytes() for row in wide))


def see_through() -> bytes:
    """A photo with a transparent left half, whose colours must not show."""
    pixels = np.dstack([data.chelsea(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    pixels[:, : WIDTH // 2] = (255, 0, 0, 0)
    return saved(Image.fromarray(pixels), "PNG")


def half_white() -> Image.Image:
    pixels = data.chelsea().copy()
    pixels[:, : WIDTH // 2] = 255
    return Image.fromarray(pixels)


def animated(form: str, **options: Any) -> bytes:
    """The cat, and after it black and white."""
    others = [Image.new("RGB", CAT.size, colour) for colour in ("black", "white")]
    return saved(CAT, form, save_all=True, append_images=others, duration=20, loop=0, **options)


GREY = CAT.convert("L")
# A file, the photo that it shows, and how far its drawing may be from that photo's: 0 if every pixel is the same.
HANDLED: dict[str, tuple[Callable[[], bytes], Image.Image, float]] = {
    "turned by EXIF": (turned, CAT, 0.05),
    "16 bits a channel": (deep, CAT, 0),
    "transparent": (see_through, half_white(), 0),
    "CMYK": (lambda: saved(CAT.convert("CMYK"), "JPEG", quality=95), CAT, 0.05),
    "grey": (lambda: saved(GREY, "PNG"), GREY, 0),
    "palette": (lambda: saved(CAT.quantize(64), "PNG"), CAT.quantize(64), 0),
    "animated PNG": (lambda: animated("PNG"), CAT, 0),
    "animated WebP": (lambda: animated("WEBP", lossless=True), CAT, 0),
    "animated GIF": (lambda: animated("GIF"), CAT, 0.1),
}


def draw(visitor: Visitor, content: bytes, name: str = "photo") -> dict[str, Any]:
    """Choose a file and draw it."""
    page = visitor.page
    count = page.evaluate("() => window.drawings.length")
    before = page.locator("#photo").evaluate("(image) => image.src")
    visitor.choose(content, name)
    page.wait_for_function("(before) => document.getElementById('photo').src !== before", arg=before)
    page.evaluate(PRESS_DRAW)
    return visitor.wait_for_drawing(count + 1)


def difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert one["crop"] == other["crop"]
    apart: NDArray[np.float64] = np.abs(np.subtract(one["d0"], other["d0"]))
    return float(apart.mean())


def test_every_kind_of_photo_is_drawn_as_it_looks(visitor: Visitor) -> None:
    visitor.open()
    drawn: dict[bytes, dict[str, Any]] = {}
    for kind, (content, shown, most) in HANDLED.items():
        plain = saved(shown.convert("RGB"), "PNG")
        if plain not in drawn:
            drawn[plain] = draw(visitor, plain)
        apart = difference(draw(visitor, content(), kind), drawn[plain])
        print(f"{kind}: {apart:.1e}")
        assert apart <= most, kind
        assert drawn[plain]["crop"] == {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}
    # If EXIF or transparency were ignored, the drawing would be further away than that.
    cat, half = drawn[saved(CAT, "PNG")], drawn[saved(half_white(), "PNG")]
    assert difference(cat, half) > 0.1
    assert difference(cat, draw(visitor, saved(CAT.rotate(180), "PNG"))) > 0.1


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "photo-unreadable"),
    "text": (b"no image", "photo-unreadable"),
    "web page": (b"<!doctype html><script>window.injected = true</script>", "photo-unreadable"),
    "cut in its header": (saved(CAT, "PNG")[:20], "photo-unreadable"),
    "no pixels": (png(0, 0, 8, 2, b""), "photo-unreadable"),
    "2147483647 pixels a side": (png(2**31 - 1, 2**31 - 1, 8, 2, b"\0"), "photo-unreadable"),
    "900 million pixels": (png(30_000, 30_000, 8, 2, bytes(90_001)), "photo-unreadable"),
    # Chromium itself would open this file.
    "225 million pixels": (png(15_000, 15_000, 8, 2, bytes(45_001)), "photo-too-large"),
    "TIFF": (saved(CAT, "TIFF"), "photo-unreadable"),
    "drawing with a script": (SVG.encode(), "photo-unreadable"),
}


def test_what_is_no_photo_is_refused_and_the_one_before_stays(visitor: Visitor) -> None:
    page = visitor.open()
    first = draw(visitor, saved(CAT, "PNG"))
    photo = page.locator("#photo").get_attribute("src")
    for kind, (content, code) in REFUSED.items():
        mime = "image/svg+xml" if content.startswith(b"<svg") else "image/png"
        page.get_by_test_id("file").set_input_files({"name": f"{kind}.x", "mimeType": mime, "buffer": content})
        expect(page.locator("#error-text")).to_contain_text(f"{kind}.x")
        assert (kind, page.get_by_test_id("error").get_attribute("data-code")) == (kind, code)
        assert page.locator("#photo").get_attribute("src") == photo
    assert page.evaluate("() => window.injected") is None
    assert visitor.draw_again()["d0"] == first["d0"]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_photo_cut_in_its_middle_is_drawn_in_part_or_refused(visitor: Visitor, form: str) -> None:
    page = visitor.open()
    draw(visitor, saved(CAT, "PNG"))
    whole = saved(CAT, form)
    visitor.choose(whole[: len(whole) // 2], "cut")
    page.wait_for_timeout(500)
    page.evaluate(PRESS_DRAW)
    page.wait_for_function("() => document.documentElement.dataset.state === 'ready'")
    error = page.get_by_test_id("error")
    print(form, error.get_attribute("data-code") if error.is_visible() else "drawn")
    if error.is_visible():
        assert error.get_attribute("data-code") == "photo-unreadable"
    # Whether it was drawn or refused, the next photo is drawn.
    draw(visitor, saved(GREY, "PNG"))
    expect(error).to_be_hidden()
