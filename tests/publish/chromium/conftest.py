"""A visitor of the published site, run by the torch environment's own pytest, which has Playwright."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.environments import HERE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.distribution import Distribution

if HERE == "driver":
    # The driver lacks what these import; test_publish.py runs them instead.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    from workflow_scripts.shared.chromium import launch

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def distribution() -> "Iterator[Distribution]":
    """The bucket, as CloudFront would serve it."""
    from tests.support.distribution import distributing

    with distributing(os.environ["U2NET_ADDRESS"]) as distribution:
        yield distribution
