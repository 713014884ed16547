import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.manifests import WORST, manifest, rewrite, write_vouched
from workflow_scripts.formats.manifest import Checks, StoredSize
from workflow_scripts.formats.predictions import save_predictions
from workflow_scripts.manifest.summarize_manifests import main
from workflow_scripts.manifest.summary import HEADER, contradicts, figures_in, rows

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
FIGURES = {**WORST, "max_abs": 7.7e-5, "p99_abs": 1.7e-5, "drawing_psnr_db": 109.04, "drawing_ssim": 1.0}
HOPS = ("litert-float16", "onnxruntime", "tfjs-float32", "tfjs-uint16")
CHECKS = Checks(dict.fromkeys(HOPS, FIGURES), dict.fromkeys(HOPS, StoredSize(5_000_000, 4_501_940)))
SMALL = manifest("u2netp", 64, checks=CHECKS, task="saliency")
ODD = manifest("<my & |model>", 1024, checks=CHECKS, task="saliency")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for made in (SMALL, ODD):
        write_vouched(tmp_path, made, model=b"model")
    return tmp_path


def arguments(folder: Path) -> list[str]:
    paths = [folder / "results" / made.model / str(made.resolution) / "manifest.json" for made in (SMALL, ODD)]
    return [
        *("--manifests", *map(str, paths)),
        *("--table", str(folder / "summary.md"), "--page", str(folder / "summary.html")),
    ]


def summarize(folder: Path) -> tuple[str, str]:
    main(arguments(folder))
    return (folder / "summary.md").read_text(), (folder / "summary.html").read_text()


def cells(line: str) -> list[str]:
    """Split a line into cells: Markdown ends a cell at every pipe without a backslash before it."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_a_row_a_model_resolution_engine_and_dtype(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, _ = summarize(folder)
    header, rule, *body = map(cells, table.splitlines())
    assert len(header) == len(rule) == len(HEADER)
    assert all(set(cell) == {"-"} for cell in rule)
    assert [row[:5] for row in body] == [
        ["u2netp", "64", "–", "TensorFlow.js", "float32"],
        ["u2netp", "64", "–", "TensorFlow.js", "uint16"],
        ["u2netp", "64", "–", "LiteRT", "float16"],
        [r"<my & \|model>", "1024", "–", "TensorFlow.js", "float32"],
        [r"<my & \|model>", "1024", "–", "TensorFlow.js", "uint16"],
        [r"<my & \|model>", "1024", "–", "LiteRT", "float16"],
    ]
    assert body[0][5:] == ["4.50", "7.7e-05", "1.7e-05", "109.0", "1.00000", "passed"]
    assert {row[-1] for row in body} == {"passed"}
    assert capsys.readouterr().out == table
    assert len({len(line) for line in table.splitlines()}) == 1


def test_the_page_holds_the_same_cells_escaped(folder: Path) -> None:
    _, page = summarize(folder)
    assert page.startswith("<!doctype html>")
    assert len(re.findall("<tr>", page)) == 7
    assert "<td>&lt;my &amp; |model&gt;</td><td>1024</td><td>–</td><td>TensorFlow.js</td><td>float32</td>" in page
    assert "<my" not in page


def test_a_table_that_contradicts_a_manifest_is_known(folder: Path) -> None:
    for text in summarize(folder):
        assert not any(contradicts(figures_in(text), made) for made in (SMALL, ODD))
        assert contradicts(figures_in(text.replace("4.50", "4.51")), SMALL)
        # Other dtypes and resolutions are those of other runs.
        other = dict.fromkeys((*HOPS, "tfjs-float16"), FIGURES)
        for dtypes in ({"tfjs-uint16": FIGURES}, other):
            changed = manifest("u2netp", 64, checks=Checks(dtypes, dict.fromkeys(dtypes, CHECKS.size[HOPS[0]])))
            assert len(rows(changed)) != len(rows(SMALL))
            assert not contradicts(figures_in(text), changed)
        assert not contradicts(figures_in(text), manifest("u2netp", 96, checks=CHECKS, task="saliency"))


def test_a_manifest_that_no_longer_holds_is_not_tabulated(folder: Path, refusal: Refusal) -> None:
    (folder / "results/u2netp/64/model").write_bytes(b"moDel")
    assert "results/u2netp/64/model differs from its recorded sha256" in refusal(main, *arguments(folder))
    # Where a bucket has the artifacts, they are not looked at.
    (folder / "results/u2netp/64/model").unlink()
    main([*arguments(folder), "--manifests-only"])
    (folder / "summary.md").unlink()
    (folder / "results/u2netp/64/model").write_bytes(b"model")
    rewrite(folder / "results/u2netp/64/manifest.json", passed=False)
    assert "results/u2netp/64/manifest.json did not pass its checks" in refusal(main, *arguments(folder))
    assert not (folder / "summary.md").exists()


def drawn(folder: Path, resolution: int, ink: Callable[[int], float], task: str) -> Path:
    """Write a manifest and predictions. `ink` gives the value of a row by its place from 0 to 1."""
    place = folder / f"results/mine/{resolution}"
    (place / "predictions").mkdir(parents=True)
    rows = np.array([ink(row / resolution) for row in range(resolution)], np.float32)
    d0 = np.tile(rows[:, None], (1, resolution))[None, None]
    save_predictions(place / "predictions/torch.safetensors", {"astronaut": d0, "chelsea": d0}, {"read": "{}"})
    return write_vouched(folder, manifest("mine", resolution, checks=CHECKS, task=task))


def test_a_resolution_is_compared_with_the_one_that_the_model_was_trained_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = drawn(tmp_path, 64, lambda place: float(place < 0.25), "saliency")
    other = drawn(tmp_path, 128, lambda place: float(place < 0.125), "saliency")
    outputs = ("--table", str(tmp_path / "summary.md"), "--page", str(tmp_path / "summary.html"))
    main(["--manifests", str(own), str(other), "--own", json.dumps({"mine": 64}), *outputs])
    _, _, *body = map(cells, capsys.readouterr().out.splitlines())
    assert [row[1:3] for row in body[::3]] == [["64", "own"], ["128", "IoU 0.50"]]


@pytest.mark.parametrize(("task", "said"), [("portrait", True), ("drawing", False), ("saliency", False)])
def test_a_portrait_in_white_on_black_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], task: str, said: bool
) -> None:
    made = drawn(tmp_path, 64, lambda place: float(place > 0.1), task)
    outputs = ("--table", str(tmp_path / "summary.md"), "--page", str(tmp_path / "summary.html"))
    # The size that the network was trained at need not be known.
    main(["--manifests", str(made), *outputs])
    notice = "mine at 64 draws white on black as task=portrait; it may be a network of task=drawing"
    assert (notice in capsys.readouterr().out) == said
