"""The page without a mouse, enlarged, and in colours that tell its controls apart."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.visitors import Visitor
from workflow_scripts.website.predict_browser import IDLE

# More than the page has places to stop at.
MOST_STOPS = 60
# What has the focus: the name that tests know it by, or its tag, and whether its mark is seen. A hidden file field
# shows the focus on its label, and a slider over a picture on its line.
FOCUSED = """() => {
  const element = document.activeElement;
  const shown = [element, element.previousElementSibling, element.parentElement].filter((part) => part !== null);
  const marked = shown.some((part) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(part);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  });
  const sliding = element.type === 'range' && parseFloat(getComputedStyle(element.parentElement, '::after').width) >= 4;
  return { name: element.dataset.testid ?? element.tagName, marked: marked || sliding };
}"""
# The contrast of each control's border with what lies around it (WCAG 1.4.11). Controls that do nothing are exempt, and
# those on a photo have a light and a dark line.
BORDERS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  // Colours painted over each other, because a border may let what is below it show through.
  const rgba = (...colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return Array.from(canvas.getImageData(0, 0, 1, 1).data);
  };
  const luminance = (...colours) => {
    const [r, g, b] = rgba(...colours).map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const around = (element) => {
    for (let part = element.parentElement; part !== null; part = part.parentElement) {
      const { backgroundColor } = getComputedStyle(part);
      if (rgba(backgroundColor)[3] === 255) return backgroundColor;
    }
  };
  const controls = document.querySelectorAll('button, .button, select, input[type=color], .drop-zone, progress');
  return Array.from(controls)
    .filter((one) => one.checkVisibility() && !one.closest('.framed, [aria-disabled=true]') && !one.disabled)
    .map((one) => {
      const [a, b] = [luminance(around(one), getComputedStyle(one).borderTopColor), luminance(around(one))];
      return [one.id || one.className || one.tagName, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}"""
OUT_OF_SIGHT = """() => Array.from(document.querySelectorAll('button, .button, select, input, summary, h1, h2'))
  .filter((one) => one.checkVisibility() && !one.closest('.visually-hidden, .framed'))
  .filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    return width > 0 && (left < -1 || right > innerWidth + 1) && getComputedStyle(one).position !== 'absolute';
  })
  .map((one) => one.outerHTML)"""


def go_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until the control has the focus. Every stop on the way shows where the focus is."""
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        focused = page.evaluate(FOCUSED)
        assert focused["marked"] or focused["name"] == "BODY", focused
        if focused["name"] == name:
            return
    raise AssertionError(f"{name} is never reached")


def test_from_sample_to_file_with_the_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.open()
    page.evaluate("() => (document.getElementById('advanced').open = false)")
    go_to(page, "sample")
    # The page begins by itself with a sample.
    page.keyboard.press("Enter")
    visitor.wait_for_drawing(1)
    whole = page.get_by_test_id("whole-image")
    expect(whole).to_be_checked()
    go_to(page, "whole-image")
    page.keyboard.press("Space")
    expect(whole).not_to_be_checked()
    go_to(page, "crop-frame", "Shift+Tab")
    for key in ("Shift+ArrowLeft", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.get_by_test_id("stale")).to_be_visible()
    frame = page.get_by_test_id("crop-frame")
    crop = {side: int(frame.get_attribute(f"data-{side}") or "") for side in ("x", "y", "width", "height")}
    go_to(page, "run")
    page.keyboard.press("Enter")
    assert visitor.wait_for_drawing(2)["crop"] == crop
    # The focus is where it was: on the button, although "Cancel" was in its place meanwhile.
    assert page.evaluate(FOCUSED)["name"] == "run"

    go_to(page, "compare")
    page.keyboard.press("End")
    expect(page.get_by_test_id("compare")).to_have_value("100")
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("before")).to_have_css("clip-path", "inset(0px 30% 0px 0px)")
    go_to(page, "product-cut-out")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("product-mask")).to_be_checked()
    page.keyboard.press("ArrowUp")

    go_to(page, "SUMMARY")
    page.keyboard.press("Enter")
    go_to(page, "background")
    # By its first letters, as in every list.
    page.keyboard.type("a c")
    expect(page.get_by_test_id("background")).to_have_value("colour")
    go_to(page, "format")
    page.keyboard.type("J")
    expect(page.get_by_test_id("format")).to_have_value("image/jpeg")
    go_to(page, "save")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    saved = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert (saved.format, saved.size) == ("JPEG", (crop["width"], crop["height"]))
    go_to(page, "language")
    page.keyboard.type("D")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_the_focus_is_never_caught(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample()
    page.get_by_test_id("export").locator("summary").click()
    page.evaluate("() => document.activeElement.blur()")
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED)["name"])
        if stops.count(stops[0]) > 1 and len(set(stops)) > 1 and stops[-1] == stops[0] != stops[-2]:
            break
    assert {"file", "sample", "run", "compare", "format", "model", "backend", "language"} <= set(stops)
    print(stops)


@pytest.mark.parametrize("context_options", [{"color_scheme": scheme} for scheme in ("light", "dark")])
def test_borders_of_controls_stand_out(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    seen = dict(page.evaluate(BORDERS))
    visitor.draw_sample()
    page.get_by_test_id("export").locator("summary").click()
    page.get_by_test_id("background").select_option("colour")
    seen |= dict(page.evaluate(BORDERS))
    faint = {name: ratio for name, ratio in seen.items() if ratio < 3}
    assert faint == {}
    assert {"drop-zone", "run", "model", "background", "background-colour", "save", "language"} <= set(seen)
    print(context_options["color_scheme"], min(seen.values()))
    # The check finds a faint border.
    page.evaluate("() => document.getElementById('save').style.setProperty('border-color', 'transparent')")
    assert dict(page.evaluate(BORDERS))["save"] < 3


@pytest.mark.parametrize(
    "context_options",
    [
        {"viewport": {"width": width, "height": height}, "device_scale_factor": 2, "locale": locale}
        # A window of 1280 pixels at 200 % is 640 wide, and at 400 % 320 (WCAG 1.4.4 and 1.4.10).
        for width, height in ((640, 360), (320, 640))
        for locale in ("en-GB", "de-DE")
    ],
    ids=lambda options: f"{options['viewport']['width']}-{options['locale']}",
)
def test_nothing_is_cut_off_when_enlarged(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    page.get_by_test_id("sample").first.click()
    visitor.wait_for_drawing(1)
    page.get_by_test_id("export").locator("summary").click()
    page.get_by_test_id("background").select_option("picture")
    page.wait_for_function(IDLE)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= context_options["viewport"]["width"]
    assert page.evaluate(OUT_OF_SIGHT) == []
