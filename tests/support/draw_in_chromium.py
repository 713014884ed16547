"""Run a model card's JavaScript in Chromium, as a page's module, and keep the picture that it saves.

Run in the torch environment, which has Playwright:
.venvs/torch/bin/python -m tests.support.draw_in_chromium --folder F --packages node_modules --script S.mjs --saved P
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

from playwright.sync_api import Download, Route, sync_playwright

from workflow_scripts.shared.chromium import launch
from workflow_scripts.shared.media_types import MEDIA_TYPES, OTHER

ORIGIN = "http://localhost"
# transformers.js fetches ONNX Runtime's WebAssembly from there; it gets the same files of the locked package.
CDN = re.compile(r"https://cdn\.jsdelivr\.net/npm/(onnxruntime-web)@[\w.-]+/(dist/[\w.-]+)")
# As a bundler would resolve the names.
IMPORTS = {
    "@huggingface/transformers": "/packages/@huggingface/transformers/dist/transformers.web.js",
    "onnxruntime-web/webgpu": "/packages/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
    "onnxruntime-common": "/packages/onnxruntime-common/dist/esm/index.js",
}
TIMEOUT_S = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds the model's folder and photo.jpg")
    parser.add_argument("--packages", type=Path, required=True, help="node_modules with transformers.js")
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--saved", type=Path, required=True, help="where to put what the script saves")
    arguments = parser.parse_args()
    imports = json.dumps({"imports": IMPORTS})
    page_html = f'<script type="importmap">{imports}</script><script type="module" src="/script.mjs"></script>'
    said: list[str] = []
    failed: list[str] = []

    def file_of(url: str) -> Path | None:
        """Return the file to answer with, or None if there is none."""
        if found := CDN.fullmatch(url):
            return Path(arguments.packages, *found.groups())
        path = url.removeprefix(f"{ORIGIN}/")
        if path == "script.mjs":
            return Path(arguments.script)
        if path.startswith("packages/"):
            return Path(arguments.packages, path.removeprefix("packages/"))
        return Path(arguments.folder, path) if url.startswith(f"{ORIGIN}/") else None

    def answer(route: Route) -> None:
        file = file_of(route.request.url)
        if route.request.url == f"{ORIGIN}/":
            route.fulfill(body=page_html, content_type="text/html")
        elif file is not None and file.is_file():
            kind = "text/javascript" if file.suffix == ".mjs" else MEDIA_TYPES.get(file.suffix, OTHER)
            route.fulfill(path=file, content_type=kind, headers={"Access-Control-Allow-Origin": "*"})
        else:
            said.append(f"not found: {route.request.url}")
            route.fulfill(status=404)

    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.route("**/*", answer)
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("console", lambda message: said.append(message.text))
        downloads: list[Download] = []
        page.on("download", lambda download: downloads.append(download))
        page.goto(f"{ORIGIN}/")
        ends = time.monotonic() + TIMEOUT_S
        while not downloads and not failed and time.monotonic() < ends:
            page.wait_for_timeout(100)
        print("\n".join([*said, *failed]))
        if not downloads:
            sys.exit("the script saved nothing")
        downloads[0].save_as(arguments.saved)
        browser.close()


if __name__ == "__main__":
    main()
