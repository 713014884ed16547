"""A server of the built site that records what it sends, and a person who visits it with Chromium."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Request, Route
from skimage import data

from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.shared.drawings import draw
from workflow_scripts.shared.serving import SiteHandler, serving
from workflow_scripts.website.predict_browser import IDLE, KEEP_DRAWINGS, LAST_DRAWING, PRESS_DRAW, SETTLED

# Emulated GPUs take some ten seconds per drawing at 64 × 64, and more if other jobs share the cores.
TIMEOUT_MS = 180_000
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
AUDIT = """async () => {
  const { violations, passes } = await window.axe.run();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`);
  return { found, passes: passes.map(({ id }) => id) };
}"""
KEEP_VIOLATIONS = (
    "window.violations = [];"
    "addEventListener('securitypolicyviolation', (event) => window.violations.push(event.effectiveDirective));"
)


@dataclass(frozen=True)
class Answer:
    """A body that the server sent."""

    path: str
    bytes: int


@dataclass
class Host:
    """The site on localhost, and what a test can do to it."""

    origin: str = ""
    answers: list[Answer] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    # A text of index.html and the text sent instead. Both have the same length, because the length is sent first.
    replaced: tuple[bytes, bytes] = (b"", b"")
    isolated: bool = True
    # A content security policy that the server adds.
    policy: str = ""

    def sent(self, folder: str) -> list[Answer]:
        """Return the bodies that were sent from one folder of the site."""
        return [answer for answer in self.answers if answer.path.startswith(f"/{folder}/")]


class WatchedHandler(SiteHandler):
    """The site's own server. It records every body, and damages or withholds it if the test wants that."""

    async def get(self, path: str, include_body: bool = True) -> None:
        if any(self.settings["host"].replaced):
            # The file's own tag and time do not describe what is sent instead.
            for name in ("If-None-Match", "If-Modified-Since"):
                self.request.headers.pop(name, None)
        await super().get(path, include_body)

    def set_default_headers(self) -> None:
        if self.settings["host"].isolated:
            super().set_default_headers()
        if policy := self.settings["host"].policy:
            self.set_header("Content-Security-Policy", policy)

    def get_content(  # type: ignore[override]  # an instance's, where Tornado's own is the class's
        self, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes:
        host: Host = self.settings["host"]
        content = bytearray(Path(abspath).read_bytes())
        if self.request.path in host.damaged:
            content[len(content) // 2] ^= 1
        if self.request.path == "/":
            content = content.replace(*host.replaced)
        part = bytes(content[start:end])
        host.answers.append(Answer(self.request.path, len(part)))
        return part


@contextmanager
def hosted(site: Path) -> Iterator[tuple[Host, Callable[[], None]]]:
    """Serve the site. Yield the host, and a function that stops it."""
    host = Host()
    with ExitStack() as stack:
        host.origin = stack.enter_context(serving(site, handler=WatchedHandler, host=host))
        yield host, stack.close


def pytorch_picture(site: Path, resolution: int, probe: str) -> NDArray[np.float64]:
    """Return what PyTorch draws of a probe photo with u2netp, at the photo's size, 0 to 255 in whole numbers."""
    height, width, _ = getattr(data, probe)().shape
    reference, _ = read_predictions(site.parent / f"u2netp/{resolution}/predictions/torch.safetensors")
    picture = Image.fromarray(draw(reference[probe], "saliency").astype(np.float32))
    # Pillow's bicubic filter in floating point, as in the page. It is rounded to 8 bits once, at the end.
    sized = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
    return np.round(255 * np.clip(sized, 0, 1))


def as_drawing(route: Route) -> None:
    """Answer with the site's catalogue, in which u2netp draws portraits."""
    catalogue = route.fetch().json()
    for model in catalogue["models"]:
        model["task"] = "drawing"
    route.fulfill(json=catalogue)


class Visitor:
    """A person with a fresh browser profile and one open page at a time."""

    def __init__(self, context: BrowserContext, host: Host, stop_host: Callable[[], None]) -> None:
        self.context = context
        self.host = host
        self.stop_host = stop_host
        self.errors: list[str] = []
        self.requested: list[str] = []
        self.sent: list[Request] = []
        self.page: Page
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(KEEP_DRAWINGS + KEEP_VIOLATIONS)
        context.on("request", self.note)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", lambda entry: self.errors.append(entry.text) if entry.type == "error" else None)

    def note(self, request: Request) -> None:
        self.sent.append(request)
        self.requested.append(request.url)

    def open(self, **wishes: object) -> Page:
        """Open the page at ?wishes, by default 64 × 64 on wasm. Return it once it is ready."""
        self.page = self.context.new_page()
        self.page.goto(f"{self.host.origin}/?{urlencode({'backend': 'wasm', 'resolution': 64, **wishes})}")
        self.page.wait_for_function(IDLE)
        # Like somebody who wants to choose more than what to make.
        self.page.evaluate("() => (document.getElementById('advanced').open = true)")
        return self.page

    def choose(self, content: bytes, name: str) -> None:
        """Choose a file, like in the file dialogue."""
        self.page.get_by_test_id("file").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})

    def wait_for_drawing(self, count: int) -> dict[str, Any]:
        """Wait until `count` drawings were made and no drawing runs. Return the last one's detail."""
        self.page.wait_for_function(SETTLED, arg=count - 1)
        assert not self.page.get_by_test_id("error").is_visible(), self.page.locator("#error-text").inner_text()
        self.page.wait_for_function(IDLE)
        detail: dict[str, Any] = self.page.evaluate(LAST_DRAWING)
        return detail

    def draw_sample(self, name: str = "Cat") -> dict[str, Any]:
        """Press a sample photo, and the button if the page does not draw by itself. Return the drawing's detail."""
        count = self.page.evaluate("() => window.drawings.length")
        self.press_sample(name)
        self.page.evaluate(PRESS_DRAW)
        return self.wait_for_drawing(count + 1)

    def press_sample(self, name: str = "Cat") -> None:
        """Press a sample photo and wait until it is open."""
        before = self.page.locator("#photo").evaluate("(image) => image.src")
        self.page.get_by_test_id("sample").filter(has=self.page.get_by_alt_text(f"Sample photo: {name}")).click()
        self.page.wait_for_function("(before) => document.getElementById('photo').src !== before", arg=before)

    def draw_again(self) -> dict[str, Any]:
        """Press the button. Return the drawing's detail."""
        count = self.page.evaluate("() => window.drawings.length")
        self.page.get_by_test_id("run").click()
        return self.wait_for_drawing(count + 1)

    def wait_for_error(self, code: str) -> str:
        """Wait until the page says that something failed. Return its words."""
        self.page.get_by_test_id("error").wait_for(timeout=60_000)
        found = self.page.get_by_test_id("error").get_attribute("data-code")
        assert found == code, self.page.locator("#error-text").inner_text()
        return self.page.locator("#error-text").inner_text()
