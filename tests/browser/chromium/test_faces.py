"""A portrait begins around the largest face: the page, the library and `draw` find the same one."""

import io
import json
import subprocess
from dataclasses import dataclass
from math import cos, hypot, radians, sin
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route, expect
from skimage import data, feature

from tests.support.visitors import Visitor
from workflow_scripts.website.predict_browser import PRESS_DRAW

FIND_IN_PYTHON = """
import json, sys
from dataclasses import asdict
from pathlib import Path
import numpy as np
from PIL import Image
from workflow_scripts.draw.faces import frame_portrait, open_detector
find = open_detector(Path("web/node_modules/@mediapipe/face_detection/face_detection_short_range.tflite"))
for path in sys.argv[1:]:
    photo = Image.open(path).convert("RGB")
    faces = find(np.asarray(photo))
    print(json.dumps({"faces": [asdict(face) for face in faces], "frame": frame_portrait(faces, *photo.size)}))
"""
FIND_IN_LIBRARY = """async (photos) => {
  const { loadModel } = await import('./lib/u2net.js');
  const model = await loadModel('u2netp', { resolution: 64, backend: 'wasm' });
  const found = [];
  for (const photo of photos) found.push(await model.faces(photo));
  const drawing = await model.draw(photos[0], { face: true });
  return { found, width: drawing.width, height: drawing.height };
}"""

# The frame is a square of about 1.8 times the face, and the face's middle [x, y] is in it.
AROUND = """([x, y, size]) => {
  const frame = document.getElementById('crop-frame').dataset;
  const [left, top, width, height] = [frame.x, frame.y, frame.width, frame.height].map(Number);
  const inside = left < x && x < left + width && top < y && y < top + height;
  return inside && width === height && 1.3 < width / size && width / size < 2.2;
}"""
KEEP_STATUS = """() => {
  const status = document.getElementById('status');
  window.said = [];
  new MutationObserver(() => window.said.push(status.textContent)).observe(status, { childList: true });
}"""


@dataclass(frozen=True)
class Known:
    """A photo, and where its faces are: the middle of each and its size, the largest first."""

    photo: Image.Image
    faces: list[tuple[float, float, float]]


def by_cascade(photo: Image.Image) -> tuple[float, float, float]:
    """Find one upright face by another method, scikit-image's cascade of local binary patterns."""
    cascade = feature.Cascade(data.lbp_frontal_face_cascade_filename())
    (found,) = cascade.detect_multi_scale(np.asarray(photo), 1.1, 1, (60, 60), (300, 300))
    return found["c"] + found["width"] / 2, found["r"] + found["height"] / 2, found["width"]


def rotated(photo: Image.Image, face: tuple[float, float, float], degrees: float) -> Known:
    """Turn a photo about its middle, to the left."""
    x, y, size = face
    dx, dy = x - photo.width / 2, y - photo.height / 2
    angle = radians(degrees)
    turned = (dx * cos(angle) + dy * sin(angle), dy * cos(angle) - dx * sin(angle))
    return Known(photo.rotate(degrees), [(turned[0] + photo.width / 2, turned[1] + photo.height / 2, size)])


@pytest.fixture(scope="module")
def known() -> dict[str, Known]:
    astronaut = Image.fromarray(data.astronaut())
    hopper = Image.open(Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg").convert("RGB")
    first, second = by_cascade(astronaut), by_cascade(hopper)
    pair = Image.new("RGB", (1100, 600), "grey")
    pair.paste(hopper, (0, 0))
    pair.paste(astronaut, (560, 50))
    return {
        "astronaut": Known(astronaut, [first]),
        "hopper": Known(hopper, [second]),
        "pair": Known(pair, [second, (first[0] + 560, first[1] + 50, first[2])]),
        "turned": rotated(astronaut, first, 20),
        "tilted": rotated(hopper, second, -30),
        "cat": Known(Image.fromarray(data.chelsea()), []),
        "coffee": Known(Image.fromarray(data.coffee()), []),
    }


def png(photo: Image.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, "PNG")
    return file.getvalue()


def box_of(face: dict[str, Any]) -> tuple[float, ...]:
    return tuple(face["box"][side] for side in ("x", "y", "width", "height"))


@pytest.mark.parametrize("context_options", [{}])
def test_library_and_draw_find_the_known_faces(
    visitor: Visitor, site: Path, known: dict[str, Known], tmp_path: Path
) -> None:
    paths = [tmp_path / f"{name}.png" for name in known]
    for path, photo in zip(paths, known.values(), strict=True):
        path.write_bytes(png(photo.photo))
    command = [".venvs/draw/bin/python", "-c", FIND_IN_PYTHON, *paths]
    done = subprocess.run(command, cwd=site.parents[1], check=True, capture_output=True, text=True)
    by_draw = [json.loads(line) for line in done.stdout.splitlines()]
    visitor.context.route("**/photos/*", lambda route: route.fulfill(path=tmp_path / route.request.url.split("/")[-1]))
    page = visitor.open(model="u2netp")
    by_library = page.evaluate(FIND_IN_LIBRARY, [f"photos/{path.name}" for path in paths])

    for (name, photo), python, library in zip(known.items(), by_draw, by_library["found"], strict=True):
        assert len(python["faces"]) == len(library) == len(photo.faces), name
        for face, same, (x, y, size) in zip(python["faces"], library, photo.faces, strict=True):
            left, top, width, height = box_of(face)
            # The cascade's boxes begin at the hairline, the detector's at the eyebrows.
            assert hypot(left + width / 2 - x, top + height / 2 - y) < 0.3 * size, name
            assert 0.7 < width / size < 1.3, name
            assert box_of(same) == pytest.approx(box_of(face), abs=0.1), name
            assert same["score"] == pytest.approx(face["score"], abs=1e-3), name
        if library:
            frame = library[0]["frame"]
            assert [frame["x"], frame["y"], frame["x"] + frame["width"], frame["y"] + frame["height"]] == python[
                "frame"
            ]
    left, top, right, bottom = by_draw[0]["frame"]
    assert (by_library["width"], by_library["height"]) == (right - left, bottom - top)


def as_portrait(route: Route) -> None:
    """Answer with the site's catalogue, in which u2netp draws portraits: the page then looks for faces."""
    catalogue = route.fetch().json()
    for model in catalogue["models"]:
        model["task"] = "portrait"
    route.fulfill(json=catalogue)


def framed(visitor: Visitor) -> tuple[int, ...]:
    frame = visitor.page.get_by_test_id("crop-frame")
    return tuple(int(frame.get_attribute(f"data-{side}") or "") for side in ("x", "y", "width", "height"))


@pytest.mark.parametrize("context_options", [{"viewport": {"width": 1280, "height": 900}, "service_workers": "block"}])
def test_the_frame_begins_around_the_largest_face(visitor: Visitor, known: dict[str, Known]) -> None:
    visitor.context.route("**/catalogue*.json", as_portrait)
    page = visitor.open(model="u2netp")

    def choose(name: str) -> None:
        before = page.locator("#photo").evaluate("(image) => image.src")
        visitor.choose(png(known[name].photo), f"{name}.png")
        page.wait_for_function("(before) => document.getElementById('photo').src !== before", arg=before)

    def expect_around(name: str, index: int = 0) -> None:
        """Wait until the frame is around one face of a photo."""
        x, y, size = known[name].faces[index]
        page.wait_for_function(AROUND, arg=[x, y, size])

    choose("astronaut")
    expect_around("astronaut")
    expect(page.get_by_test_id("next-face")).to_be_hidden()
    page.evaluate(PRESS_DRAW)
    assert tuple(visitor.wait_for_drawing(1)["crop"].values()) == framed(visitor)

    choose("pair")
    expect_around("pair")
    expect(page.get_by_test_id("next-face")).to_have_text("Next face (1 of 2)")
    page.get_by_test_id("next-face").click()
    expect_around("pair", 1)
    expect(page.get_by_test_id("next-face")).to_have_text("Next face (2 of 2)")
    page.get_by_test_id("crop-frame").focus()
    page.keyboard.press("n")
    expect_around("pair")
    page.get_by_test_id("face").filter(visible=True).click()
    expect_around("pair", 1)

    # Without a face, the frame is the largest square, a third of the way down.
    choose("cat")
    expect(page.get_by_test_id("face")).to_have_count(0)
    assert framed(visitor) == (76, 0, 300, 300)


@pytest.mark.parametrize("context_options", [{"service_workers": "block"}])
def test_without_the_detector_the_photo_is_drawn_all_the_same(visitor: Visitor, cat: bytes) -> None:
    visitor.context.route("**/catalogue*.json", as_portrait)
    visitor.context.route("**/*.tflite", lambda route: route.abort())
    page = visitor.open(model="u2netp")
    page.evaluate(KEEP_STATUS)
    visitor.choose(cat, "cat.png")
    # The page says in the status that it could not look for faces, and goes on.
    page.wait_for_function("() => window.said.some((text) => text.startsWith('Faces could not be looked for'))")
    page.evaluate(PRESS_DRAW)
    assert visitor.wait_for_drawing(1)["crop"]["width"] == 300
    visitor.errors[:] = [error for error in visitor.errors if "ERR_FAILED" not in error]
