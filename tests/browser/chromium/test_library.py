"""The library as other pages use it: every piece of code in the documents as it stands there, from another origin."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page
from safetensors.numpy import load_file
from skimage import data

from tests.support.elsewhere import PAGE, PIXELS, RUN, SITE, Elsewhere, npm, snippets, tool
from tests.support.project import ROOT
from tests.support.visitors import hosted, pytorch_picture
from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.shared.serving import serving
from workflow_scripts.website.predict_browser import png

WEB = ROOT / "web"
# The site of these tests has another model than the README's, at 64 and 128. The library chooses the larger one.
OFFERED = {"u2net_portrait_mini": "u2netp", "resolution: 192": "resolution: 64", "/320": "/64"}
CHOSEN = 128


def offered(document: str, language: str) -> dict[str, str]:
    """Return a document's pieces of code, with the names of what this site has."""
    found = snippets(document, language)
    for name, own in OFFERED.items():
        found = {heading: code.replace(name, own) for heading, code in found.items()}
    return found


HTML, JS = offered("docs/library.md", "html"), offered("docs/library.md", "js")
README = offered("README.md", "html")


@pytest.fixture
def elsewhere(browser: Browser, site: Path, cat: bytes) -> Iterator[Elsewhere]:
    """Another origin's page with a photo. Afterwards, no third host was asked and the console holds no error."""
    with hosted(site) as (host, _):
        context = browser.new_context(permissions=["camera"])
        elsewhere = Elsewhere(context, host, {"photo.jpg": cat})
        yield elsewhere
        context.close()
        assert [url for url in elsewhere.requested if not url.startswith((SITE, PAGE, "blob:", "data:"))] == []
        assert elsewhere.errors == []


def pixels(canvas: Locator) -> NDArray[np.uint8]:
    """Return a canvas's pixels, [height, width, 4]."""
    width, height, values = canvas.evaluate(PIXELS)
    return np.array(values, np.uint8).reshape(height, width, 4)


def check_drawing(canvas: Locator, site: Path) -> None:
    """Fail unless the canvas shows PyTorch's mask of the cat."""
    drawn, expected = pixels(canvas), pytorch_picture(site, CHOSEN, "chelsea")
    assert drawn.shape == (*expected.shape, 4)
    for channel in range(3):
        assert np.abs(drawn[..., channel] - expected).max() <= 2
    assert expected.std() > 10


def done(page: Page) -> Any:
    return page.evaluate("() => window.done")


@pytest.mark.parametrize(
    ("html", "isolated"),
    [(HTML["Three lines"], True), (README["On your own page"], False)],
    ids=["isolated, of the documentation", "not isolated, of the README"],
)
def test_three_lines(elsewhere: Elsewhere, site: Path, html: str, isolated: bool) -> None:
    if not isolated:
        elsewhere.headers.clear()
    page = elsewhere.show(html)
    check_drawing(page.locator("canvas"), site)
    assert page.evaluate("() => crossOriginIsolated") is isolated


def test_one_element(elsewhere: Elsewhere, site: Path) -> None:
    page = elsewhere.show(HTML["One element"])
    page.locator("u2net-portrait[state=done]").wait_for()
    check_drawing(page.locator("u2net-portrait canvas"), site)
    assert page.get_by_role("img", name="A portrait").count() == 1
    # A failure is reported, and the next photo is drawn.
    page.evaluate(
        """() => {
          const element = document.querySelector('u2net-portrait');
          element.addEventListener('error', ({ error }) => (window.code = error.code));
          element.setAttribute('src', 'missing.jpg');
        }"""
    )
    page.locator("u2net-portrait[state=failed]").wait_for()
    assert page.evaluate("() => window.code") == "download-interrupted"
    page.evaluate("() => document.querySelector('u2net-portrait').setAttribute('src', 'photo.jpg')")
    page.locator("u2net-portrait[state=done]").wait_for()
    page.evaluate("() => document.querySelector('u2net-portrait').removeAttribute('model')")
    page.locator("u2net-portrait[state=failed]").wait_for()
    assert page.evaluate("() => window.code") == "not-offered"
    assert all("404" in error for error in elsewhere.errors)
    elsewhere.errors.clear()


def show_built(folder: Path, elsewhere: Elsewhere, code: str) -> Page:
    """Build a Vite project of one module in a folder, and open it on the other origin."""
    (folder / "index.html").write_text('<!doctype html><script type="module" src="./main.ts"></script>')
    (folder / "main.ts").write_text(code)
    # The Vite of this project's lock file, so that the test downloads nothing.
    tool(folder, WEB / "node_modules/.bin/vite", "build", "--base", "./", folder)
    built = folder / "dist"
    files = [file for file in built.rglob("*") if file.is_file()]
    elsewhere.files.update({str(file.relative_to(built)): file.read_bytes() for file in files})
    return elsewhere.show((built / "index.html").read_text())


def test_package_in_a_new_vite_project(elsewhere: Elsewhere, site: Path, tmp_path: Path) -> None:
    (packed,) = json.loads(npm(tmp_path, "pack", "--json", str(site.parent / "npm")))
    names = {file["path"] for file in packed["files"]}
    assert {"package.json", "README.md", "LICENSE", "u2net.js", "u2net-portrait.js", "types/u2net.d.ts"} <= names
    print(f"{packed['filename']}: {packed['size']} bytes packed, {packed['unpackedSize']} unpacked")
    assert packed["unpackedSize"] < 100_000
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    npm(tmp_path, "install", "--offline", "--no-audit", "--no-fund", packed["filename"])
    code = f"{JS['As a package']}\nimport 'u2net-web/element';\n"
    (tmp_path / "main.ts").write_text(code)
    options = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2024,dom", "--skipLibCheck", "false"]
    for module, resolution in (("esnext", "bundler"), ("nodenext", "nodenext")):
        how = ["--types", "", "--module", module, "--moduleResolution", resolution]
        tool(tmp_path, WEB / "node_modules/.bin/tsc", *options, *how, "main.ts")
    page = show_built(tmp_path, elsewhere, code)
    check_drawing(page.locator("canvas"), site)
    assert page.evaluate("() => customElements.get('u2net-portrait') !== undefined")


def test_which_model_and_how(elsewhere: Elsewhere) -> None:
    assert done(elsewhere.run(JS["Which model, and how"])) is True
    assert "u2netp saliency 64 float32 wasm" in elsewhere.said
    loaded = [entry.split() for entry in elsewhere.said if entry.startswith("download")]
    assert loaded[0][1] == "0"
    assert loaded[-1][1] == loaded[-1][2]
    assert int(loaded[-1][2]) > 4_500_000


def test_cut_outs_numbers_parts(elsewhere: Elsewhere, site: Path, cat: bytes) -> None:
    page = elsewhere.run(JS["Cut-outs, numbers, parts of a photo"])
    assert done(page) is True
    assert elsewhere.said[-1] == "true"
    cut_out = pixels(page.locator("canvas").nth(0))
    photo = np.asarray(Image.open(io.BytesIO(cat)))
    assert np.abs(cut_out[..., 3] - pytorch_picture(site, CHOSEN, "chelsea")).max() <= 2
    opaque = cut_out[..., 3] >= 250
    assert np.abs(cut_out[opaque][:, :3].astype(int) - photo[opaque]).max() <= 2
    assert pixels(page.locator("canvas").nth(1)).shape == (150, 200, 4)


def test_faces(elsewhere: Elsewhere) -> None:
    elsewhere.files["photo.jpg"] = png(data.astronaut())
    page = elsewhere.run(JS["Faces"])
    assert done(page) is True
    height, width, _ = pixels(page.locator("canvas")).shape
    # The face is 95 pixels wide (test_faces.py compares it with another detector's).
    assert height == width == pytest.approx(1.8 * 95, abs=3)
    assert f"width: {width}" in elsewhere.said[-1]


def test_camera(elsewhere: Elsewhere) -> None:
    elsewhere.files["snippet.js"] = JS["The camera"].encode()
    page = elsewhere.show(RUN)
    page.locator("canvas").wait_for()
    page.wait_for_function("() => document.querySelector('canvas').width > 300")
    # Three pictures that differ: it draws one frame after another.
    page.wait_for_function(
        "() => (window.seen ??= new Set()).add(document.querySelector('canvas').toDataURL()).size >= 3"
    )
    assert done(page) is None


@pytest.mark.parametrize(
    ("code", "compute"),
    [
        (
            JS["Without the library"],
            "import { tensor } from '@tensorflow/tfjs-core';\n"
            "window.d0 = [...await model.predict(tensor(x, [1, 64, 64, 3])).data()];",
        ),
        (
            JS["Without the library 2"],
            "import { Tensor } from '@litertjs/core';\n"
            "const [d0] = await model.run(new Tensor(x, [1, 64, 64, 3]));\nwindow.d0 = [...await d0.data()];",
        ),
    ],
    ids=["TensorFlow.js", "LiteRT"],
)
def test_without_the_library(elsewhere: Elsewhere, site: Path, tmp_path: Path, code: str, compute: str) -> None:
    """The engines' own loaders open a model at its address; then it computes what PyTorch computes."""
    inputs = load_file(site.parent / "_probes/64.safetensors")
    expected, _ = read_predictions(site.parent / "u2netp/64/predictions/torch.safetensors")
    elsewhere.files["input.f32"] = np.ascontiguousarray(inputs["chelsea"].transpose(0, 2, 3, 1)).tobytes()
    for file in ("litert_wasm_internal.js", "litert_wasm_internal.wasm"):
        elsewhere.files[f"litert/{file}"] = (WEB / "node_modules/@litertjs/core/wasm" / file).read_bytes()
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    read = "const x = new Float32Array(await (await fetch('input.f32')).arrayBuffer());"
    page = show_built(tmp_path, elsewhere, f"{code}\n{read}\n{compute}\n")
    page.wait_for_function("() => window.d0")
    d0 = np.array(page.evaluate("() => window.d0"))
    assert np.abs(d0 - expected["chelsea"].ravel()).max() < 1e-3
    assert d0.std() > 0.1
    assert "[1, 64, 64, 3]" in elsewhere.said
    # LiteRT's own loader prints its messages as errors.
    elsewhere.errors[:] = [line for line in elsewhere.errors if not line.startswith(("INFO:", "WARNING:"))]


def test_stop(elsewhere: Elsewhere) -> None:
    assert done(elsewhere.run(JS["Stop, and what went wrong"])) is True
    assert elsewhere.said[-1] == "TimeoutError"


@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        ("u2net.loadModel('u2net')", "not-offered", "It has: u2netp."),
        ("u2net.loadModel('u2netp', { resolution: 96 })", "not-offered", "at 64, 128, not at 96"),
        (
            "u2net.loadModel('u2netp', { resolution: 64, backend: 'wasm', dtype: 'float16' })",
            "not-offered",
            "not float16",
        ),
        ("u2net.loadModel(null, { resolution: 96 })", "not-offered", "u2netp at 64, 128, not at 96"),
        (
            "u2net.loadModel('u2netp', { site: 'https://your.page/other' })",
            "download-interrupted",
            "other/catalogue.json",
        ),
    ],
)
def test_what_is_not_offered_is_reported(elsewhere: Elsewhere, call: str, code: str, message: str) -> None:
    found = elsewhere.value(f"return {call}.catch(({{ code, message }}) => [code, message]);")
    assert found[0] == code
    assert message in found[1]
    elsewhere.errors[:] = [error for error in elsewhere.errors if "404" not in error]


def test_one_model_through_much(elsewhere: Elsewhere) -> None:
    """Several drawings at once are made one after another. A stopped one and a damaged photo do not harm the model."""
    found = elsewhere.value("""
      const model = await u2net.loadModel('u2netp', { resolution: 64, backend: 'wasm' });
      const photo = await (await fetch('photo.jpg')).blob();
      const bitmap = await createImageBitmap(photo);
      const image = new Image();
      image.src = 'photo.jpg';
      const sources = ['photo.jpg', photo, bitmap, image, new VideoFrame(bitmap, { timestamp: 0 })];
      const predictions = await Promise.all(sources.map((source) => model.predict(source)));
      const first = predictions[0].d0;
      const far = predictions.map(({ d0 }) => Math.max(...d0.map((value, index) => Math.abs(value - first[index]))));

      const ending = new AbortController();
      const onProgress = ({ stage }) => stage === 'run' && ending.abort();
      const ended = model.draw(photo, { signal: ending.signal, onProgress });
      const waiting = model.predict(photo);
      const reasons = [await ended.catch(({ name }) => name)];
      const again = (await waiting).d0.every((value, index) => value === first[index]);
      reasons.push(await model.draw(new Blob(['no photo'])).catch(({ code }) => code));
      const canvas = document.createElement('canvas');
      const same = (await model.draw(photo, { canvas })) === canvas;
      const left = [bitmap.width, canvas.width];
      const under = model.draw(photo);
      model.dispose();
      reasons.push(await under.catch(({ code }) => code), await model.draw(photo).catch(({ code }) => code));
      return { far, again, reasons, same, left };
    """)
    assert found["far"] == [0] * 5
    assert found["again"]
    assert found["same"]
    assert found["left"] == [451, 451]
    assert found["reasons"] == ["AbortError", "photo-unreadable", "disposed", "disposed"]


def test_files_are_verified_and_kept(elsewhere: Elsewhere, site: Path) -> None:
    load = "u2net.loadModel('u2netp', { resolution: 64, backend: 'wasm' })"
    names = [
        reference["url"]
        for reference in json.loads((site / "catalogue.json").read_text())["models"][0]["resolutions"][0]["dtypes"][0][
            "weights"
        ]
    ]
    elsewhere.host.damaged.add(f"/{names[0]}")
    assert elsewhere.value(f"return {load}.catch(({{ code }}) => code);") == "file-corrupt"
    elsewhere.host.damaged.clear()
    elsewhere.value(f"await {load};")
    elsewhere.host.answers.clear()
    assert elsewhere.value(f"return (await (await {load}).predict('photo.jpg')).bytesFetched;") == 0
    assert elsewhere.host.sent("weights") + elsewhere.host.sent("models") == []


def test_engine_that_cannot_start_is_replaced_unless_it_was_named(elsewhere: Elsewhere) -> None:
    elsewhere.context.route("**/tfjs-backend-wasm*.wasm", lambda route: route.abort())
    found = elsewhere.value("""
      const model = await u2net.loadModel('u2netp', { resolution: 64 });
      const named = u2net.loadModel('u2netp', { resolution: 64, backend: 'wasm' }).catch(({ code }) => code);
      return [model.backend, (await model.predict('photo.jpg')).backend, await named];
    """)
    assert found == ["litert-wasm", "litert-wasm", "backend-unavailable"]
    assert all("ERR_FAILED" in error or "wasm" in error for error in elsewhere.errors)
    elsewhere.errors.clear()


def test_page_with_the_policy_of_the_documentation(elsewhere: Elsewhere, site: Path) -> None:
    text = (ROOT / "docs/library.md").read_text()
    allowed = re.findall(r"`((?:script|worker|connect|img)-src [^`]+)`", text)
    assert len(allowed) == 4
    # The page's own script and photo, besides what the library needs.
    own = {"script-src": "'unsafe-inline'", "connect-src": "'self'"}
    policy = ["default-src 'none'", *(f"{line} {own.get(line.split()[0], '')}" for line in allowed)]
    elsewhere.headers["Content-Security-Policy"] = "; ".join(policy)
    page = elsewhere.show(HTML["Three lines"])
    check_drawing(page.locator("canvas"), site)


@pytest.mark.parametrize("allowed", [True, False])
def test_site_says_which_origins_it_allows(
    browser: Browser, site: Path, cat: bytes, tmp_path: Path, allowed: bool
) -> None:
    """Uses two real servers, because Playwright's own answers would allow every origin."""
    (tmp_path / "u2net.js").write_bytes((site.parent / "npm/u2net.js").read_bytes())
    (tmp_path / "photo.png").write_bytes(cat)
    (tmp_path / "index.html").write_text("<!doctype html>")
    origins = () if allowed else ("https://somebody.example",)
    with serving(site, cors_origins=origins) as host, serving(tmp_path) as origin:
        page = browser.new_page()
        page.goto(origin)
        found = page.evaluate(
            """async (site) => {
              const { loadModel } = await import('./u2net.js');
              try {
                const model = await loadModel('u2netp', { site, resolution: 64 });
                const { backend, threads } = await model.predict('photo.png');
                return [backend, threads > 1 || navigator.hardwareConcurrency === 1];
              } catch ({ code, message }) {
                return [code, message];
              }
            }""",
            host,
        )
        page.close()
    assert found[0] == ("wasm" if allowed else "download-interrupted")
    assert found[1] is True if allowed else "catalogue.json" in found[1]
