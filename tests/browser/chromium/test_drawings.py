"""What the page saves and what `draw` writes are the same picture."""

import io
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from tests.support.visitors import Visitor
from workflow_scripts.website.predict_browser import PRESS_DRAW

# The tag of a photo's orientation; 6 means that it is to be turned to the right.
ORIENTATION, TURN_RIGHT = 0x0112, 6


def write_photos(folder: Path) -> None:
    """Photos larger and smaller than the network's input, turned, see-through and grey."""
    folder.mkdir()
    Image.fromarray(data.astronaut()).save(folder / "astronaut.png")
    cat = Image.fromarray(data.chelsea())
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    cat.rotate(90, expand=True).save(folder / "turned.jpg", quality=95, exif=exif)
    cat.resize((100, 90)).save(folder / "small.webp", lossless=True)
    pixels = np.dstack([data.coffee(), np.full((400, 600), 255, np.uint8)])
    pixels[:, :200, 3] = 0
    Image.fromarray(pixels).save(folder / "see-through.png")
    cat.convert("L").save(folder / "grey.png")


def draw_folder(project: Path, photos: Path, output: Path) -> None:
    """Draw with the script that the rule starts, and the model that the site was built from."""
    model = Path("results/u2netp/128")
    command = [
        *(".venvs/draw/bin/python", "-m", "workflow_scripts.draw.draw_photos"),
        *(f"--photos={photos}", "--manifest", model / "manifest.json", "--model", model / "ir/model.xml"),
        *("--threads=2", "--output", output, "--index", output.with_suffix(".json")),
    ]
    subprocess.run(command, cwd=project, check=True)


def saved_by_page(visitor: Visitor, photo: Path) -> NDArray[np.uint8]:
    """Draw a photo on the page and download the cut-out."""
    page = visitor.page
    count = page.evaluate("() => window.drawings.length")
    before = page.locator("#photo").evaluate("(image) => image.src")
    visitor.choose(photo.read_bytes(), photo.name)
    page.wait_for_function("(before) => document.getElementById('photo').src !== before", arg=before)
    page.evaluate(PRESS_DRAW)
    visitor.wait_for_drawing(count + 1)
    expect(page.get_by_test_id("download")).to_have_attribute("aria-disabled", "false")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    assert download.value.suggested_filename == f"{photo.stem}-cut-out.png"
    return np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())))


def test_page_saves_what_the_workflow_draws(visitor: Visitor, site: Path, tmp_path: Path) -> None:
    photos, drawings = tmp_path / "photos", tmp_path / "drawings"
    write_photos(photos)
    draw_folder(site.parents[1], photos, drawings)
    visitor.open(resolution=128, backend="litert-wasm")
    for photo in sorted(photos.iterdir()):
        found = np.asarray(Image.open(drawings / f"{photo.stem}-cut-out.png")).astype(float)
        expected = saved_by_page(visitor, photo).astype(float)
        assert found.shape == expected.shape, photo.name
        alpha = np.abs(found[..., 3] - expected[..., 3])
        # A canvas stores colours multiplied by alpha, in 8 bits: what is seen is compared, not what is hidden.
        seen = np.abs(found[..., :3] * found[..., 3:] - expected[..., :3] * expected[..., 3:]) / 255
        print(f"{photo.name}: alpha differs by {alpha.max():.0f} at most, in {np.mean(alpha > 0):.1e} of the pixels;")
        print(f"  what is seen by {seen.max():.2f} of 255")
        assert alpha.max() <= 1, photo.name
        assert seen.max() <= 2, photo.name
