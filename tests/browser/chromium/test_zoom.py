"""Photo and drawing are enlarged and moved together, with every kind of hand; the comparison stays where it is."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from skimage import data

from tests.support.visitors import Visitor, as_drawing

STILL = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}


def picture(sheet: Locator) -> NDArray[np.float64]:
    """What a sheet shows, in grey. A sheet may begin between two pixels, so the outermost ones are left out."""
    return np.asarray(Image.open(io.BytesIO(sheet.screenshot())).convert("L")).astype(float)[1:-1, 1:-1]


def zoom_of(page: Page) -> float:
    return float(page.get_by_test_id("result-view").get_attribute("data-zoom") or "")


def place_of(page: Page) -> list[float]:
    place: list[float] = page.get_by_test_id("result-view").evaluate(
        "(sheet) => ['--zoom', '--x', '--y'].map((name) => Number(sheet.style.getPropertyValue(name)))"
    )
    return place


def alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Correlate two pictures, the second at the size of the first."""
    size = one.shape[::-1]
    sized = np.asarray(Image.fromarray(other.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    return float(np.corrcoef(one.ravel(), sized.ravel())[0, 1])


def pinch(page: Page, sheet: Locator, apart: tuple[float, float]) -> None:
    """Put two fingers on a sheet and move them from one distance to another, about its middle."""
    box = sheet.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, distance in (("touchStart", apart[0]), *(("touchMove", d) for d in np.linspace(*apart, 6)[1:])):
        points = [{"x": x - distance / 2, "y": y, "id": 1}, {"x": x + distance / 2, "y": y, "id": 2}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("context_options", [STILL])
def test_wheel_enlarges_both_about_the_pointer(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    visitor.draw_sample("Cat")
    sheet, photo = page.get_by_test_id("result-view"), page.locator("#photo-view")
    # The whole photo lies over the result, so that both sheets show the same.
    page.get_by_test_id("compare").fill("100")
    before = alike(picture(sheet), picture(photo))
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    page.mouse.wheel(0, -600)
    expect(sheet).to_contain_class("enlarged")
    zoom, x, y = place_of(page)
    assert 3 < zoom < 4
    # What was below the pointer is there still.
    assert x + zoom * 0.75 == pytest.approx(0.75, abs=0.01)
    assert y + zoom * 0.25 == pytest.approx(0.25, abs=0.01)
    expect(photo).to_have_attribute("data-zoom", sheet.get_attribute("data-zoom") or "")
    enlarged = picture(photo)
    assert min(before, alike(picture(sheet), enlarged)) > 0.94
    # It is that place of the photo.
    height, width, _ = data.chelsea().shape
    part = [round(value) for value in (-x / zoom * width, -y / zoom * height, (1 - x) / zoom * width)]
    cut = Image.fromarray(data.chelsea()[part[1] : part[1] + round(height / zoom), part[0] : part[2]]).convert("L")
    shown = np.asarray(cut.resize(enlarged.shape[::-1], Image.Resampling.BICUBIC)).astype(float)
    assert alike(enlarged, shown) > 0.97
    # Out again: first the picture, then the page itself.
    page.mouse.wheel(0, 900)
    expect(sheet).not_to_contain_class("enlarged")
    expect(page.get_by_test_id("zoom-reset")).to_be_disabled()


@pytest.mark.parametrize("context_options", [STILL])
def test_the_comparison_stays_where_it_is(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    visitor.draw_sample("Coffee")
    page.get_by_test_id("product-mask").check()
    sheet, photo = page.get_by_test_id("result-view"), page.locator("#photo-view")
    page.get_by_test_id("compare").fill("40")
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(page.get_by_test_id("zoom-level")).to_have_text("2.3 ×")
    shown, of_photo = picture(sheet), picture(photo)
    line = round(0.4 * shown.shape[1])
    assert alike(shown[:, : line - 24], of_photo[:, : line - 24]) > 0.97
    assert alike(shown[:, line + 24 :], of_photo[:, line + 24 :]) < 0.9
    # The line itself can still be moved, and a drag beside it moves the picture.
    box = sheet.bounding_box()
    assert box is not None
    left, top, width, middle = box["x"], box["y"], box["width"], box["y"] + box["height"] / 2
    before = place_of(page)
    page.mouse.move(left + 0.42 * width, middle)
    page.mouse.down()
    page.mouse.move(left + 0.7 * width, middle, steps=4)
    page.mouse.up()
    assert 60 < float(page.get_by_test_id("compare").input_value()) < 80
    assert place_of(page) == before
    split = page.get_by_test_id("compare").input_value()
    page.mouse.move(left + 0.2 * width, top + 30)
    page.mouse.down()
    page.mouse.move(left + 0.4 * width, top + 50, steps=4)
    page.mouse.up()
    zoom, x, _ = place_of(page)
    assert x == pytest.approx(before[1] + 0.2, abs=0.01)
    assert zoom == before[0]
    assert page.get_by_test_id("compare").input_value() == split
    assert alike(picture(sheet)[:, : line - 24], picture(photo)[:, : line - 24]) > 0.97


@pytest.mark.parametrize("context_options", [STILL])
def test_by_keyboard(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    visitor.draw_sample("Cat")
    level, reset = page.get_by_test_id("zoom-level"), page.get_by_test_id("zoom-reset")
    # With Tab from the sheet to its slider and to the buttons.
    page.get_by_test_id("result-view").focus()
    page.keyboard.press("+")
    expect(level).to_have_text("1.5 ×")
    zoom, x, y = place_of(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert place_of(page) == pytest.approx([zoom, x - 0.1, y - 0.1])
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    assert place_of(page)[1] == 0
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("compare")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("compare")).to_have_value("1")
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("zoom-out")).to_be_focused()
    page.keyboard.press("Enter")
    # The button is of no use now, and the focus has gone to its neighbour.
    expect(level).to_have_text("1.0 ×")
    expect(page.get_by_test_id("zoom-in")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(reset).to_be_focused()
    page.keyboard.press("Enter")
    expect(level).to_have_text("1.0 ×")
    page.keyboard.press("-")
    expect(level).to_have_text("1.0 ×")
    # On the crop frame arrows still move the frame.
    page.get_by_test_id("whole-image").uncheck()
    frame = page.get_by_test_id("crop-frame")
    frame.focus()
    page.keyboard.press("+")
    expect(level).to_have_text("1.5 ×")
    start = frame.get_attribute("data-x")
    page.keyboard.press("ArrowRight")
    assert frame.get_attribute("data-x") != start
    page.keyboard.press("0")
    expect(level).to_have_text("1.0 ×")
    # Another photo begins with all of it.
    page.keyboard.press("+")
    visitor.draw_sample("Coffee")
    expect(level).to_have_text("1.0 ×")


@pytest.mark.parametrize("context_options", [{"has_touch": True, "viewport": {"width": 390, "height": 844}}])
def test_with_fingers(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    visitor.draw_sample("Cat")
    sheet = page.get_by_test_id("result-view")
    pinch(page, sheet, (40, 120))
    expect(page.get_by_test_id("zoom-level")).to_have_text("3.0 ×")
    expect(page.get_by_test_id("compare")).to_have_value("0")
    box = sheet.bounding_box()
    assert box is not None
    for _ in range(2):
        page.touchscreen.tap(box["x"] + 90, box["y"] + 60)
    expect(page.get_by_test_id("zoom-level")).to_have_text("1.0 ×")
    page.wait_for_timeout(500)
    for _ in range(2):
        page.touchscreen.tap(box["x"] + 90, box["y"] + 60)
    # It glides there, because this visitor has nothing against motion.
    expect(page.get_by_test_id("zoom-level")).to_have_text("3.0 ×")
    expect(page.get_by_test_id("compare")).to_have_value("0")
    # Two fingers on the crop frame zoom, and leave the frame where it was.
    page.get_by_test_id("zoom-reset").click()
    # The glide back takes a moment. A pinch before its end would begin at what is still enlarged.
    expect(page.get_by_test_id("zoom-level")).to_have_text("1.0 ×")
    page.get_by_test_id("whole-image").uncheck()
    frame = page.get_by_test_id("crop-frame")
    before = frame.get_attribute("data-width"), frame.get_attribute("data-x")
    pinch(page, page.locator("#photo-view"), (40, 120))
    expect(page.get_by_test_id("zoom-level")).to_have_text("3.0 ×")
    assert (frame.get_attribute("data-width"), frame.get_attribute("data-x")) == before


@pytest.mark.parametrize("context_options", [STILL])
def test_a_portrait_and_its_photo_show_the_same_place(visitor: Visitor, context_options: dict[str, Any]) -> None:
    visitor.context.route("**/catalogue*.json", as_drawing)
    page = visitor.open()
    # It draws by itself, once it has found the face.
    visitor.press_sample("Astronaut")
    visitor.wait_for_drawing(1)
    sheet, photo = page.get_by_test_id("result-view"), page.locator("#photo-view")
    page.get_by_test_id("compare").fill("100")
    # All of the photo beside all of the part that was drawn.
    assert alike(picture(sheet), picture(photo)) < 0.9
    for _ in range(3):
        page.get_by_test_id("zoom-in").click()
    part, whole = picture(sheet), picture(photo)
    assert alike(part, whole) > 0.9
