"""A video file becomes a drawn video of the same length."""

import base64
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.recordings import recorded
from tests.support.visitors import AUDIT, AXE, TIMEOUT_MS, Visitor, as_drawing

# Decode a video: its length, its size, and how grey, dark and light its pictures are.
LOOK = """async (encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes]));
  await new Promise((resolve, reject) => {
    video.onloadedmetadata = resolve;
    video.onerror = () => reject(new Error('not a video'));
  });
  const { videoWidth: width, videoHeight: height } = video;
  // A recorder does not write the length. Seeking far beyond the end finds it.
  if (!Number.isFinite(video.duration)) {
    video.currentTime = 1e9;
    await new Promise((resolve) => (video.ondurationchange = resolve));
  }
  const pictures = [];
  for (const share of [0.1, 0.5, 0.9]) {
    video.currentTime = share * video.duration;
    await new Promise((resolve) => (video.onseeked = resolve));
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    let [colour, dark, middle] = [0, 0, 0];
    const columns = new Array(width).fill(0);
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
      colour += Math.max(r, g, b) - Math.min(r, g, b);
      dark += g < 128;
      columns[(i / 4) % width] += g;
    }
    pictures.push({ colour: colour / (width * height), dark: dark / (width * height), columns });
  }
  return { seconds: video.duration, width, height, pictures };
}"""


def look(page: Page, video: bytes) -> dict[str, Any]:
    seen: dict[str, Any] = page.evaluate(LOOK, base64.b64encode(video).decode())
    return seen


def moved(video: dict[str, Any]) -> float:
    """Return how much the lightness of a column changes from a video's beginning to its end, of 255."""
    first, last = (video["pictures"][index]["columns"] for index in (0, -1))
    return max(abs(a - b) for a, b in zip(first, last, strict=True)) / video["height"]


def choose(page: Page, name: str, video: bytes) -> None:
    page.get_by_test_id("file").set_input_files({"name": name, "mimeType": "video/webm", "buffer": video})


@pytest.mark.parametrize(
    ("mime", "alpha"), [("video/webm;codecs=vp8", True), ("video/webm;codecs=vp9", False)], ids=["vp8-alpha", "vp9"]
)
def test_video_to_drawn_video(visitor: Visitor, mime: str, alpha: bool) -> None:
    visitor.context.route("**/catalogue*.json", as_drawing)
    visitor.context.add_init_script(path=AXE)
    page = visitor.open()
    original = recorded(page, mime, alpha=alpha)
    before = look(page, original)
    choose(page, "disc.webm", original)
    expect(page.get_by_test_id("video")).to_be_visible()
    expect(page.get_by_test_id("video-facts")).to_contain_text("of 320 × 240 pixels", timeout=TIMEOUT_MS)
    page.get_by_test_id("video-run").click()
    page.wait_for_function("() => document.getElementById('video-turn').textContent.startsWith('Picture ')")
    expect(page.get_by_test_id("status")).to_have_text("The video is drawn.", timeout=TIMEOUT_MS)
    expect(page.get_by_test_id("video-drawn")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_test_id("video-download").click()
    assert download.value.suggested_filename in ("disc-portrait.mp4", "disc-portrait.webm")
    drawn = look(page, Path(download.value.path()).read_bytes())
    assert page.evaluate(AUDIT)["found"] == []
    print(before["seconds"], drawn["seconds"], page.get_by_test_id("video-made").inner_text())
    assert drawn["seconds"] == pytest.approx(before["seconds"], rel=0.1)
    # A portrait is square. Drawings are grey, with lines on paper.
    assert (drawn["width"], drawn["height"]) == (240, 240)
    for picture in drawn["pictures"]:
        assert picture["colour"] < 4
        assert 0.02 < picture["dark"] < 0.98
    # The disc moves in the drawing, too.
    assert moved(drawn) > 20


def test_cancelled_and_drawn_again(visitor: Visitor) -> None:
    page = visitor.open(resolution=128)
    choose(page, "disc.webm", recorded(page, "video/webm;codecs=vp8"))
    page.get_by_test_id("video-run").click()
    # Each picture is on the page for a moment only. `expect` looks once a second.
    page.wait_for_function("() => Number(/\\d+/.exec(document.getElementById('video-turn').textContent)?.[0]) >= 4")
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("status")).to_have_text("Cancelled. The video is still here.")
    expect(page.locator("html")).to_have_attribute("data-state", "ready")
    expect(page.get_by_test_id("video-drawn")).to_be_hidden()
    expect(page.get_by_test_id("video-download")).to_be_hidden()
    page.get_by_test_id("resolution").select_option("64")
    page.get_by_test_id("video-run").click()
    expect(page.get_by_test_id("status")).to_have_text("The video is drawn.", timeout=TIMEOUT_MS)
    # Cut out of the whole picture, on white.
    with page.expect_download() as download:
        page.get_by_test_id("video-download").click()
    assert download.value.suggested_filename.startswith("disc-cut-out.")
    drawn = look(page, Path(download.value.path()).read_bytes())
    assert (drawn["width"], drawn["height"]) == (320, 240)
    # A photo takes its place.
    visitor.draw_sample("Cat")
    expect(page.get_by_test_id("video")).to_be_hidden()
    expect(page.get_by_test_id("result-view")).to_be_visible()


def test_what_cannot_be_drawn_is_said_in_one_line(visitor: Visitor) -> None:
    page = visitor.open()
    choose(page, "broken.webm", b"no video")
    assert visitor.wait_for_error("video-unreadable") == (
        "broken.webm cannot be read as a video here. Choose an MP4, MOV, WebM or MKV file."
    )
    expect(page.get_by_test_id("drop-zone")).to_be_visible()
    page.evaluate("() => delete window.VideoEncoder")
    choose(page, "fine.webm", recorded(page, "video/webm;codecs=vp8", 2))
    expect(page.locator("#error-text")).to_contain_text("it has no WebCodecs")
