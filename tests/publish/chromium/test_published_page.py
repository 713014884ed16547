"""The page from the bucket, in Chromium."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.support.distribution import Distribution
from tests.support.visitors import Host, Visitor
from workflow_scripts.formats.predictions import read_predictions


@pytest.fixture
def visitor(browser: Browser, distribution: Distribution) -> Iterator[Visitor]:
    context = browser.new_context()
    visitor = Visitor(context, Host(origin=distribution.origin), lambda: None)
    yield visitor
    context.close()
    assert [url for url in visitor.requested if not url.startswith((f"{distribution.origin}/", "blob:"))] == []
    assert visitor.errors == []


def test_draws_with_wasm_threads(visitor: Visitor, distribution: Distribution) -> None:
    page = visitor.open(dtype="float32")
    assert page.evaluate("() => crossOriginIsolated")
    cores = page.evaluate("() => navigator.hardwareConcurrency")
    drawing = visitor.draw_sample("Cat")
    timing = json.loads(page.locator("html").get_attribute("data-timing") or "")
    assert timing["backend"] == "wasm"
    assert timing["threads"] > 1 or cores == 1
    predictions, _ = read_predictions(Path(os.environ["U2NET_RESULTS"]) / "u2netp/64/predictions/torch.safetensors")
    difference = np.abs(np.array(drawing["d0"], np.float32) - predictions["chelsea"].ravel()).max()
    print(f"{timing['threads']} threads of {cores} cores, max |d0 - PyTorch's| {difference:.1e}")
    assert 0 < difference < 2e-4
    # The page follows only index.html. It asks for no other file that can change.
    assert not {"catalogue.json", "service_worker.js"} & set(distribution.served)
    assert any(key.startswith("weights/") for key in distribution.served)
    assert any(key.startswith("catalogue.") and key != "catalogue.json" for key in distribution.served)
