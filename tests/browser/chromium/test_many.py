"""Many photos: drawn in turn, shown in a grid, saved in one archive; what is no photo is named and stops no other."""

import io
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect
from skimage import data

from tests.support.visitors import Visitor, as_drawing, hosted, pytorch_picture
from workflow_scripts.shared.chromium import FLAGS, executable

DRAWN = "() => document.documentElement.dataset.state === 'ready' && document.getElementById('many-run')?.hidden"
CROPS = "() => window.drawings.map(({ crop }) => crop)"


def encoded(photo: NDArray[np.uint8], form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(photo).save(file, form)
    return file.getvalue()


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "text/plain" if name.endswith(".txt") else "image/png", "buffer": content}


def choose(page: Page, *files: FilePayload) -> None:
    page.get_by_test_id("file").set_input_files(files)


def archive(page: Page, name: str) -> dict[str, NDArray[np.uint8]]:
    """Download all results. Return the pixels of each file by its name."""
    with page.expect_download() as download:
        page.get_by_test_id("many-zip").click()
    assert download.value.suggested_filename == name
    with zipfile.ZipFile(download.value.path()) as files:
        assert files.testzip() is None
        return {entry: np.asarray(Image.open(io.BytesIO(files.read(entry)))) for entry in files.namelist()}


def test_photos_to_one_archive_and_what_is_no_photo_is_named(visitor: Visitor, site: Path, cat: bytes) -> None:
    page = visitor.open(dtype="float32")
    expect(page.get_by_test_id("many")).to_be_hidden()
    choose(
        page,
        payload("cat.png", cat),
        payload("notes.txt", b"no photo"),
        payload("cat.jpg", encoded(data.coffee())),
        payload("broken.jpg", encoded(data.coffee(), "JPEG")[:150]),
        payload("astronaut.png", encoded(data.astronaut())),
    )
    page.wait_for_function(DRAWN)
    expect(page.get_by_test_id("many-count")).to_have_text("3 of 5 drawn, 2 could not be.")
    expect(page.get_by_test_id("status")).to_have_text("3 of 5 drawn, 2 could not be.")
    assert page.get_by_test_id("many-errors").locator("li").all_inner_texts() == [
        "notes.txt cannot be read as an image here.",
        "broken.jpg cannot be read as an image here.",
    ]
    expect(page.get_by_test_id("many-item")).to_have_count(5)
    expect(page.get_by_test_id("many-item").locator("img")).to_have_count(3)
    pictures = archive(page, "cut-outs.zip")
    assert list(pictures) == ["cat-cut-out.png", "cat (2)-cut-out.png", "astronaut-cut-out.png"]
    assert pictures["cat (2)-cut-out.png"].shape == (400, 600, 4)
    # Each is what PyTorch draws of that photo.
    for name, probe in {"cat-cut-out.png": "chelsea", "astronaut-cut-out.png": "astronaut"}.items():
        assert np.abs(pictures[name][..., 3] - pytorch_picture(site, 64, probe)).max() <= 2


def test_cancelled_and_gone_on_with(visitor: Visitor, cat: bytes) -> None:
    page = visitor.open(resolution=128)
    choose(page, *[payload("cat.png", cat) for _ in range(12)])
    expect(page.get_by_test_id("many-progress")).to_be_visible()
    page.wait_for_function("() => document.querySelectorAll('.tile img').length >= 2")
    expect(page.get_by_test_id("many-turn")).to_contain_text(re.compile(r"Photo \d+ of 12"))
    page.get_by_test_id("cancel").click()
    expect(page.locator("html")).to_have_attribute("data-state", "ready")
    said = re.fullmatch(r"Cancelled\. (\d+) of 12 photos are drawn\.", page.get_by_test_id("status").inner_text())
    assert said is not None
    assert 2 <= int(said[1]) < 12
    expect(page.get_by_test_id("many-progress")).to_be_hidden()
    assert len(archive(page, "cut-outs.zip")) == int(said[1])
    expect(page.get_by_test_id("many-run")).to_have_text(re.compile("the other|the last one"))
    page.get_by_test_id("many-run").click()
    page.wait_for_function(DRAWN)
    names = ["cat-cut-out.png", *(f"cat ({number})-cut-out.png" for number in range(2, 13))]
    assert list(archive(page, "cut-outs.zip")) == names
    # Of other settings, they can be drawn again.
    page.get_by_test_id("resolution").select_option("64")
    expect(page.locator(".tile.old")).to_have_count(12)
    expect(page.get_by_test_id("many-run")).to_have_text("Draw all 12")


def test_each_portrait_is_framed_as_the_single_photo_and_opens_as_one(visitor: Visitor) -> None:
    hopper = Image.open(Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg").convert("RGB")
    visitor.context.route("**/catalogue*.json", as_drawing)
    page = visitor.open()
    choose(
        page, payload("astronaut.png", encoded(data.astronaut())), payload("hopper.png", encoded(np.asarray(hopper)))
    )
    page.wait_for_function(DRAWN)
    crops = page.evaluate(CROPS)
    assert len(crops) == 2
    assert all(crop["width"] == crop["height"] < 512 for crop in crops)
    assert set(archive(page, "portraits.zip")) == {"astronaut-portrait.png", "hopper-portrait.png"}
    page.get_by_test_id("many-item").nth(1).click()
    single = visitor.wait_for_drawing(3)
    assert single["crop"] == crops[1]
    assert single["d0"] == page.evaluate("() => Array.from(window.drawings[1].d0)")
    expect(page.get_by_test_id("many")).to_be_hidden()
    expect(page.get_by_test_id("result-view")).to_be_visible()
    page.get_by_test_id("many-back").click()
    expect(page.get_by_test_id("many")).to_be_visible()
    expect(page.get_by_test_id("many-item").nth(1)).to_be_focused()
    page.get_by_test_id("many-close").click()
    expect(page.get_by_test_id("many")).to_be_hidden()
    expect(page.get_by_test_id("many-back")).to_be_hidden()


def drop(page: Page, *paths: Path) -> None:
    """Drop files or folders on the page, as from a file manager."""
    session = page.context.new_cdp_session(page)
    items = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": items})


def test_a_dropped_folder(visitor: Visitor, cat: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    (folder / "day 2").mkdir(parents=True)
    for name in ("10.png", "9.png", "day 2/1.png", ".DS_Store"):
        (folder / name).write_bytes(cat)
    (folder / "list.txt").write_text("no photo")
    page = visitor.open()
    drop(page, folder)
    page.wait_for_function(DRAWN)
    names = page.locator(".tile .name").all_inner_texts()
    assert names == ["9.png", "10.png", "1.png", "list.txt"]
    assert page.get_by_test_id("many-errors").locator("li").all_inner_texts() == [
        "list.txt cannot be read as an image here."
    ]
    empty = tmp_path / "empty"
    empty.mkdir()
    drop(page, empty)
    assert "no file in this folder" in visitor.wait_for_error("photo-unreadable")
    # What was drawn before is still there.
    assert len(archive(page, "cut-outs.zip")) == 3


def large_photo(number: int, width: int = 4000, height: int = 3000) -> bytes:
    """A photo of 12 megapixels, no two alike."""
    small = np.roll(data.chelsea(), 7 * number, axis=1)
    photo = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=90)
    return file.getvalue()


def memory(page: Page) -> dict[str, float]:
    """Measure the page's JavaScript heap after a collection, and what its processes hold in memory, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    browser = page.context.browser
    assert browser is not None
    processes: Any = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    resident = {"heap": metrics["JSHeapUsedSize"] / 1e6}
    for process in processes:
        status = Path(f"/proc/{process['id']}/status").read_text()
        (kilobytes,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
        resident[process["type"]] = resident.get(process["type"], 0) + int(kilobytes) / 1e3
    return resident


def test_memory_stays_flat(browser: Browser, site: Path, tmp_path: Path) -> None:
    photos = int(os.environ.get("PHOTOS", "12"))
    paths = [tmp_path / f"{number}.jpg" for number in range(photos)]
    for number, path in enumerate(paths):
        path.write_bytes(large_photo(number))
    # The windows of `browser` are private. In those, what a page writes to the disk stays in memory.
    start = browser.browser_type.launch_persistent_context
    profile = start(tmp_path / "profile", executable_path=executable(), args=FLAGS)
    with hosted(site) as (host, stop), profile as context:
        visitor = Visitor(context, host, stop)
        page = visitor.open()
        page.get_by_test_id("file").set_input_files(paths)
        measured = []
        for count in range(4, photos + 1, 2):
            page.wait_for_function(f"() => document.querySelectorAll('.tile img').length >= {count}")
            measured.append(memory(page))
            print(count, {name: round(value) for name, value in measured[-1].items()})
        page.wait_for_function(DRAWN)
        grown = {name: measured[-1][name] - measured[0][name] for name in measured[0]}
        assert grown["heap"] < 10
        # The pixels of one photo take 48 MB, those of one result as many.
        assert grown["renderer"] < 300
        # It would hold the results, 5 MB each, if they were not on the disk.
        assert grown["browser"] < 2 * (photos - 4)
        assert len(archive(page, "cut-outs.zip")) == photos


SHELVES = """async () => {
  const names = [];
  for await (const [name, folder] of (await navigator.storage.getDirectory()).entries()) {
    for await (const file of folder.keys()) names.push(`${name}/${file}`);
  }
  return names;
}"""


def test_results_wait_on_the_disk_until_the_page_closes(visitor: Visitor, cat: bytes) -> None:
    page = visitor.open()
    choose(page, payload("cat.png", cat), payload("coffee.png", encoded(data.coffee())))
    page.wait_for_function(DRAWN)
    assert len(archive(page, "cut-outs.zip")) == 2
    shelved = page.evaluate(SHELVES)
    assert sorted(name.split("/")[1] for name in shelved) == ["1", "2", "3"]
    # A second page leaves the files of the first alone.
    other = visitor.context.new_page()
    other.goto(f"{visitor.host.origin}/?backend=wasm")
    other.wait_for_function("() => document.documentElement.dataset.state === 'ready'")
    assert page.evaluate(SHELVES) == shelved
    assert len(archive(page, "cut-outs.zip")) == 2
    page.close()
    other.reload()
    # The page sweeps beside its start. It may be ready before.
    for _ in range(100):
        if other.evaluate(SHELVES) == []:
            break
        other.wait_for_timeout(100)
    assert other.evaluate(SHELVES) == []
    other.close()


def test_results_stay_in_memory_where_the_disk_takes_none(visitor: Visitor, cat: bytes) -> None:
    visitor.context.add_init_script(
        "if (navigator.storage) navigator.storage.getDirectory = () => Promise.reject(new Error('none'))"
    )
    page = visitor.open()
    choose(page, payload("cat.png", cat), payload("coffee.png", encoded(data.coffee())))
    page.wait_for_function(DRAWN)
    assert set(archive(page, "cut-outs.zip")) == {"cat-cut-out.png", "coffee-cut-out.png"}
