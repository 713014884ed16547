"""What people do with the page, from choosing a photo to saving the drawing."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from tests.support.visitors import TIMEOUT_MS, Visitor, pytorch_picture
from workflow_scripts.website.predict_browser import PRESS_DRAW

DROP = """([bytes, name]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
  return files;
}"""
# The fake camera twice. On a phone they have sides, on a computer only names. The page's wishes are kept.
TWO_CAMERAS = """if (isSecureContext) {
  window.asked = [];
  const settings = MediaStreamTrack.prototype.getSettings;
  const all = MediaDevices.prototype.enumerateDevices;
  const open = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.enumerateDevices = async function () {
    const [camera] = (await all.call(this)).filter(({ kind }) => kind === 'videoinput');
    return ['one', 'two'].map((deviceId) => ({ kind: camera.kind, deviceId }));
  };
  MediaDevices.prototype.getUserMedia = function ({ video: { facingMode, deviceId, ...video } }) {
    window.asked.push(facingMode ?? deviceId.exact);
    return open.call(this, { video });
  };
  MediaStreamTrack.prototype.getSettings = function () {
    const last = window.asked.at(-1);
    const given = settings.call(this);
    delete given.facingMode;
    return window.sides ? { ...given, facingMode: last } : { ...given, deviceId: last === 'two' ? 'two' : 'one' };
  };
}"""
COUNT_FRAMES = """() => {
  window.frames_seen = [];
  const see = (time) => {
    window.frames_seen.push({ time, state: document.documentElement.dataset.state });
    requestAnimationFrame(see);
  };
  requestAnimationFrame(see);
}"""


def timing(visitor: Visitor) -> dict[str, Any]:
    """Return the figures that the page measured for its last drawing."""
    content: dict[str, Any] = json.loads(visitor.page.locator("html").get_attribute("data-timing") or "")
    return content


def downloaded(visitor: Visitor, product: str) -> NDArray[np.uint8]:
    """Download one product of the last drawing. Return its pixels."""
    page = visitor.page
    page.get_by_test_id(f"product-{product}").check()
    expect(page.get_by_test_id("download")).to_have_attribute("aria-disabled", "false")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    assert download.value.suggested_filename.endswith(f"-{product}.png")
    return np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())))


@pytest.mark.parametrize(
    ("sample", "probe", "resolution", "backend"),
    [
        ("Astronaut", "astronaut", 64, "wasm"),
        ("Astronaut", "astronaut", 128, "wasm"),
        ("Cat", "chelsea", 64, "wasm"),
        ("Cat", "chelsea", 128, "wasm"),
        ("Cat", "chelsea", 64, "litert-wasm"),
    ],
)
def test_sample_to_png(visitor: Visitor, site: Path, sample: str, probe: str, resolution: int, backend: str) -> None:
    visitor.open(resolution=resolution, dtype="float32", backend=backend)
    assert visitor.draw_sample(sample)["backend"] == backend
    photo = getattr(data, probe)()
    height, width, _ = photo.shape
    expected = pytorch_picture(site, resolution, probe)

    mask = downloaded(visitor, "mask")
    assert mask.shape == (height, width, 4)
    for channel in range(3):
        assert np.abs(mask[..., channel] - expected).max() <= 2
    assert (mask[..., 3] == 255).all()
    assert expected.std() > 10

    cut_out = downloaded(visitor, "cut-out")
    assert np.abs(cut_out[..., 3] - expected).max() <= 2
    opaque = cut_out[..., 3] >= 250
    assert opaque.any()
    assert np.abs(cut_out[opaque][:, :3].astype(int) - photo[opaque]).max() <= 2


def test_same_photo_through_the_file_dialogue(visitor: Visitor, cat: bytes) -> None:
    visitor.open()
    sample = visitor.draw_sample("Cat")
    visitor.choose(cat, "cat.png")
    visitor.page.evaluate(PRESS_DRAW)
    assert visitor.wait_for_drawing(2) == sample


def test_drag_and_drop(visitor: Visitor, cat: bytes) -> None:
    page = visitor.open()
    files = page.evaluate_handle(DROP, [list(cat), "cat.png"])
    zone = page.get_by_test_id("drop-zone")
    zone.dispatch_event("dragover", {"dataTransfer": files})
    expect(page.locator("html")).to_contain_class("dropping")
    zone.dispatch_event("drop", {"dataTransfer": files})
    expect(page.locator("html")).not_to_contain_class("dropping")
    drawing = visitor.wait_for_drawing(1)
    assert drawing["crop"] == {"x": 0, "y": 0, "width": 451, "height": 300}
    assert drawing["backend"] == "wasm"


def test_copy_and_paste(visitor: Visitor) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open()
    visitor.draw_sample("Coffee")
    photo = page.locator("#photo").get_attribute("src")
    page.get_by_test_id("product-mask").check()
    page.get_by_test_id("copy").click()
    expect(page.get_by_test_id("status")).to_have_text("Copied.")
    page.keyboard.press("Control+V")
    # The copy of the mask is the photo now.
    drawing = visitor.wait_for_drawing(2)
    assert drawing["crop"] == {"x": 0, "y": 0, "width": 600, "height": 400}
    assert page.locator("#photo").get_attribute("src") != photo


def test_camera(visitor: Visitor) -> None:
    visitor.context.grant_permissions(["camera"])
    page = visitor.open()
    page.get_by_test_id("camera-open").click()
    expect(page.locator("#camera-view")).to_be_visible()
    expect(page.get_by_test_id("live")).to_be_visible()
    # It has begun by itself if this machine should draw a frame within a quarter of a second.
    page.get_by_test_id("live").check()
    # Before the first live drawing, the page downloads and loads the model.
    facts = page.get_by_test_id("result-facts")
    # At 128 where the machine is fast enough.
    rate = re.compile(r"^\d+\.\d frames a second at (64 × 64|128 × 128)\.$")
    expect(facts).to_have_text(rate, timeout=TIMEOUT_MS)
    expect(facts).to_be_visible()
    assert page.evaluate("() => window.drawings.length") == 0
    # There is one camera, so none to change to.
    expect(page.get_by_test_id("camera-turn")).to_be_hidden()
    page.get_by_test_id("live").uncheck()
    page.get_by_test_id("capture").click()
    drawing = visitor.wait_for_drawing(1)
    width, height = page.locator("#photo").evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
    assert drawing["crop"] == {"x": 0, "y": 0, "width": width, "height": height}
    assert max(drawing["d0"]) > min(drawing["d0"])
    expect(page.locator("#camera-view")).to_be_hidden()


@pytest.mark.parametrize("sides", [True, False], ids=["a phone", "a computer"])
def test_other_camera(visitor: Visitor, sides: bool) -> None:
    """The second camera is a stub: Chromium's fake camera has no sides, and two of them make it crash."""
    visitor.context.grant_permissions(["camera"])
    visitor.context.add_init_script(TWO_CAMERAS + f"window.sides = {json.dumps(sides)};")
    page = visitor.open()
    page.get_by_test_id("camera-open").click()
    expect(page.locator("#camera-view")).to_be_visible()
    video = page.locator("#camera")
    expect(video).to_contain_class("mirrored")
    turn = page.get_by_test_id("camera-turn")
    for count in (2, 3):
        turn.click()
        page.wait_for_function("(count) => window.asked.length === count", arg=count)
        expect(page.locator("#camera-view")).to_be_visible()
        if sides and count == 2:
            # What is seen from behind is not mirrored.
            expect(video).not_to_contain_class("mirrored")
    expected = ["user", "environment", "user"] if sides else ["user", "two", "one"]
    assert page.evaluate("() => window.asked") == expected


def test_camera_denied(visitor: Visitor) -> None:
    visitor.context.grant_permissions([])
    page = visitor.open()
    page.get_by_test_id("camera-open").click()
    assert "Allow it in the browser's settings" in visitor.wait_for_error("camera-unavailable")
    visitor.draw_sample()


def test_crop_with_the_keyboard(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample("Astronaut")
    page.get_by_test_id("whole-image").uncheck()
    frame = page.get_by_test_id("crop-frame")
    frame.focus()
    for keys in ("Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowUp", "ArrowRight", "Alt+ArrowDown"):
        page.keyboard.press(keys)
    crop = {side: int(frame.get_attribute(f"data-{side}") or "") for side in ("x", "y", "width", "height")}
    assert 0 < crop["x"] <= 512 - crop["width"]
    assert crop["y"] > 0
    assert crop["width"] != crop["height"]
    assert visitor.draw_again()["crop"] == crop
    assert downloaded(visitor, "mask").shape == (crop["height"], crop["width"], 4)


@pytest.mark.parametrize(
    ("backend", "graph", "own_bytes"),
    [
        # Only the constants that hold sizes, and none of the network's 4.5 MB of float weights.
        ("wasm", "float32/model", 2000),
        # The bytes between the weights of a .tflite file.
        ("litert-wasm", "litert-float32/recipe", 100_000),
    ],
)
def test_switching_resolution_downloads_little(visitor: Visitor, backend: str, graph: str, own_bytes: int) -> None:
    page = visitor.open(backend=backend)
    assert visitor.draw_sample()["resolution"] == 64
    first = {answer.path for answer in visitor.host.sent("weights")}
    visitor.host.answers.clear()
    page.get_by_test_id("resolution").select_option("128")
    assert visitor.draw_again()["resolution"] == 128
    models, weights = visitor.host.sent("models"), visitor.host.sent("weights")
    (named,) = [answer.path for answer in models]
    assert named.startswith(f"/models/u2netp/128/{graph}.")
    assert len(weights) == 1
    assert weights[0].path not in first
    assert weights[0].bytes < own_bytes
    assert timing(visitor)["bytes_fetched"] == sum(answer.bytes for answer in models + weights) < 300_000
    print(f"64 to 128: {models[0].bytes} + {weights[0].bytes} bytes")

    visitor.host.answers.clear()
    page.get_by_test_id("resolution").select_option("64")
    visitor.draw_again()
    assert visitor.host.sent("models") + visitor.host.sent("weights") == []


def test_switching_the_engine(visitor: Visitor) -> None:
    # Without a wish: GPUs are emulated here. LiteRT is faster, but not worth its download for so small a picture.
    page = visitor.open(backend="")
    expect(page.get_by_test_id("backend")).to_have_value("wasm")
    page.get_by_test_id("backend").select_option("litert-wasm")
    litert = visitor.draw_sample()
    assert litert["backend"] == "litert-wasm"
    assert timing(visitor)["tensors"] == 0
    page.get_by_test_id("backend").select_option("wasm")
    tfjs = visitor.draw_again()
    assert tfjs["backend"] == "wasm"
    assert 0 < np.abs(np.subtract(litert["d0"], tfjs["d0"])).max() < 2e-4
    visitor.host.answers.clear()
    page.get_by_test_id("backend").select_option("litert-wasm")
    assert visitor.draw_again() == litert
    # Weights and LiteRT itself are here already.
    assert visitor.host.sent("models") + visitor.host.sent("weights") == []
    assert [answer.path for answer in visitor.host.answers if "litert_wasm" in answer.path] == []
    visitor.draw_again()
    assert timing(visitor)["tensors"] == 0


@pytest.mark.parametrize("backend", ["wasm", "litert-wasm"])
def test_second_visit_offline(visitor: Visitor, backend: str) -> None:
    page = visitor.open(backend=backend)
    online = visitor.draw_sample()
    threads = timing(visitor)["threads"]
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.close()
    visitor.stop_host()
    visitor.open(backend=backend)
    again = visitor.draw_sample()
    assert again == online
    assert again["backend"] == backend
    assert timing(visitor)["threads"] == threads
    assert timing(visitor)["bytes_fetched"] == 0


def test_page_of_another_build_is_not_kept_for_offline(visitor: Visitor, site: Path) -> None:
    page = visitor.open()
    # The page is kept after the first drawing.
    visitor.draw_sample()
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.close()
    (icon,) = [path.name for path in site.glob("assets/icon-*.svg")]
    other = f"{icon[:-5]}{'0' if icon[-5] != '0' else '1'}.svg"
    visitor.host.replaced = (icon.encode(), other.encode())
    page = visitor.open()
    assert other in page.content()
    page.close()
    visitor.errors.clear()
    visitor.stop_host()
    page = visitor.open()
    assert icon in page.content()
    assert other not in page.content()


@pytest.mark.parametrize(("backend", "engine"), [("wasm", "tfjs"), ("litert-wasm", "litert")])
def test_damaged_shard_is_refused_and_the_rest_kept(visitor: Visitor, backend: str, engine: str) -> None:
    page = visitor.open(backend=backend)
    files = {f"/{name}" for name in artifact_files(visitor, engine)}
    shard = next(name for name in sorted(files) if name.startswith("/weights/"))
    visitor.host.damaged.add(shard)
    visitor.press_sample()
    page.evaluate(PRESS_DRAW)
    message = visitor.wait_for_error("file-corrupt")
    named = artifact_files(visitor, engine)
    assert f"part {named.index(shard.removeprefix('/')) + 1} of {len(named)} arrived damaged" in message
    assert "Draw again to fetch it once more" in message
    assert page.evaluate("() => window.drawings.length") == 0

    tried = {answer.path for answer in visitor.host.sent("models") + visitor.host.sent("weights")}
    # On a fast line several parts come at once. Those that had begun are kept, whatever becomes of one.
    good = tried - {shard}
    visitor.host.damaged.clear()
    visitor.host.answers.clear()
    visitor.draw_again()
    fetched = {answer.path for answer in visitor.host.sent("models") + visitor.host.sent("weights")}
    assert fetched == files - good
    expect(page.get_by_test_id("error")).to_be_hidden()


def artifact_files(visitor: Visitor, engine: str) -> list[str]:
    """Name the files of u2netp at 64 in float32 for one engine, as the catalogue does."""
    catalogue = visitor.page.request.get(f"{visitor.host.origin}/catalogue.json").json()
    (model,) = [entry for entry in catalogue["models"] if entry["name"] == "u2netp"]
    (size,) = [entry for entry in model["resolutions"] if entry["resolution"] == 64]
    (artifact,) = [entry for entry in size["dtypes"] if (entry["engine"], entry["dtype"]) == (engine, "float32")]
    return [artifact["model"]["url"], *(shard["url"] for shard in artifact["weights"])]


def test_lost_context_goes_on_with_wasm(visitor: Visitor) -> None:
    page = visitor.open(backend="webgl", debug="")
    visitor.press_sample()
    photo = page.locator("#photo").get_attribute("src")
    page.evaluate(PRESS_DRAW)
    expect(page.get_by_test_id("status")).to_have_text("Drawing.", timeout=180_000)
    page.evaluate("() => window.page.loseContext()")
    assert visitor.wait_for_drawing(1)["backend"] == "wasm"
    expect(page.get_by_test_id("backend")).to_have_value("wasm")
    summary = page.get_by_test_id("machine-summary")
    expect(summary).to_contain_text("Your graphics chip (TensorFlow.js, WebGL) failed")
    expect(summary).to_contain_text("went on with your processor")
    assert page.locator("#photo").get_attribute("src") == photo
    # A lost context may write one line to the console, and no other line may be there.
    visitor.errors[:] = [error for error in visitor.errors if "CONTEXT_LOST" not in error]


def test_cancel_during_a_run(visitor: Visitor) -> None:
    # On an emulated GPU a run takes so long that there is time to cancel it.
    page = visitor.open(backend="webgl")
    visitor.press_sample()
    page.evaluate(PRESS_DRAW)
    expect(page.get_by_test_id("progress-text")).to_contain_text(" s of about", timeout=180_000)
    expect(page.get_by_test_id("progress")).to_be_visible()
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("status")).to_have_text("Cancelled. The photo is still here.")
    expect(page.locator("html")).to_have_attribute("data-state", "ready")
    expect(page.get_by_test_id("progress")).to_be_hidden()
    assert page.evaluate("() => window.drawings.length") == 0
    page.get_by_test_id("backend").select_option("wasm")
    assert visitor.draw_again()["backend"] == "wasm"
    assert page.evaluate("() => window.drawings.length") == 1


def test_page_stays_responsive_during_runs(visitor: Visitor) -> None:
    page = visitor.open(resolution=128)
    visitor.draw_sample()
    page.evaluate(COUNT_FRAMES)
    runs = 4
    computed = 0.0
    for _ in range(runs):
        visitor.draw_again()
        computed += timing(visitor)["run_ms"]
    frames = page.evaluate("() => window.frames_seen")
    during = [frame["time"] for frame in frames if frame["state"] == "drawing"]
    gaps = np.diff(during)
    print(f"{len(during)} frames in {computed:.0f} ms of runs, median gap {np.median(gaps):.1f} ms")
    # If the page computed on its own thread, a run would be one long gap with few frames.
    assert len(during) > 5 * runs
    assert np.median(gaps) < computed / runs / 2


def test_tensors_do_not_leak(visitor: Visitor) -> None:
    visitor.open()
    visitor.draw_sample()
    tensors = {timing(visitor)["tensors"]}
    for _ in range(10):
        visitor.draw_again()
        tensors.add(timing(visitor)["tensors"])
    assert len(tensors) == 1
    assert tensors.pop() > 100
