"""The page as an app on the visitor's device, and as other sites show it."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from tests.support.visitors import Visitor

# A profile of a test counts as private, where Chromium installs nothing.
PRIVATE = "in-incognito"


def devtools(page: Page, method: str) -> dict[str, Any]:
    """Ask Chromium's developer tools about a page."""
    session = page.context.new_cdp_session(page)
    answer: dict[str, Any] = session.send(method)
    session.detach()
    return answer


def hindrances(page: Page) -> set[str]:
    """Say why Chromium would not install the page, besides the test's private profile."""
    found = devtools(page, "Page.getInstallabilityErrors")["installabilityErrors"]
    return {entry["errorId"] for entry in found} - {PRIVATE}


def test_chromium_would_install_the_page(visitor: Visitor, site: Path) -> None:
    page = visitor.open()
    manifest = devtools(page, "Page.getAppManifest")
    assert manifest["errors"] == []
    said = json.loads(manifest["data"])
    assert manifest["url"].startswith(f"{visitor.host.origin}/assets/manifest-")
    assert hindrances(page) == set()
    assert {(icon["sizes"], icon["purpose"]) for icon in said["icons"]} == {
        *(("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"))
    }
    for icon in said["icons"]:
        answer = page.request.get(f"{visitor.host.origin}/assets/{icon['src']}")
        assert answer.headers["content-type"] == "image/png"
        assert len(answer.body()) < 50_000
    kind = page.request.get(manifest["url"]).headers["content-type"]
    assert kind == "application/manifest+json"
    # The app opens the page itself, wherever the site lies.
    assert page.evaluate("([start, base]) => new URL(start, base).href", [said["start_url"], manifest["url"]]) == (
        f"{visitor.host.origin}/"
    )


def without_icons(route: Route) -> None:
    manifest = route.fetch().json()
    route.fulfill(json={**manifest, "icons": []})


def test_chromium_would_not_install_it_without_icons(visitor: Visitor) -> None:
    visitor.context.route("**/manifest-*.webmanifest", without_icons)
    assert hindrances(visitor.open()) & {"no-acceptable-icon", "manifest-missing-suitable-icon"}


def test_the_app_opens_offline(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample()
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.close()
    visitor.stop_host()
    page = visitor.open()
    link = page.locator("link[rel=manifest]").get_attribute("href")
    assert page.evaluate("(url) => fetch(url).then((answer) => answer.json())", link)["name"] == "Atelier"


def test_other_sites_have_something_to_show(visitor: Visitor) -> None:
    page = visitor.open()
    content = {
        name: page.locator(f'meta[property="og:{name}"]').get_attribute("content") or ""
        for name in ("title", "description", "image")
    }
    assert all(content.values())
    image = page.request.get(f"{visitor.host.origin}/{content['image'].removeprefix('./')}")
    assert image.headers["content-type"] == "image/jpeg"
    assert len(image.body()) < 100_000
    # No visitor downloads it.
    assert [answer.path for answer in visitor.host.answers if re.search(r"/preview-.*\.jpg", answer.path)] == [
        f"/{content['image'].removeprefix('./')}"
    ]
