import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workflow_scripts.benchmark.device_reports import ENGINES
from workflow_scripts.benchmark.tabulate_devices import main

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
TIMED = {
    "backend": "litert-wasm",
    "threads": 2,
    "device": "processor",
    "resolution": 320,
    "max_abs": 1.5e-6,
    "frames_ms": [9.0, 1.0, 5.0],
    "problem": None,
}
EMULATED = {
    **{"backend": "webgpu", "threads": 1, "device": "SwiftShader | google", "resolution": 320, "max_abs": 2e-6},
    **{"frames_ms": [], "problem": "an emulated GPU is not timed"},
}


def report(**changes: Any) -> dict[str, Any]:
    return {"version": 1, "device": "a phone", "model": "mini", "rows": [TIMED, EMULATED], **changes}


def arguments(folder: Path, *reports: Any) -> list[str]:
    """Write files and return the arguments that name them."""
    paths = []
    for index, content in enumerate(reports):
        path = folder / f"{index}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        paths.append(str(path))
    return ["--reports", *paths, "--table", str(folder / "devices.md"), "--plot", str(folder / "devices.png")]


def test_devices_stand_in_one_table_and_one_plot(tmp_path: Path) -> None:
    main(arguments(tmp_path, report(), report(device="a\nlaptop")))
    lines = (tmp_path / "devices.md").read_text().splitlines()
    engine = "LiteRT.js, WebAssembly, 2 threads"
    assert lines[2] == f"| mini | a phone | {engine} | processor | 320 | 1.5e-06 | 5.0 | 3.0 to 7.0 | 3 |"
    assert lines[3].endswith("| SwiftShader / google | 320 | 2.0e-06 | an emulated GPU is not timed |  |  |")
    assert lines[4].startswith("| mini | a laptop |")
    assert len(lines) == 6
    with Image.open(tmp_path / "devices.png") as picture:
        # There are bars in LiteRT's colour.
        assert (np.asarray(picture.convert("RGB")) == (0x4D, 0x9A, 0x63)).all(axis=2).sum() > 1000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<html>", "JSONDecodeError"),
        ("[" * 100_000, "RecursionError"),
        ([], "TypeError"),
        ({}, "KeyError: 'version'"),
        (report(version=2), "TypeError: version 2"),
        (report(device=7), "TypeError: 7 is no text"),
        (report(rows=[{**TIMED, "backend": "quantum"}]), "KeyError: 'quantum'"),
        (report(rows=[{**TIMED, "frames_ms": [float("nan"), 1.0]}]), "TypeError: nan is no time"),
        (report(rows=[{**TIMED, "frames_ms": []}]), "TypeError: a row has frames or a problem"),
        (report(rows=[{**TIMED, "resolution": True}]), "TypeError: True is no positive whole number"),
        (report(rows=[{**TIMED, "resolution": -64}]), "TypeError: -64 is no positive whole number"),
    ],
)
def test_a_file_of_something_else_is_named(tmp_path: Path, refusal: Refusal, content: Any, reason: str) -> None:
    message = refusal(main, *arguments(tmp_path, report(), content))
    assert f"{tmp_path / '1.json'} is not a file that devices.html saved ({reason}" in message
    assert not (tmp_path / "devices.md").exists()


def test_files_without_any_time_are_refused(tmp_path: Path, refusal: Refusal) -> None:
    assert "no engine was timed" in refusal(main, *arguments(tmp_path, report(rows=[EMULATED])))
    assert not (tmp_path / "devices.png").exists()


def test_the_page_and_the_table_call_the_engines_alike() -> None:
    source = (Path(__file__).parents[3] / "web/devices/report.ts").read_text()
    listed = re.search(r"ENGINES_TIMED = \{(.*?)\}", source, re.DOTALL)
    assert listed is not None
    assert dict(re.findall(r"'?([\w-]+)'?: '([^']+)'", listed[1])) == ENGINES
