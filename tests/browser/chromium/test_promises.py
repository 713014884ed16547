"""What always holds: isolation, contrast and labels, and clear words when something is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.visitors import AUDIT, AXE, Visitor
from workflow_scripts.website.predict_browser import IDLE, PRESS_DRAW

DAMAGE_LITERT = """async () => {
  const cache = await caches.open('files /assets/');
  const [kept] = await cache.keys();
  await cache.put(kept, new Response('damaged'));
  return kept.url;
}"""
INLINE_SCRIPT = """() => {
  const script = document.createElement('script');
  script.textContent = 'window.injected = true';
  document.head.append(script);
}"""


@pytest.mark.parametrize(
    "context_options",
    [
        {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
        for width in (390, 1440)
        for scheme in ("light", "dark")
    ],
    ids=lambda options: f"{options['viewport']['width']}-{options['color_scheme']}",
)
def test_accessible(visitor: Visitor, cat: bytes, context_options: dict[str, Any]) -> None:
    # Playwright adds the script, because the page's policy would refuse it.
    visitor.context.add_init_script(path=AXE)
    page = visitor.open()

    def check() -> None:
        report = page.evaluate(AUDIT)
        assert report["found"] == []
        assert {"color-contrast", "label", "button-name", "image-alt"} <= {*report["passes"]}

    check()
    visitor.draw_sample()
    page.get_by_test_id("whole-image").uncheck()
    check()
    visitor.choose(b"no image", "notes.png")
    visitor.wait_for_error("photo-unreadable")
    check()
    # Several files. One of them is not a photo.
    files = [("cat.png", cat), ("notes.png", b"no image")]
    page.get_by_test_id("file").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in files]
    )
    page.wait_for_function("() => document.getElementById('many-run')?.hidden")
    page.wait_for_function(IDLE)
    expect(page.get_by_test_id("many-errors")).to_be_visible()
    check()
    width = context_options["viewport"]["width"]
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    # The audit can fail: here it finds a fault.
    page.evaluate("() => document.querySelector('#file').removeAttribute('aria-label')")
    page.evaluate("() => document.querySelectorAll('label[for=file]').forEach((label) => label.remove())")
    assert any(found.startswith("label:") for found in page.evaluate(AUDIT)["found"])


def test_content_security_policy(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample()
    assert page.evaluate("() => window.violations") == []
    assert visitor.errors == []
    # The files that the worker loads are watched, too.
    assert any("/weights/" in url for url in visitor.requested)

    page.evaluate(INLINE_SCRIPT)
    assert page.evaluate("() => window.injected") is None
    refused = page.evaluate("() => fetch('https://example.com/').then(() => 'fetched', () => 'refused')")
    assert refused == "refused"
    assert page.evaluate("() => window.violations") == ["script-src-elem", "connect-src"]
    assert len(visitor.errors) >= 2
    visitor.errors.clear()
    visitor.requested[:] = [url for url in visitor.requested if url != "https://example.com/"]


def test_isolated(visitor: Visitor) -> None:
    page = visitor.open()
    assert page.evaluate("() => crossOriginIsolated")
    threads = min(8, page.evaluate("() => navigator.hardwareConcurrency"))
    visitor.draw_sample()
    timing = json.loads(page.locator("html").get_attribute("data-timing") or "")
    if threads > 1:
        assert 1 < timing["threads"] <= threads
        expect(page.get_by_test_id("figures")).to_contain_text(f"{timing['threads']} threads")


def test_without_isolation_one_thread_and_why(visitor: Visitor) -> None:
    visitor.host.isolated = False
    page = visitor.open()
    expect(page.locator("#backend-note")).to_contain_text("on one thread")
    expect(page.locator("#backend-note")).to_contain_text("COOP and COEP")
    visitor.draw_sample()
    assert json.loads(page.locator("html").get_attribute("data-timing") or "")["threads"] == 1


def test_unreadable_file(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.press_sample()
    page.evaluate(PRESS_DRAW)
    visitor.wait_for_drawing(1)
    visitor.choose(b"no image", "notes.png")
    message = visitor.wait_for_error("photo-unreadable")
    assert message == "notes.png cannot be read as an image here. Choose a JPEG, PNG, WebP or AVIF file."
    # The photo of before is still there, and the person can go on.
    visitor.draw_again()
    expect(page.get_by_test_id("error")).to_be_hidden()


def test_interrupted_download_says_so_and_goes_on(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.context.route("**/weights/*", lambda route: route.abort())
    visitor.press_sample()
    page.evaluate(PRESS_DRAW)
    assert "Check the connection and draw again" in visitor.wait_for_error("download-interrupted")
    visitor.context.unroute("**/weights/*")
    visitor.draw_again()
    assert all("ERR_FAILED" in error for error in visitor.errors), visitor.errors
    visitor.errors.clear()


def test_litert_that_cannot_start_is_replaced_and_why(visitor: Visitor) -> None:
    visitor.context.route("**/litert_wasm*.js", lambda route: route.abort())
    page = visitor.open(backend="litert-wasm")
    assert visitor.draw_sample()["backend"] == "wasm"
    expect(page.get_by_test_id("backend")).to_have_value("wasm")
    summary = page.get_by_test_id("machine-summary")
    expect(summary).to_contain_text("litert-wasm could not be started here")
    expect(summary).to_contain_text("went on with your processor (TensorFlow.js")
    assert all("ERR_FAILED" in error for error in visitor.errors), visitor.errors
    visitor.context.unroute("**/litert_wasm*.js")
    page.get_by_test_id("backend").select_option("litert-wasm")
    assert visitor.draw_again()["backend"] == "litert-wasm"
    # Of a damaged copy in the cache, the damaged part is fetched again.
    page.evaluate(DAMAGE_LITERT)
    visitor.host.answers.clear()
    page.reload()
    page.wait_for_function(IDLE)
    assert visitor.draw_sample()["backend"] == "litert-wasm"
    assert (
        len(
            [
                answer
                for answer in visitor.host.answers
                if "/assets/litert" in answer.path and answer.path.endswith(".bin")
            ]
        )
        == 1
    )
    visitor.errors.clear()


def test_site_without_litert_says_so(visitor: Visitor, site: Path) -> None:
    catalogue = json.loads((site / "catalogue.json").read_text())
    for size in (size for model in catalogue["models"] for size in model["resolutions"]):
        size["dtypes"] = [artifact for artifact in size["dtypes"] if artifact["engine"] == "tfjs"]
    visitor.context.route("**/catalogue.*json", lambda route: route.fulfill(json=catalogue))
    page = visitor.open(backend="litert-wasm")
    expect(page.get_by_test_id("backend")).to_have_value("wasm")
    expect(page.locator("#backend-note")).to_contain_text("This site does not hold u2netp for LiteRT.")
    assert visitor.draw_sample()["backend"] == "wasm"


def test_what_would_not_fit_is_said_before(visitor: Visitor) -> None:
    visitor.context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 0.1, configurable: true });"
    )
    page = visitor.open(backend="webgl", resolution=128)
    expect(page.locator("#resolution-note")).to_have_text("May not fit into graphics memory.")
    visitor.press_sample()
    page.evaluate(PRESS_DRAW)
    assert "graphics memory" in visitor.wait_for_error("out-of-memory")
    page.get_by_test_id("use-wasm").click()
    page.wait_for_function("() => window.drawings.length === 1")
    assert visitor.wait_for_drawing(1)["backend"] == "wasm"


def test_damaged_catalogue(visitor: Visitor) -> None:
    # Many servers answer with a page if they do not have the file.
    visitor.context.route(
        "**/catalogue.*json", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html")
    )
    page = visitor.context.new_page()
    page.goto(visitor.host.origin)
    page.get_by_test_id("error").wait_for()
    assert page.locator("html").get_attribute("data-state") == "failed"
    assert "catalogue.json" in page.locator("#error-text").inner_text()
    # What cannot work is not offered.
    for name in ("file", "camera-open", "run", "model"):
        expect(page.get_by_test_id(name)).to_be_disabled()
    expect(page.get_by_test_id("status")).to_have_text("")
