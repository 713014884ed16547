"""The page's languages: chosen by the browser, changed on the page, in every text that the page says."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.recordings import recorded
from tests.support.visitors import TIMEOUT_MS, Visitor
from workflow_scripts.website.predict_browser import PRESS_DRAW

# Every text that a person sees or hears, with those of attributes. What the site's catalogue says has lang="en".
TEXTS = """() => {
  const texts = new Set([document.title]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (!node.parentElement.closest('script, noscript, #unstarted, #language, #model-note')) texts.add(node.data);
  }
  for (const element of document.querySelectorAll('[aria-label], [aria-roledescription], [alt], [title]')) {
    for (const name of ['aria-label', 'aria-roledescription', 'alt', 'title']) {
      texts.add(element.getAttribute(name) ?? '');
    }
  }
  return Array.from(texts, (text) => text.replace(/\\s+/g, ' ').trim()).filter((text) => /\\p{L}{3}/u.test(text));
}"""
# Names, licences and terms that are the same in every language.
SAME = re.compile(
    r"Atelier|PNG|WebP|JPEG|Live|(float|uint)\d+ · [\d.,]+ [kM]B"
    r"|u2netp.*|Apache.*|litert.*|wasm.*"
)
GERMAN = {"locale": "de-DE"}


def open_sample(visitor: Visitor, index: int = 1) -> None:
    """Open a sample, by default the cat, and draw it, in whatever language."""
    page = visitor.page
    count = page.evaluate("() => window.drawings.length")
    before = page.locator("#photo").evaluate("(image) => image.src")
    page.get_by_test_id("sample").nth(index).click()
    page.wait_for_function("(before) => document.getElementById('photo').src !== before", arg=before)
    page.evaluate(PRESS_DRAW)
    visitor.wait_for_drawing(count + 1)


def everything_said(visitor: Visitor, page: Page) -> set[str]:
    """Return the texts of a visit: before a drawing, after it, with the panel of the export, an error, the camera."""
    visitor.context.grant_permissions(["camera"])
    said = set(page.evaluate(TEXTS))
    open_sample(visitor)
    page.get_by_test_id("export").locator("summary").click()
    page.get_by_test_id("whole-image").uncheck()
    page.get_by_test_id("resolution").select_option("128")
    said |= set(page.evaluate(TEXTS))
    page.get_by_test_id("check-device").click()
    expect(page.get_by_test_id("verified")).to_contain_text(re.compile(r"0[.,]000\d"), timeout=TIMEOUT_MS)
    visitor.choose(b"no image", "1.png")
    visitor.wait_for_error("photo-unreadable")
    said |= set(page.evaluate(TEXTS))
    page.get_by_test_id("camera-open").click()
    # Where the machine is fast enough, it is checked by the time it shows.
    expect(page.get_by_test_id("live")).to_be_visible()
    page.get_by_test_id("live").check()
    expect(page.get_by_test_id("result-facts")).to_contain_text(" × ", timeout=TIMEOUT_MS)
    said |= set(page.evaluate(TEXTS))
    page.get_by_test_id("camera-close").click()
    page.wait_for_function("() => document.documentElement.dataset.state === 'ready'")
    return said


@pytest.mark.parametrize(
    ("context_options", "code", "file", "draw", "title"),
    [
        ({"locale": "en-GB"}, "en", None, "Cut out", "Cut-outs in your browser · Atelier"),
        (GERMAN, "de", "de", "Freistellen", "Freisteller in Ihrem Browser · Atelier"),
        ({"locale": "ja-JP"}, "ja", "ja", "切り抜く", "ブラウザで作る切り抜き · Atelier"),
        ({"locale": "zh-CN"}, "zh-Hans", "zh", "抠图", "在浏览器里制作抠图 · Atelier"),
        ({"locale": "fi-FI"}, "en", None, "Cut out", "Cut-outs in your browser · Atelier"),
    ],
    ids=["en", "de", "ja", "zh", "fi"],
)
def test_the_browsers_language(
    visitor: Visitor, context_options: dict[str, Any], code: str, file: str | None, draw: str, title: str
) -> None:
    page = visitor.open()
    expect(page.locator("html")).to_have_attribute("lang", code)
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    expect(page.get_by_test_id("run")).to_have_text(draw)
    assert page.title() == title
    # Of the languages besides English, only this one was downloaded.
    loaded = {answer.path for answer in visitor.host.answers if re.match(r"/assets/(de|ja|zh)-", answer.path)}
    assert {path.split("/")[2][:2] for path in loaded} == ({file} if file else set())
    names = ("index", "de", "ja", "zh")
    scripts = [a.bytes for a in visitor.host.answers if re.match(rf"/assets/({'|'.join(names)})-.*js", a.path)]
    print(f"{code}: {sum(scripts)} bytes of script, {sum(answer.bytes for answer in visitor.host.answers)} in all")


def test_another_language_keeps_photo_and_drawing_and_is_remembered(visitor: Visitor) -> None:
    page = visitor.open()
    open_sample(visitor)
    facts = page.get_by_test_id("result-facts")
    expect(facts).to_contain_text("on your processor")
    visitor.choose(b"no image", "notes.png")
    assert visitor.wait_for_error("photo-unreadable").startswith("notes.png cannot be read")
    page.get_by_test_id("language").select_option("de")
    expect(facts).to_contain_text("auf Ihrem Prozessor gezeichnet")
    expect(page.locator("#error-text")).to_contain_text("notes.png lässt sich hier nicht als Bild lesen")
    expect(page.get_by_test_id("sample").nth(1).locator("img")).to_have_attribute("alt", "Beispielfoto: Katze")
    expect(page.get_by_test_id("result-view")).to_be_visible()
    expect(page.get_by_test_id("stale")).to_be_hidden()
    page.reload()
    page.wait_for_function("() => document.documentElement.dataset.state === 'ready'")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_test_id("language")).to_have_value("de")
    page.get_by_test_id("language").select_option("en")
    expect(page.get_by_test_id("run")).to_have_text("Cut out")


def test_no_english_is_left(visitor: Visitor) -> None:
    page = visitor.open()
    english = everything_said(visitor, page)
    page.get_by_test_id("language").select_option("de")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page = visitor.open()
    german = everything_said(visitor, page)
    left = {text for text in english & german if not SAME.fullmatch(text)}
    assert left == set()
    # As many texts as in English, so nothing went missing.
    assert len(german) > 0.9 * len(english) > 50


@pytest.mark.parametrize("context_options", [GERMAN])
def test_offline_in_the_same_language(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    open_sample(visitor)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.close()
    visitor.stop_host()
    page = visitor.open()
    expect(page.get_by_test_id("run")).to_have_text("Freistellen")
    page.get_by_test_id("language").select_option("ja")
    expect(page.get_by_test_id("run")).to_have_text("切り抜く")


@pytest.mark.parametrize("context_options", [{"viewport": {"width": width, "height": 900}} for width in (390, 1440)])
def test_from_right_to_left(visitor: Visitor, context_options: dict[str, Any]) -> None:
    page = visitor.open()
    page.evaluate("() => (document.documentElement.dir = 'rtl')")
    open_sample(visitor)
    width = context_options["viewport"]["width"]
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    # Words begin on the right. Of a picture, left stays left: the slider shows the photo from there.
    heading, header = page.locator("h1").bounding_box(), page.locator("header").bounding_box()
    assert heading is not None
    assert header is not None
    assert heading["x"] + heading["width"] == pytest.approx(header["x"] + header["width"], abs=1)
    view = page.get_by_test_id("result-view").bounding_box()
    assert view is not None
    page.mouse.click(view["x"] + 0.25 * view["width"], view["y"] + 0.5 * view["height"])
    shown = float(page.get_by_test_id("compare").input_value())
    assert shown == pytest.approx(25, abs=3)
    expect(page.get_by_test_id("before")).to_have_css("clip-path", f"inset(0px {100 - shown:g}% 0px 0px)")


def test_many_photos_and_a_video_change_too(visitor: Visitor, cat: bytes) -> None:
    page = visitor.open()
    video = {"name": "1.webm", "mimeType": "video/webm", "buffer": recorded(page, "video/webm;codecs=vp8", 2)}
    photos = [{"name": f"{number}.png", "mimeType": "image/png", "buffer": cat} for number in range(2)]
    page.get_by_test_id("file").set_input_files([*photos, video])
    page.wait_for_function(
        "() => document.getElementById('many-run')?.hidden && !document.getElementById('run').hidden"
    )
    expect(page.locator("#many-errors")).to_have_text("1.webm is a video. Open it alone to draw it.")
    page.get_by_test_id("file").set_input_files(video)
    expect(page.get_by_test_id("video-facts")).to_contain_text("pixels", timeout=TIMEOUT_MS)
    page.evaluate("() => delete window.VideoEncoder")
    page.get_by_test_id("file").set_input_files(video)
    visitor.wait_for_error("not-offered")
    english = set(page.evaluate(TEXTS))
    page.get_by_test_id("language").select_option("de")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    german = set(page.evaluate(TEXTS))
    # "Video" is German, too.
    assert {text for text in english & german if not SAME.fullmatch(text)} <= {"Video", "0.png", "1.png", "1.webm"}
    expect(page.locator("#many-errors")).to_have_text("1.webm ist ein Video. Öffnen Sie es allein, um es zu zeichnen.")
    expect(page.get_by_test_id("video-facts")).to_contain_text("Pixeln")
    expect(page.get_by_test_id("many-zip")).to_have_text("Alle herunterladen (ZIP)")
    expect(page.locator("#error-text")).to_contain_text("ihm fehlt WebCodecs")
