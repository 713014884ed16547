import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from verify_manifests import main

Refusal = Callable[..., str]
CONTENT = {"model.onnx": b"onnx", "float32/model.json": b"{}", "float32/shard.bin": bytes(range(256))}


@pytest.fixture
def manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two resolutions, their paths relative to the current folder as the workflow writes them."""
    monkeypatch.chdir(tmp_path)
    written = []
    for resolution in ("64", "320"):
        artifacts = {}
        for name, content in CONTENT.items():
            path = Path("results", resolution, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            artifacts[str(path)] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        written.append(Path("results", resolution, "manifest.json"))
        written[-1].write_text(json.dumps({"artifacts": artifacts}))
    return written


def test_unchanged_artifacts_pass(manifests: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["--manifests", *map(str, manifests)])
    assert capsys.readouterr().out.splitlines() == [f"{path}: every artifact is the recorded one" for path in manifests]


@pytest.mark.parametrize("position", [0, 128, 255])
def test_one_flipped_bit_is_found_and_named(manifests: list[Path], refusal: Refusal, position: int) -> None:
    shard = Path("results/320/float32/shard.bin")
    content = bytearray(shard.read_bytes())
    content[position] ^= 1
    shard.write_bytes(content)
    message = refusal(main, "--manifests", *manifests)
    assert (
        f"{shard} differs from its recorded sha256 {hashlib.sha256(CONTENT['float32/shard.bin']).hexdigest()}"
        in message
    )
    assert "results/320/manifest.json, 1 in all" in message


def test_a_truncated_artifact_is_named_with_both_sizes(manifests: list[Path], refusal: Refusal) -> None:
    Path("results/64/model.onnx").write_bytes(b"onn")
    assert "results/64/model.onnx has 3 bytes, recorded 4" in refusal(main, "--manifests", *manifests)


def test_missing_artifacts_are_counted(manifests: list[Path], refusal: Refusal) -> None:
    for name in CONTENT:
        Path("results/320", name).unlink()
    message = refusal(main, "--manifests", *manifests)
    assert "results/320/model.onnx is missing" in message
    assert "3 in all" in message
