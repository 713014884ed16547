"""The page that times a device's engines. The GPUs of this machine are emulated, so they are not timed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.visitors import TIMEOUT_MS, Visitor
from tests.support.wrong_gpu import spoil_gpu

pytestmark = pytest.mark.environment("torch")

ON_PROCESSOR = ("wasm", "litert-wasm", "onnxruntime-wasm")
EMULATED = ("webgpu", "webgl", "litert-webgpu", "onnxruntime-webgpu")


def begin(visitor: Visitor) -> Page:
    """Open the page and start at the smallest size."""
    page = visitor.page = visitor.context.new_page()
    page.goto(f"{visitor.host.origin}/devices.html")
    page.get_by_label("Name of this device").fill("the tests' machine")
    page.get_by_label("128", exact=True).uncheck()
    page.get_by_role("button", name="Start").click()
    return page


def save(page: Page, status: str) -> dict[str, Any]:
    """Wait until the page has this status. Return the report that it saves."""
    expect(page.get_by_role("status")).to_have_text(status, timeout=TIMEOUT_MS)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the figures").click()
    assert saved.value.suggested_filename == "u2netp on the tests' machine.json"
    report: dict[str, Any] = json.loads(Path(saved.value.path()).read_text())
    return report


def test_what_is_real_is_compared_and_timed(visitor: Visitor, tmp_path: Path) -> None:
    page = begin(visitor)
    report = save(page, "Done.")
    rows = {(row["backend"], row["threads"]): row for row in report["rows"]}
    assert {backend for backend, _ in rows} == {*ON_PROCESSOR, *EMULATED}
    assert {threads for backend, threads in rows if backend in ON_PROCESSOR} == {1, 2}
    for (backend, _), row in rows.items():
        assert row["resolution"] == 64
        if backend in EMULATED:
            assert (row["problem"], row["frames_ms"], row["max_abs"]) == ("an emulated GPU is not timed", [], None)
            continue
        assert row["problem"] is None
        assert len(row["frames_ms"]) >= 3
        # u2netp at 64 on saturated colours, on any of these engines: docs/checks.md.
        assert 0 < row["max_abs"] < 5e-4, row
    assert report["isolated"] is True
    assert page.locator("#rows tr").count() == len(rows)
    # The workflow makes a table of it.
    (tmp_path / "saved.json").write_text(json.dumps(report))
    outputs = [f"--{kind}={tmp_path / kind}" for kind in ("table", "plot")]
    collect = ["workflow_scripts.benchmark.tabulate_devices", "--reports", str(tmp_path / "saved.json"), *outputs]
    subprocess.run([sys.executable, "-m", *collect], check=True)
    assert (tmp_path / "table").read_text().count("the tests' machine") == len(rows)


def test_a_gpu_that_is_wrong_is_not_timed(visitor: Visitor) -> None:
    visitor.context.route("**/assets/device_worker-*.js", spoil_gpu)
    page = begin(visitor)
    expect(page.locator("#rows")).to_contain_text("computes wrong results here", timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Stop").click()
    rows = {row["backend"]: row for row in save(page, "Stopped.")["rows"]}
    assert (rows["webgl"]["problem"], rows["webgl"]["frames_ms"]) == ("computes wrong results here", [])
    assert rows["webgl"]["device"] == "Test GPU"
    assert rows["webgl"]["max_abs"] == pytest.approx(0.01, rel=0.1)
