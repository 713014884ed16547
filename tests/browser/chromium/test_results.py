"""The result: never of another photo, in sight on a phone, and downloaded without a byte too much."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.visitors import Visitor
from workflow_scripts.shared.serving import serving
from workflow_scripts.website.predict_browser import PRESS_DRAW

PHONE = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"}
IN_SIGHT = """(ids) => ids.filter((id) => {
  const { top, bottom } = document.getElementById(id).getBoundingClientRect();
  return top < -1 || bottom > innerHeight + 1;
})"""
# What the result's sheet holds at each change of the page's state.
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const work = document.getElementById('work');
    const sheet = document.getElementById('result-sheet').getBoundingClientRect();
    if (!work.hidden) window.seen.push([document.getElementById('work-title').textContent, sheet.top < innerHeight]);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
PASTE = """(text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text', text);
  document.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
}"""
# The contrast of black with each colour of the checkerboard below a cut-out, as it is drawn.
CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d');
  const { backgroundImage } = getComputedStyle(document.getElementById('result-view'));
  return Array.from(new Set(backgroundImage.match(/rgb\\([^)]*\\)/g)), (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = Array.from(canvas.getImageData(0, 0, 1, 1).data.slice(0, 3), (value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) / 0.05;
  });
}"""


def test_a_result_is_dimmed_while_it_is_of_other_settings(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample("Astronaut")
    stale, resolution = page.get_by_test_id("stale"), page.get_by_test_id("resolution")
    expect(stale).to_be_hidden()
    resolution.select_option("128")
    expect(stale).to_be_visible()
    expect(page.get_by_test_id("result-view")).to_contain_class("stale")
    resolution.select_option("64")
    expect(stale).to_be_hidden()
    page.get_by_test_id("whole-image").uncheck()
    page.get_by_test_id("crop-frame").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(stale).to_be_visible()
    visitor.draw_again()
    expect(stale).to_be_hidden()


def test_another_photo_takes_the_result_away_and_a_damaged_one_does_not(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample("Cat")
    expect(page.get_by_test_id("status")).to_have_text("Done.")
    visitor.choose(b"no image", "notes.png")
    visitor.wait_for_error("photo-unreadable")
    expect(page.get_by_test_id("status")).to_have_text("")
    expect(page.get_by_test_id("result-view")).to_be_visible()
    expect(page.get_by_test_id("stale")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    assert download.value.suggested_filename == "cat-cut-out.png"
    # The engine is held back, so that the new photo stays without a drawing.
    visitor.context.route("**/weights/*", lambda route: route.abort())
    page.get_by_test_id("backend").select_option("litert-wasm")
    visitor.press_sample("Coffee")
    expect(page.get_by_test_id("result-view")).to_be_hidden()
    page.evaluate(PRESS_DRAW)
    visitor.wait_for_error("download-interrupted")
    expect(page.get_by_test_id("status")).to_have_text("")
    expect(page.get_by_test_id("result-view")).to_be_hidden()
    visitor.errors.clear()


@pytest.mark.parametrize("context_options", [PHONE])
def test_on_a_phone_photo_button_and_result_are_in_sight(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    page.evaluate("() => (document.getElementById('advanced').open = false)")
    assert page.evaluate(IN_SIGHT, ["drop-zone", "run", "result-sheet"]) == []
    page.evaluate(WATCH)
    visitor.draw_sample()
    seen = page.evaluate("() => window.seen")
    assert "Drawing." in [title for title, _ in seen]
    assert all(visible for _, visible in seen)
    assert page.evaluate(IN_SIGHT, ["photo-view", "run", "result-view"]) == []
    # The whole result is shown: the slider is at its end.
    expect(page.get_by_test_id("compare")).to_have_value("0")
    expect(page.locator("#work")).to_be_hidden()


def announced(page: Page) -> int:
    """Return the bytes that the page says it will download."""
    found = re.match(r"([\d.]+) (kB|MB) to download", page.get_by_test_id("download-note").inner_text())
    assert found is not None
    return round(float(found[1]) * {"kB": 1e3, "MB": 1e6}[found[2]])


@pytest.mark.parametrize("context_options", [{"service_workers": "block"}])
@pytest.mark.parametrize("backend", ["wasm", "litert-wasm"])
def test_the_download_is_as_announced_and_no_more(
    visitor: Visitor, backend: str, context_options: dict[str, Any]
) -> None:
    """Without the service worker, which fetches the rest of the page after the first drawing."""
    page = visitor.open(backend=backend)
    opened = sum(answer.bytes for answer in visitor.host.answers)
    said = announced(page)
    visitor.host.answers.clear()
    visitor.draw_sample()
    sent = [answer for answer in visitor.host.answers if not answer.path.startswith("/samples/")]
    others = "tfjs" if backend == "litert-wasm" else "litert"
    assert [answer.path for answer in sent if others in answer.path] == []
    used = sum(answer.bytes for answer in sent)
    print(f"{backend}: opened with {opened} bytes; said {said}, sent {used} in {len(sent)} files")
    assert 0.93 * used < said < 1.07 * used
    # Most of it is the worker's script.
    assert opened < 600_000


def test_an_engine_goes_on_where_its_download_stopped(visitor: Visitor) -> None:
    page = visitor.open(backend="litert-wasm")
    visitor.context.route(re.compile(r"\.[345]-[^/]*\.bin$"), lambda route: route.abort())
    visitor.press_sample()
    page.evaluate(PRESS_DRAW)
    message = visitor.wait_for_error("download-interrupted")
    assert re.search(r"stopped at part [456] of 6", message)
    kept = {
        answer.path
        for answer in visitor.host.answers
        if "/assets/litert" in answer.path and answer.path.endswith(".bin")
    }
    assert len(kept) == 3
    visitor.context.unroute(re.compile(r"\.[345]-[^/]*\.bin$"))
    visitor.host.answers.clear()
    page.reload()
    page.wait_for_function("() => document.documentElement.dataset.state === 'ready'")
    assert visitor.draw_sample()["backend"] == "litert-wasm"
    fetched = {
        answer.path
        for answer in visitor.host.answers
        if "/assets/litert" in answer.path and answer.path.endswith(".bin")
    }
    assert len(fetched) == 3
    assert not fetched & kept
    visitor.errors.clear()


def test_a_pasted_address(visitor: Visitor, tmp_path: Path, cat: bytes) -> None:
    page = visitor.open()
    sample = page.evaluate("async () => (await (await fetch('catalogue.json')).json()).samples[1].url")
    page.evaluate(PASTE, f"{visitor.host.origin}/{sample}")
    expect(page.locator("#photo-view")).to_be_visible()
    drawn = visitor.wait_for_drawing(1)
    # The page ignores any other text.
    page.evaluate(PASTE, "good morning")
    expect(page.get_by_test_id("result-view")).to_be_visible()

    # From a host that lets every page read it, and from one that lets only another page read it.
    (tmp_path / "cat.png").write_bytes(cat)
    with serving(tmp_path) as open_host, serving(tmp_path, cors_origins=("https://example.org",)) as closed_host:
        page.evaluate(PASTE, f"{open_host}/cat.png?size=1")
        assert visitor.wait_for_drawing(2)["d0"] == drawn["d0"]
        (asked,) = [request for request in visitor.sent if request.url.startswith(open_host)]
        headers = asked.all_headers()
        assert (asked.method, asked.post_data, headers.get("referer"), headers.get("cookie")) == (
            "GET",
            None,
            None,
            None,
        )
        page.evaluate(PASTE, f"{open_host}/dog.png")
        assert "dog.png could not be loaded (the server answered 404)" in visitor.wait_for_error("download-interrupted")
        page.evaluate(PASTE, f"{closed_host}/cat.png")
        host = closed_host.removeprefix("http://")
        expect(page.locator("#error-text")).to_contain_text(
            f"{host} cannot be reached, or does not let other pages read"
        )
        # The page itself may still ask no other host.
        refused = page.evaluate("(url) => fetch(url).then(() => 'fetched', () => 'refused')", f"{open_host}/cat.png")
        assert refused == "refused"
        visitor.requested[:] = [url for url in visitor.requested if not url.startswith((open_host, closed_host))]
    expect(page.get_by_test_id("result-view")).to_be_visible()
    visitor.errors.clear()


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        ("img-src 'self'", "blob: in img-src"),
        ("script-src 'self'", "'wasm-unsafe-eval' in script-src"),
    ],
)
def test_a_stricter_policy_is_named(visitor: Visitor, policy: str, named: str) -> None:
    visitor.host.policy = policy
    page = visitor.open()
    page.get_by_alt_text("Sample photo: Cat").click()
    assert f"its Content-Security-Policy lacks {named}" in visitor.wait_for_error("policy")
    visitor.errors.clear()


def test_opened_by_a_double_click_it_says_what_it_needs(visitor: Visitor, site: Any) -> None:
    page = visitor.context.new_page()
    page.goto((site / "index.html").as_uri())
    expect(page.get_by_text("it needs a web server")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("snakemake serve")).to_be_visible()
    visitor.requested.clear()
    visitor.errors.clear()


@pytest.mark.parametrize("context_options", [{"color_scheme": scheme} for scheme in ("light", "dark")])
def test_black_things_are_seen_on_the_checkerboard(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    visitor.draw_sample()
    expect(page.get_by_test_id("result-view")).to_contain_class("checkered")
    ratios = page.evaluate(CONTRAST)
    print(context_options["color_scheme"], ratios)
    assert min(ratios) >= 3
