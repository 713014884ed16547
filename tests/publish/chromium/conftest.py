"""A visitor of the published site, run by the torch environment's own pytest, which has Playwright."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from distribution import Distribution
    from playwright.sync_api import Browser

if ".venvs" in Path(sys.prefix).parts:
    root = Path(__file__).parents[3]
    sys.path[:0] = [str(Path(__file__).parent), str(root / "tests/browser/chromium"), str(root / "workflow_scripts")]
else:
    # The driver lacks what these import; test_publish.py runs them instead.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright
    from predict_browser import launch

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def distribution() -> "Iterator[Distribution]":
    """The bucket, as CloudFront would serve it."""
    from distribution import distributing

    with distributing(os.environ["U2NET_ADDRESS"]) as distribution:
        yield distribution
