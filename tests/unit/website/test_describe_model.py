import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.website.describe_model import main

pytestmark = pytest.mark.environment("provenance")

Refusal = Callable[..., str]
WORST = {"max_abs": 3e-5, "drawing_psnr_db": 80.0}


def manifest(resolution: int, **changes: Any) -> dict[str, Any]:
    return {
        "model": "mine",
        "task": "portrait",
        "licence": "MIT",
        "notice": None,
        "resolution": resolution,
        "architecture": {"family": "custom", "stages": {"stage1": [3, 16, 64]}, "parameters": 1131181},
        "checkpoint": {"sha256": "b" * 64},
        "checks": {"parity": {"openvino": WORST, "tfjs-float32": WORST}},
        **changes,
    }


def described(tmp_path: Path, *manifests: dict[str, Any]) -> dict[str, Any]:
    paths = []
    for content in manifests:
        paths.append(tmp_path / f"{content['resolution']}.json")
        paths[-1].write_text(json.dumps(content))
    main(["--manifests", *map(str, paths), "--output", str(tmp_path / "model.cdx.json")])
    (component,) = json.loads((tmp_path / "model.cdx.json").read_text())["components"]
    found: dict[str, Any] = component
    return found


def test_the_card_tells_what_the_manifests_tell(tmp_path: Path) -> None:
    model = described(tmp_path, manifest(64), manifest(320))
    assert (model["type"], model["name"]) == ("machine-learning-model", "mine")
    assert model["hashes"] == [{"alg": "SHA-256", "content": "b" * 64}]
    assert model["licenses"] == [{"license": {"name": "MIT"}}]
    assert model["properties"] == [{"name": "parameters", "value": "1131181"}]
    card = model["modelCard"]
    assert card["modelParameters"]["task"] == "photo to pencil drawing"
    assert "stage1 3-16-64" in card["modelParameters"]["modelArchitecture"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": f"{figure} against PyTorch, tfjs-float32", "value": repr(WORST[figure]), "slice": f"{size} × {size}"}
        for size in (64, 320)
        for figure in sorted(WORST)
    ]


def test_a_notice_is_a_limitation_and_an_unstated_licence_is_none(tmp_path: Path) -> None:
    model = described(tmp_path, manifest(64, licence="unstated", notice="Not for sale."))
    assert model["licenses"] == []
    assert model["modelCard"]["considerations"]["technicalLimitations"] == ["Not for sale."]


def test_what_does_not_fit_the_schema_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "64.json").write_text(json.dumps(manifest(64, checkpoint={"sha256": "no digest"})))
    output = tmp_path / "model.cdx.json"
    message = refusal(main, "--manifests", tmp_path / "64.json", "--output", output)
    assert "the description of mine does not fit the CycloneDX schema" in message
    assert not output.exists()
