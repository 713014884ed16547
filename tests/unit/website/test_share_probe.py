import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from tests.support.manifests import manifest, write_vouched
from workflow_scripts.formats.manifest import Recorded, read_manifest, write_manifest
from workflow_scripts.formats.predictions import save_predictions
from workflow_scripts.predict import make_probe_inputs
from workflow_scripts.shared.drawings import preprocess
from workflow_scripts.website.share_probe import PROBE, main

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
SIDE = 64
TOLERANCES = {"float32": {"max_abs": {"floor": 1e-6, "ceiling": 2e-3}, "p99_abs": {"floor": 1e-6, "ceiling": 5e-4}}}
D0 = np.random.default_rng(5).random((1, 1, SIDE, SIDE)).astype(np.float32)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A model whose manifest vouches for the probes and for what PyTorch made of them."""
    (tmp_path / "results/_probes").mkdir(parents=True)
    probes = tmp_path / f"results/_probes/{SIDE}.safetensors"
    make_probe_inputs.main(["--resolution", str(SIDE), "--output", str(probes)])
    folder = tmp_path / f"results/mine/{SIDE}"
    path = write_vouched(tmp_path, manifest("mine", SIDE), **{"model.onnx": b"model"})
    (folder / "predictions").mkdir()
    save_predictions(folder / "predictions/torch.safetensors", {PROBE: D0}, {"read": "{}"})
    vouch(path, probes, folder / "predictions/torch.safetensors")
    return tmp_path


def vouch(path: Path, *evidence: Path) -> None:
    root = path.parents[3]
    recorded = {str(file.relative_to(root)): Recorded.of(file) for file in evidence}
    made = read_manifest(path)
    write_manifest(path, replace(made, evidence={**made.evidence, **recorded}))


def arguments(project: Path) -> list[str]:
    folder = project / f"results/mine/{SIDE}"
    return [
        *("--manifest", str(folder / "manifest.json"), "--tolerances", json.dumps(TOLERANCES)),
        *("--probes", str(project / f"results/_probes/{SIDE}.safetensors")),
        *("--reference", str(folder / "predictions/torch.safetensors"), "--output", str(project / "probe")),
    ]


def test_photo_and_reference_are_those_of_the_chain(project: Path) -> None:
    main(arguments(project))
    entry: dict[str, Any] = json.loads((project / "probe/probe.json").read_text())
    assert entry["resolution"] == SIDE
    assert entry["limits"] == {"max_abs": 2e-3, "p99_abs": 5e-4}
    content = {}
    for name in ("photo", "reference"):
        file = entry[name]
        content[name] = (project / "probe" / file["url"]).read_bytes()
        assert (len(content[name]), hashlib.sha256(content[name]).hexdigest()) == (file["bytes"], file["sha256"])
        assert file["sha256"] in file["url"]
    pixels = np.asarray(Image.open(io.BytesIO(content["photo"])))
    assert preprocess(pixels, SIDE).shape == (1, 3, SIDE, SIDE)
    assert {tuple(colour) for colour in pixels[0]} == {(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)}
    reference = np.frombuffer(content["reference"], "<u2") / 65535
    assert np.abs(reference - D0.ravel()).max() <= 0.5 / 65535 + 1e-7


@pytest.mark.parametrize("file", ["_probes/64.safetensors", "mine/64/predictions/torch.safetensors"])
def test_what_the_manifest_does_not_vouch_for_is_refused(project: Path, refusal: Refusal, file: str) -> None:
    path = project / f"results/mine/{SIDE}/manifest.json"
    made = read_manifest(path)
    write_manifest(path, replace(made, evidence={k: v for k, v in made.evidence.items() if not k.endswith(file)}))
    assert f"{file} is not the file that the checks of mine read" in refusal(main, *arguments(project))
    assert not (project / "probe").exists()


def test_a_probe_of_no_whole_pixels_is_refused(project: Path, refusal: Refusal) -> None:
    probes = project / f"results/_probes/{SIDE}.safetensors"
    save_file({PROBE: np.full((1, 3, SIDE, SIDE), 0.123, np.float32)}, probes)
    vouch(project / f"results/mine/{SIDE}/manifest.json", probes)
    assert "was not made of whole pixels" in refusal(main, *arguments(project))
