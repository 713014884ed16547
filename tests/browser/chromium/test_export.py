"""What is saved besides the plain PNG: another background, other colours, another format, at the photo's full size."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, expect
from skimage import data

from tests.support.visitors import Visitor, as_drawing
from workflow_scripts.website.predict_browser import PRESS_DRAW, png

SET_COLOUR = """(input, colour) => {
  input.value = colour;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}"""

# The platform's dialogue: it takes every file, and answers as a test says.
SHARE = """{
  window.shared = [];
  window.answer = null;
  Navigator.prototype.canShare = () => true;
  Navigator.prototype.share = async ({ files }) => {
    window.shared.push(files[0]);
    if (window.answer !== null) throw window.answer;
  };
}"""
SHARED = """async () => {
  const [file] = window.shared;
  return [file.name, file.type, Array.from(new Uint8Array(await file.arrayBuffer()))];
}"""


def saved(visitor: Visitor, button: str, name: str) -> NDArray[np.uint8]:
    """Press a button that saves a file of this name. Return its pixels."""
    with visitor.page.expect_download() as download:
        visitor.page.get_by_test_id(button).click()
    assert download.value.suggested_filename == name
    return np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())))


def set_colour(field: Locator, colour: str) -> None:
    field.evaluate(SET_COLOUR, colour)


def test_cut_out_on_other_backgrounds(visitor: Visitor, cat: bytes) -> None:
    page = visitor.open(model="u2netp")
    expect(page.get_by_test_id("export")).to_be_hidden()
    visitor.choose(cat, "cat.png")
    page.evaluate(PRESS_DRAW)
    visitor.wait_for_drawing(1)
    expect(page.get_by_test_id("download")).to_have_attribute("aria-disabled", "false")
    cut_out = saved(visitor, "download", "cat-cut-out.png")
    alpha = cut_out[..., 3:].astype(float) / 255
    page.get_by_test_id("export").locator("summary").click()
    expect(page.get_by_test_id("finished")).to_be_visible()

    page.get_by_test_id("background").select_option("colour")
    set_colour(page.get_by_test_id("background-colour"), "#2080ff")
    coloured = saved(visitor, "save", "cat-cut-out.png")
    expected = data.chelsea() * alpha + np.array((0x20, 0x80, 0xFF)) * (1 - alpha)
    assert coloured.shape == (300, 451, 4)
    assert np.abs(coloured[..., :3] - expected).max() <= 3
    assert (coloured[..., 3] == 255).all()

    page.get_by_test_id("background").select_option("picture")
    flat = np.full((60, 40, 3), (10, 200, 30), np.uint8)
    page.get_by_test_id("background-file").set_input_files(
        {"name": "green.png", "mimeType": "image/png", "buffer": png(flat)}
    )
    page.get_by_test_id("format").select_option("image/jpeg")
    page.wait_for_function("() => document.getElementById('background-file').value === ''")
    pictured = saved(visitor, "save", "cat-cut-out.jpg").astype(float)
    expected = data.chelsea() * alpha + flat[0, 0] * (1 - alpha)
    assert pictured.shape == (300, 451, 3)
    assert np.abs(pictured - expected).mean() < 4

    # The blurred photo has the photo's colours, and no hole.
    page.get_by_test_id("background").select_option("blur")
    page.get_by_test_id("format").select_option("image/png")
    blurred = saved(visitor, "save", "cat-cut-out.png")
    assert (blurred[..., 3] == 255).all()
    assert np.abs(blurred[..., :3].mean((0, 1)) - data.chelsea().mean((0, 1))).max() < 6

    page.get_by_test_id("background").select_option("none")
    page.get_by_test_id("trim").check()
    rows, columns = (np.flatnonzero((cut_out[..., 3] >= 16).any(axis)) for axis in (1, 0))
    trimmed = saved(visitor, "save", "cat-cut-out.png")
    assert np.array_equal(trimmed, cut_out[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])

    page.get_by_test_id("background-file").set_input_files(
        {"name": "note.txt", "mimeType": "image/png", "buffer": b"no picture"}
    )
    assert "note.txt cannot be read as an image" in visitor.wait_for_error("photo-unreadable")


def test_drawing_in_ink_of_another_colour(visitor: Visitor) -> None:
    visitor.context.route("**/catalogue*.json", as_drawing)
    page = visitor.open(model="u2netp")
    visitor.draw_sample("Coffee")
    expect(page.get_by_test_id("download")).to_have_attribute("aria-disabled", "false")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    grey = np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())))[..., 0].astype(float)
    name = download.value.suggested_filename
    page.get_by_test_id("export").locator("summary").click()
    expect(page.get_by_test_id("background")).to_be_hidden()

    set_colour(page.get_by_test_id("ink"), "#102040")
    set_colour(page.get_by_test_id("paper"), "#fff0e0")
    ink, paper = np.array((0x10, 0x20, 0x40)), np.array((0xFF, 0xF0, 0xE0))
    tinted = saved(visitor, "save", name)
    expected = (ink * (255 - grey[..., None]) + paper * grey[..., None]) / 255
    assert np.abs(tinted[..., :3] - expected).max() <= 1

    page.get_by_test_id("no-paper").check()
    alone = saved(visitor, "save", name)
    assert np.abs(alone[..., 3] - (255 - grey)).max() <= 1
    assert np.abs(alone[alone[..., 3] > 250][:, :3] - ink).max() <= 1


def test_sharing_hands_over_what_would_be_saved(visitor: Visitor) -> None:
    """The platform's own dialogue is a stub here: Chromium has none on Linux."""
    visitor.context.add_init_script(SHARE)
    page = visitor.open()
    visitor.draw_sample("Coffee")
    page.get_by_test_id("export").locator("summary").click()
    page.get_by_test_id("background").select_option("colour")
    set_colour(page.get_by_test_id("background-colour"), "#2080ff")
    expected = saved(visitor, "save", "coffee-cut-out.png")
    page.get_by_test_id("share").click()
    page.wait_for_function("() => window.shared.length === 1")
    name, kind, content = page.evaluate(SHARED)
    assert (name, kind) == ("coffee-cut-out.png", "image/png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(bytes(content)))), expected)
    # Somebody who closes the dialogue has done nothing wrong.
    page.evaluate("() => (window.answer = new DOMException('closed', 'AbortError'))")
    page.get_by_test_id("share").click()
    page.wait_for_function("() => window.shared.length === 2")
    expect(page.get_by_test_id("error")).to_be_hidden()
    page.evaluate("() => (window.answer = new Error('no printer'))")
    page.get_by_test_id("share").click()
    assert "could not be handed over: no printer" in visitor.wait_for_error("internal")


def test_sharing_is_not_offered_where_there_is_none(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample()
    page.get_by_test_id("export").locator("summary").click()
    expect(page.get_by_test_id("save")).to_be_visible()
    assert page.get_by_test_id("share").is_visible() == page.evaluate("() => 'canShare' in navigator")
