"""Predict with the built site in Chromium. The page's own code does every step from the photo's file to d0."""

import argparse
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from workflow_scripts.formats.predictions import Signature, save_predictions
from workflow_scripts.predict.probe_photos import probe_photos
from workflow_scripts.shared.chromium import launch
from workflow_scripts.shared.drawings import Pixels
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import sha256
from workflow_scripts.shared.serving import serving

# The engine of each backend. The page's names of LiteRT's backends begin with it.
BACKENDS = {
    "wasm": "tfjs",
    "webgl": "tfjs",
    "webgpu": "tfjs",
    "litert-wasm": "litert",
    "litert-webgpu": "litert",
}
# Emulated GPUs take seconds for 64 × 64 and minutes for 512 × 512.
TIMEOUT_MS = 1_800_000

# The page sends an event for each drawing. All are kept here, so that none is missed.
KEEP_DRAWINGS = "window.drawings = []; addEventListener('drawing', ({ detail }) => window.drawings.push(detail));"
# The button is hidden and does nothing while the page draws by itself.
PRESS_DRAW = "() => document.getElementById('run').click()"
PHOTO_CHANGED = "(before) => document.getElementById('photo').src !== before"
SETTLED = "(count) => window.drawings.length > count || !document.getElementById('error').hidden"
READY = "() => document.documentElement.dataset.state !== 'starting'"
IDLE = "() => document.documentElement.dataset.state === 'ready'"
LAST_DRAWING = "() => { const last = window.drawings.at(-1); return { ...last, d0: Array.from(last.d0) }; }"


def png(photo: Pixels) -> bytes:
    """Encode an RGB photo [height, width, 3]."""
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG")
    return file.getvalue()


def check_no_error(page: Page) -> None:
    """Raise Failure with the page's own words if it says that something failed."""
    if page.get_by_test_id("error").is_visible():
        raise Failure(f"the page says: {page.locator('#error-text').inner_text()}")


def draw_in_page(page: Page, photo: Pixels, name: str) -> dict[str, Any]:
    """Open a photo in the page and draw the whole photo. Return the detail of the page's `drawing` event."""
    before = page.locator("#photo").evaluate("(image) => image.src")
    page.get_by_test_id("file").set_input_files({"name": f"{name}.png", "mimeType": "image/png", "buffer": png(photo)})
    page.wait_for_function(PHOTO_CHANGED, arg=before)
    page.get_by_test_id("whole-image").check()
    height, width, _ = photo.shape
    # If the page begins by itself with a part of the photo, only the second drawing is of the whole photo.
    for _ in range(2):
        count = page.evaluate("() => window.drawings.length")
        page.evaluate(PRESS_DRAW)
        page.wait_for_function(SETTLED, arg=count)
        check_no_error(page)
        page.wait_for_function(IDLE)
        detail: dict[str, Any] = page.evaluate(LAST_DRAWING)
        if detail["crop"] == {"x": 0, "y": 0, "width": width, "height": height}:
            return detail
    raise Failure(f"the page drew {detail['crop']} of {name}, which has {width} × {height} pixels")


def find_artifact(site: Path, model: str, resolution: int, engine: str) -> Path:
    """Return the path of the float32 model.json, or of LiteRT's recipe.json, that the site's catalogue names."""
    catalogue = json.loads((site / "catalogue.json").read_text())
    held: dict[tuple[str, int], str] = {
        (entry["name"], size["resolution"]): artifact["model"]["url"]
        for entry in catalogue["models"]
        for size in entry["resolutions"]
        for artifact in size["dtypes"]
        if (artifact["engine"], artifact["dtype"]) == (engine, "float32")
    }
    if (model, resolution) not in held:
        names = ", ".join(f"{name} at {size}" for name, size in held) or f"no float32 model for {engine}"
        raise Failure(
            f"{site} holds {names}, not {model} at {resolution}; "
            "build it with --config resolutions, dtypes and tflite_dtypes"
        )
    return site / held[model, resolution]


def read_signature(model: Path) -> Signature:
    """Return the input and output of a TensorFlow.js graph or of a LiteRT recipe. A graph's d0 has its input's size."""
    graph = json.loads(model.read_text())
    if model.name.startswith("recipe."):
        x, d0 = graph["input"], graph["output"]
        return Signature(x["name"], x["shape"], d0["name"], d0["shape"], "NHWC")
    (x,) = [node for node in graph["modelTopology"]["node"] if node["op"] == "Placeholder"]
    (output_name,) = graph["signature"]["outputs"]
    shape = [int(side["size"]) for side in x["attr"]["shape"]["shape"]["dim"]]
    return Signature(x["name"], shape, output_name, [*shape[:3], 1], "NHWC")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, required=True, help="folder of assemble_site")
    parser.add_argument("--model", required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--backend", choices=tuple(BACKENDS), required=True)
    parser.add_argument("--output", type=Path, required=True, help="safetensors with one [1, 1, H, W] per probe")
    arguments = parser.parse_args(argv)
    engine = BACKENDS[arguments.backend]
    artifact = find_artifact(arguments.site, arguments.model, arguments.resolution, engine)
    asked = {
        "model": arguments.model,
        "resolution": arguments.resolution,
        "dtype": "float32",
        "backend": arguments.backend,
    }
    outputs: dict[str, NDArray[np.float32]] = {}
    with serving(arguments.site) as origin, sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.add_init_script(KEEP_DRAWINGS)
        page.goto(f"{origin}/?{urlencode(asked)}")
        page.wait_for_function(READY)
        check_no_error(page)
        for name, photo in sorted(probe_photos(arguments.resolution).items()):
            detail = draw_in_page(page, photo, name)
            drawn = {key: detail[key] for key in asked}
            if drawn != asked:
                note = page.locator("#machine-summary").inner_text()
                raise Failure(f"asked for {asked}, the page drew with {drawn}: {note}")
            side = arguments.resolution
            outputs[name] = np.array(detail["d0"], np.float32).reshape(1, 1, side, side)
            timing = page.locator("html").get_attribute("data-timing") or "{}"
            print(f"{name}: d0 from {outputs[name].min():.6f} to {outputs[name].max():.6f}, {timing}", flush=True)
        threads = json.loads(timing)["threads"]
        version = browser.version
        browser.close()
    count = f"{threads} {'thread' if threads == 1 else 'threads'}"
    metadata = {
        "backend": f"{engine} {arguments.backend} {count}, Chromium {version}",
        "model": str(artifact),
        # This file names the shards by their digests, and the page refuses any other shard.
        "model_sha256": sha256(artifact),
        "signature": json.dumps(asdict(read_signature(artifact))),
    }
    save_predictions(arguments.output, outputs, metadata)


if __name__ == "__main__":
    run(main)
