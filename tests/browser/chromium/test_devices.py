"""What the page makes of a device: a GPU that computes wrong results, and the resolution that it draws at."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.support.visitors import Visitor
from tests.support.wrong_gpu import spoil_gpu
from workflow_scripts.website.predict_browser import IDLE


def test_gpu_that_is_right_the_first_time_only_is_found_out(visitor: Visitor) -> None:
    visitor.context.route("**/assets/worker-*.js", spoil_gpu)
    page = visitor.open(backend="webgl")
    expect(page.get_by_test_id("backend")).to_have_value("webgl")
    drawn = visitor.draw_sample()
    assert drawn["backend"] == "wasm"
    summary = page.get_by_test_id("machine-summary")
    expect(summary).to_contain_text("graphics chip computes wrong results")
    expect(summary).to_contain_text("went on with your processor")
    expect(page.locator("#backend option[value=webgl]")).to_be_disabled()
    # The next visit knows it, and does not set the GPU up again.
    visitor.requested.clear()
    page.reload()
    page.wait_for_function(IDLE)
    assert visitor.draw_sample() == drawn
    expect(summary).to_contain_text("graphics chip computes wrong results")


def test_this_device_is_verified_on_demand(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.draw_sample()
    verified = page.get_by_test_id("verified")
    expect(verified).to_contain_text("was not checked")
    page.get_by_test_id("check-device").click()
    expect(verified).to_contain_text("Verified on this device: at most 0.0000")
    found = re.search(r"at most (0\.\d+) from PyTorch", verified.inner_text())
    assert found is not None
    assert 0 < float(found[1]) < 1e-3
    print(verified.inner_text(), [answer for answer in visitor.host.answers if "/probes/" in answer.path])


def own_resolution(visitor: Visitor, site: Path, side: int) -> None:
    """Have the site say that its model was made for another resolution."""
    catalogue: dict[str, Any] = json.loads((site / "catalogue.json").read_text())
    for model in catalogue["models"]:
        model["own_resolution"] = side
    visitor.context.route("**/catalogue.*json", lambda route: route.fulfill(json=catalogue))


def test_the_models_own_resolution_unless_another_was_chosen(visitor: Visitor, site: Path) -> None:
    own_resolution(visitor, site, 64)
    page = visitor.open(resolution="")
    chosen = page.get_by_test_id("resolution")
    expect(chosen).to_have_value("64")
    expect(chosen.locator("option[value='128']")).to_contain_text("experimental")
    expect(page.locator("#resolution-note")).not_to_contain_text("Experimental")
    chosen.select_option("128")
    expect(page.locator("#resolution-note")).to_contain_text("Experimental: the model was made for 64 × 64")
    # What somebody chose is kept on this device; the address outweighs it.
    visitor.open(resolution="")
    expect(visitor.page.get_by_test_id("resolution")).to_have_value("128")
    visitor.open(resolution=64)
    expect(visitor.page.get_by_test_id("resolution")).to_have_value("64")


def test_what_the_page_chose_is_not_kept(visitor: Visitor, site: Path) -> None:
    page = visitor.open(resolution="")
    expect(page.get_by_test_id("resolution")).to_have_value("128")
    own_resolution(visitor, site, 64)
    visitor.open(resolution="")
    expect(visitor.page.get_by_test_id("resolution")).to_have_value("64")


def test_the_title_says_what_the_models_do(visitor: Visitor, site: Path) -> None:
    page = visitor.open()
    assert page.title() == "Cut-outs in your browser · Atelier"
    catalogue = json.loads((site / "catalogue.json").read_text())
    catalogue["models"].insert(0, {**catalogue["models"][0], "name": "pencil", "task": "portrait"})
    visitor.context.route("**/catalogue.*json", lambda route: route.fulfill(json=catalogue))
    page = visitor.open()
    assert page.title() == "Pencil portraits and cut-outs in your browser · Atelier"
    expect(page.get_by_text("Pencil portraits and cut-outs from your photos")).to_be_visible()
    options = page.get_by_test_id("model").locator("option").all_inner_texts()
    assert options == ["Pencil portraits", "Cut-outs"]
