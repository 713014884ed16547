import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.manifests import WORST, manifest, write_vouched
from workflow_scripts.formats.manifest import Checks, Manifest, Recorded, StoredSize
from workflow_scripts.website.describe_model import main

pytestmark = pytest.mark.environment("provenance")

Refusal = Callable[..., str]
CHECKS = Checks({"openvino": WORST, "tfjs-float32": WORST}, {"tfjs-float32": StoredSize(30, 20)})


def described(tmp_path: Path, *manifests: Manifest) -> dict[str, Any]:
    paths = [write_vouched(tmp_path, made, model=b"model") for made in manifests]
    main(["--manifests", *map(str, paths), "--output", str(tmp_path / "model.cdx.json")])
    (component,) = json.loads((tmp_path / "model.cdx.json").read_text())["components"]
    found: dict[str, Any] = component
    return found


def test_the_card_tells_what_the_manifests_tell(tmp_path: Path) -> None:
    model = described(tmp_path, manifest("mine", 320, checks=CHECKS), manifest("mine", 64, checks=CHECKS))
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
    model = described(tmp_path, manifest("mine", licence="unstated", notice="Not for sale."))
    assert model["licenses"] == []
    assert model["modelCard"]["considerations"]["technicalLimitations"] == ["Not for sale."]


def test_what_does_not_fit_the_schema_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    path = write_vouched(tmp_path, manifest("mine", checkpoint=Recorded(3, "no digest")), model=b"model")
    output = tmp_path / "model.cdx.json"
    message = refusal(main, "--manifests", path, "--output", output)
    assert "the description of mine does not fit the CycloneDX schema" in message
    assert not output.exists()


def test_figures_of_a_damaged_model_are_not_described(tmp_path: Path, refusal: Refusal) -> None:
    path = write_vouched(tmp_path, manifest(), model=b"model")
    path.with_name("model").write_bytes(b"moDel")
    message = refusal(main, "--manifests", path, "--output", tmp_path / "model.cdx.json")
    assert "results/mine/64/model differs from its recorded sha256" in message
    assert f"so {path} no longer vouches for it" in message
