import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.formats.manifest import own_digest
from workflow_scripts.manifest.verify_manifests import main

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
CONTENT = {"model.onnx": b"onnx", "tfjs/float32/model.json": b"{}", "tfjs/float32/shard.bin": bytes(range(256))}
EVIDENCE = {"predictions/torch.safetensors": b"prediction", "parity.json": b"{}"}


@pytest.fixture
def manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two resolutions, their paths relative to the current folder as the workflow writes them."""
    monkeypatch.chdir(tmp_path)
    written = []
    for resolution in ("64", "320"):
        manifest: dict[str, Any] = {"artifacts": {}, "evidence": {}}
        for key, files in (("artifacts", CONTENT), ("evidence", EVIDENCE)):
            for name, content in files.items():
                path = Path("results", resolution, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                manifest[key][str(path)] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        written.append(Path("results", resolution, "manifest.json"))
        written[-1].write_text(json.dumps({**manifest, "manifest_sha256": own_digest(manifest)}))
    return written


def test_unchanged_artifacts_pass(manifests: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["--manifests", *map(str, manifests)])
    assert capsys.readouterr().out.splitlines() == [f"{path}: every artifact is the recorded one" for path in manifests]


@pytest.mark.parametrize("position", [0, 128, 255])
def test_one_flipped_bit_is_found_and_named(manifests: list[Path], refusal: Refusal, position: int) -> None:
    shard = Path("results/320/tfjs/float32/shard.bin")
    content = bytearray(shard.read_bytes())
    content[position] ^= 1
    shard.write_bytes(content)
    message = refusal(main, "--manifests", *manifests)
    assert (
        f"{shard} differs from its recorded sha256 {hashlib.sha256(CONTENT['tfjs/float32/shard.bin']).hexdigest()}"
        in message
    )
    assert "1 damaged in all" in message
    assert message.endswith("--forcerun results/320/tfjs/float32")


def test_another_resolutions_manifest_is_named(manifests: list[Path], refusal: Refusal) -> None:
    manifests[0].write_text(manifests[1].read_text())
    message = refusal(main, "--manifests", *manifests)
    assert message.startswith(f"script: {manifests[0]} is another resolution's or another model's, 1 damaged in all")


def test_a_truncated_artifact_is_named_with_both_sizes(manifests: list[Path], refusal: Refusal) -> None:
    Path("results/64/model.onnx").write_bytes(b"onn")
    assert "results/64/model.onnx has 3 bytes, recorded 4" in refusal(main, "--manifests", *manifests)


def test_all_that_is_damaged_at_any_resolution_is_made_anew_by_one_command(
    manifests: list[Path], refusal: Refusal
) -> None:
    for name in CONTENT:
        Path("results/320", name).unlink()
    Path("results/64/predictions/torch.safetensors").write_bytes(b"predictioN")
    message = refusal(main, "--manifests", *manifests)
    assert "results/64/predictions/torch.safetensors differs from its recorded sha256" in message
    assert "4 damaged in all" in message
    again = "results/320/model.onnx results/320/tfjs/float32 results/64/predictions/torch.safetensors"
    assert message.endswith(f"--forcerun {again}")


def test_a_missing_artifact_is_named(manifests: list[Path], refusal: Refusal) -> None:
    Path("results/320/model.onnx").unlink()
    assert "results/320/model.onnx is missing" in refusal(main, "--manifests", *manifests)


def test_what_only_the_checks_needed_may_be_gone(manifests: list[Path]) -> None:
    for name in EVIDENCE:
        Path("results/320", name).unlink()
    main(["--manifests", *map(str, manifests)])


@pytest.mark.parametrize("content", [b"", b"\0" * 300, b"{}", b"[]", b'{"artifacts": '])
def test_what_is_no_manifest_is_named(manifests: list[Path], refusal: Refusal, content: bytes) -> None:
    manifests[1].write_bytes(content)
    message = refusal(main, "--manifests", *manifests)
    assert "results/320/manifest.json cannot be read as a manifest" in message
    assert message.endswith("--forcerun results/320/manifest.json")


def test_a_changed_figure_of_the_manifest_itself_is_found(manifests: list[Path], refusal: Refusal) -> None:
    content = json.loads(manifests[0].read_text())
    manifests[0].write_text(json.dumps({**content, "passed": True}))
    assert "results/64/manifest.json differs from its own sha256" in refusal(main, "--manifests", *manifests)
