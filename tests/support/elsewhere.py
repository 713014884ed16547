"""A page of another origin, at the addresses of docs/library.md. It draws with the library of the site."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, Route

from tests.support.project import ROOT
from tests.support.visitors import TIMEOUT_MS, Host

SITE = "https://your.host/site/"
PAGE = "https://your.page/"
TYPES = {
    **{".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm"},
    # The tests' photos are PNG files, whatever their names say.
    **{".jpg": "image/png", ".f32": "application/octet-stream"},
}
ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
# Runs a module, and says when everything that it awaits is done.
RUN = """<!doctype html><meta charset="utf-8" /><link rel="icon" href="data:," /><script type="module">
try { await import('./snippet.js'); window.done = true; } catch (error) { window.done = error; console.error(error); }
</script>"""
PIXELS = """(canvas) => {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d');
  context.drawImage(canvas, 0, 0);
  return [canvas.width, canvas.height, Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data)];
}"""


@dataclass
class Elsewhere:
    """The pages of another origin in a browser profile, and what they print."""

    context: BrowserContext
    host: Host
    files: dict[str, bytes]
    # Headers that the page's own server adds to its answers.
    headers: dict[str, str] = field(default_factory=lambda: dict(ISOLATION))
    said: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(TIMEOUT_MS)
        self.context.route(f"{SITE}**", self._answer_for_site)
        self.context.route(f"{PAGE}**", self._answer_for_page)
        self.context.on("request", lambda request: self.requested.append(request.url))
        self.context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self.context.on(
            "console", lambda entry: (self.errors if entry.type == "error" else self.said).append(entry.text)
        )

    def _answer_for_site(self, route: Route) -> None:
        path = urlsplit(route.request.url).path.removeprefix("/site")
        response = route.fetch(url=f"{self.host.origin}{path}")
        # Playwright adds the headers that allow other origins.
        route.fulfill(response=response)

    def _answer_for_page(self, route: Route) -> None:
        name = urlsplit(route.request.url).path.removeprefix("/") or "index.html"
        if name not in self.files:
            route.fulfill(status=404, headers=self.headers)
            return
        kind = TYPES[Path(name).suffix]
        route.fulfill(body=self.files[name], headers={**self.headers, "Content-Type": kind})

    def show(self, html: str) -> Page:
        """Open a page of that content."""
        self.files["index.html"] = html.encode()
        page = self.context.new_page()
        page.goto(PAGE)
        return page

    def run(self, module: str) -> Page:
        """Open a page that runs a module. Return it when the module has run."""
        self.files["snippet.js"] = module.encode()
        page = self.show(RUN)
        page.wait_for_function("() => window.done")
        return page

    def value(self, body: str) -> Any:
        """Run the body of an async function, in which `u2net` is the library. Return what it returns."""
        page = self.run(
            f"import * as u2net from '{SITE}lib/u2net.js';\nwindow.value = await (async () => {{{body}}})();"
        )
        assert page.evaluate("() => window.done") is True, self.errors
        return page.evaluate("() => window.value")


def snippets(document: str, language: str) -> dict[str, str]:
    """Return a document's pieces of code in one language, by the heading above them."""
    text = (ROOT / document).read_text()
    sections = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)[1:]
    found = {}
    for heading, section in zip(sections[::2], sections[1::2], strict=True):
        for number, code in enumerate(re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)):
            found[heading if number == 0 else f"{heading} {number + 1}"] = code
    return found


def npm(folder: Path, *arguments: str) -> str:
    """Run the workflow's own npm in a folder. Return what it prints."""
    return tool(folder, ROOT / ".venvs/node/bin/npm", *arguments)


def tool(folder: Path, *command: str | Path) -> str:
    """Run a program with the workflow's own Node.js in a folder. Return what it prints."""
    node = ROOT / ".venvs/node/bin"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={"PATH": f"{node}:/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
