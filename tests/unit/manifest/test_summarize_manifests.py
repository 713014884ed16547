import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.manifests import WORST, manifest, rewrite, write_vouched
from workflow_scripts.formats.manifest import Checks, StoredSize
from workflow_scripts.manifest.summarize_manifests import main
from workflow_scripts.manifest.summary import HEADER, lacks, rows

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
FIGURES = {**WORST, "max_abs": 7.7e-5, "p99_abs": 1.7e-5, "drawing_psnr_db": 109.04, "drawing_ssim": 1.0}
HOPS = ("litert-float16", "onnxruntime", "tfjs-float32", "tfjs-uint16")
CHECKS = Checks(dict.fromkeys(HOPS, FIGURES), dict.fromkeys(HOPS, StoredSize(5_000_000, 4_501_940)))
SMALL = manifest("u2netp", 64, checks=CHECKS)
ODD = manifest("<my & |model>", 1024, checks=CHECKS)


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
    """Markdown ends a cell at every pipe that no backslash precedes."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_a_row_a_model_resolution_engine_and_dtype(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, _ = summarize(folder)
    header, rule, *body = map(cells, table.splitlines())
    assert len(header) == len(rule) == len(HEADER)
    assert all(set(cell) == {"-"} for cell in rule)
    assert [row[:4] for row in body] == [
        ["u2netp", "64", "TensorFlow.js", "float32"],
        ["u2netp", "64", "TensorFlow.js", "uint16"],
        ["u2netp", "64", "LiteRT", "float16"],
        [r"<my & \|model>", "1024", "TensorFlow.js", "float32"],
        [r"<my & \|model>", "1024", "TensorFlow.js", "uint16"],
        [r"<my & \|model>", "1024", "LiteRT", "float16"],
    ]
    assert body[0][4:] == ["4.50", "7.7e-05", "1.7e-05", "109.0", "1.00000", "passed"]
    assert {row[-1] for row in body} == {"passed"}
    assert capsys.readouterr().out == table
    assert len({len(line) for line in table.splitlines()}) == 1


def test_the_page_holds_the_same_cells_escaped(folder: Path) -> None:
    _, page = summarize(folder)
    assert page.startswith("<!doctype html>")
    assert len(re.findall("<tr>", page)) == 7
    assert "<td>&lt;my &amp; |model&gt;</td><td>1024</td><td>TensorFlow.js</td><td>float32</td>" in page
    assert "<my" not in page


def test_a_table_that_lacks_a_row_is_known(folder: Path) -> None:
    for text in summarize(folder):
        assert not any(lacks(text, row) for made in (SMALL, ODD) for row in rows(made))
        assert lacks(text.replace("4.50", "4.51"), rows(SMALL)[0])
        assert lacks(text, rows(manifest("u2netp", 96, checks=CHECKS))[0])


def test_a_manifest_that_no_longer_holds_is_not_tabulated(folder: Path, refusal: Refusal) -> None:
    (folder / "results/u2netp/64/model").write_bytes(b"moDel")
    assert "results/u2netp/64/model differs from its recorded sha256" in refusal(main, *arguments(folder))
    (folder / "results/u2netp/64/model").write_bytes(b"model")
    rewrite(folder / "results/u2netp/64/manifest.json", passed=False)
    assert "results/u2netp/64/manifest.json did not pass its checks" in refusal(main, *arguments(folder))
    assert not (folder / "summary.md").exists()
