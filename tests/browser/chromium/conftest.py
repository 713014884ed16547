"""Fixtures of the journeys. The torch environment's own pytest runs them, because it has Playwright."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.environments import HERE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.visitors import Visitor

if HERE == "driver":
    # The driver lacks the packages that these import. test_site.py runs them.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def site() -> Path:
    """The site that the workflow built, with u2netp at 64 and 128."""
    return Path(os.environ["U2NET_SITE"])


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One Chromium for all tests. Its camera shows a moving test picture to pages that have the permission."""
    from playwright.sync_api import sync_playwright

    from workflow_scripts.shared.chromium import launch

    with sync_playwright() as playwright:
        browser = launch(playwright, "--use-fake-device-for-media-stream")
        yield browser
        browser.close()


@pytest.fixture
def context_options() -> dict[str, Any]:
    """The options of the browser profile. A test's parameters may override them."""
    return {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def visitor(browser: "Browser", site: Path, context_options: dict[str, Any]) -> "Iterator[Visitor]":
    """A visitor of the site. After the journey, no other host was asked and the console holds no error."""
    from tests.support.visitors import Visitor, hosted

    with hosted(site) as (host, stop):
        context = browser.new_context(**context_options)
        visitor = Visitor(context, host, stop)
        yield visitor
        context.close()
        assert [url for url in visitor.requested if not url.startswith((f"{host.origin}/", "blob:"))] == []
        assert visitor.errors == []


@pytest.fixture(scope="session")
def cat() -> bytes:
    """A photo's file."""
    from skimage import data

    from workflow_scripts.website.predict_browser import png

    return png(data.chelsea())
