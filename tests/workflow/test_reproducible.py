"""The same project and environments give the same bytes. If they do not, the first difference is named."""

import json
from pathlib import Path

import pytest

from tests.support.project import Workflow, copy_project

MODEL = "u2net_portrait_mini"
CONFIG = ("--config", f"model={MODEL}", "resolutions=[64]", "dtypes=[float32]", "tflite_dtypes=[float32]")


@pytest.fixture(scope="module")
def rebuilt(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy of the project in which two more copies were built and compared."""
    workflow = copy_project(tmp_path_factory.mktemp("rebuilt") / "project")
    workflow.succeed("verify_reproducible", *CONFIG)
    return workflow


def test_everything_is_built_twice_alike(rebuilt: Workflow) -> None:
    report = json.loads((rebuilt.folder / "results/_reproducible/report.json").read_text())
    assert report["passed"] is True
    assert report["different"] == {}
    kinds = {Path(name).suffix for name in report["equal"]}
    assert {
        ".onnx",
        ".xml",
        ".bin",
        ".pb",
        ".json",
        ".tflite",
        ".safetensors",
        ".png",
        ".html",
        ".js",
        ".wasm",
    } <= kinds
    # What other processors are to write alike, from the checkpoint on.
    artifacts = {str(Path(name).relative_to(MODEL)) for name in report["equal_on_another_processor"]}
    assert {"checkpoint/weights.safetensors", "onnx/dynamic.onnx", "64/onnx/model.onnx", "64/ir/model.bin"} <= artifacts
    assert {"64/frozen/model.pb", "64/optimized/model.pb", "64/tfjs/float32/model.json"} <= artifacts
    assert "64/tflite/float32.tflite" in artifacts
    for name in (f"{MODEL}/64/tfjs/float32/model.json", "site/index.html", "site/provenance/SHA256SUMS"):
        assert name in report["equal"]


def test_a_difference_fails_and_is_named(rebuilt: Workflow) -> None:
    model = rebuilt.folder / f"results/_reproducible/second/{MODEL}/64/tfjs/float32/model.json"
    content = model.read_text()
    model.write_text(content.replace('"format":"graph-model"', '"format":"other-model"'))
    try:
        done = rebuilt.run("verify_reproducible", *CONFIG, "--forcerun", "compare_copies")
    finally:
        model.write_text(content)
    assert done.returncode != 0
    line = f"compare_copies: {MODEL}/64/tfjs/float32/model.json differs: format: 'graph-model' and 'other-model' (1 of "
    assert line in done.stderr
