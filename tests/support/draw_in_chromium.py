"""Run a model card's JavaScript in Chromium, as a page's module, and keep the picture that it saves.

Run in the torch environment, which has Playwright:
.venvs/torch/bin/python -m tests.support.draw_in_chromium --folder F --script S --saved P
"""

import argparse
import json
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Download, sync_playwright

from workflow_scripts.shared.chromium import launch

# As a bundler would resolve the names.
IMPORTS = {
    "@huggingface/transformers": "/node_modules/@huggingface/transformers/dist/transformers.web.js",
    "onnxruntime-web/webgpu": "/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
    "onnxruntime-common": "/node_modules/onnxruntime-common/dist/esm/index.js",
}
# transformers.js fetches ONNX Runtime's WebAssembly from a CDN. Here it fetches the same files of the locked package.
PAGE = f"""<!doctype html>
<script type="importmap">{json.dumps({"imports": IMPORTS})}</script>
<script type="module">
import {{ env }} from '@huggingface/transformers';
const paths = env.backends.onnx.wasm.wasmPaths;
const here = '/node_modules/onnxruntime-web/dist/';
for (const kind of Object.keys(paths)) paths[kind] = here + paths[kind].split('/').pop();
</script>
<script type="module" src="SCRIPT"></script>
"""
# Much longer than it takes: other jobs may share the cores.
TIMEOUT_S = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds the model's folder, photo.jpg, node_modules")
    parser.add_argument("--script", required=True, help="its name in that folder")
    parser.add_argument("--saved", type=Path, required=True, help="where to put what the script saves")
    arguments = parser.parse_args()
    (arguments.folder / "index.html").write_text(PAGE.replace("SCRIPT", arguments.script))
    server = ThreadingHTTPServer(("localhost", 0), partial(SimpleHTTPRequestHandler, directory=arguments.folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said: list[str] = []
    failed: list[str] = []
    downloads: list[Download] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("console", lambda message: said.append(message.text))
        page.on("download", lambda download: downloads.append(download))
        page.goto(f"http://localhost:{server.server_port}/")
        ends = time.monotonic() + TIMEOUT_S
        while not downloads and not failed and time.monotonic() < ends:
            page.wait_for_timeout(100)
        print("\n".join([*said, *failed]))
        if not downloads:
            sys.exit("the script saved nothing")
        downloads[0].save_as(arguments.saved)
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
