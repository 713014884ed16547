import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.support.manifests import manifest, rewrite, write_vouched
from workflow_scripts.formats.manifest import Recorded, read_manifest, write_manifest
from workflow_scripts.manifest import summarize_manifests
from workflow_scripts.manifest.verify_manifests import main
from workflow_scripts.shared.files import read_by, sha256, write_json

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
CONTENT = {"model.onnx": b"onnx", "tfjs/float32/model.json": b"{}", "tfjs/float32/shard.bin": bytes(range(256))}
EVIDENCE = {"predictions/torch.safetensors": b"\2\0\0\0\0\0\0\0{}", "parity.json": b"{}"}


@pytest.fixture
def manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two resolutions, their paths relative to the current folder as the workflow writes them."""
    monkeypatch.chdir(tmp_path)
    written = []
    for resolution in (64, 320):
        folder = Path("results/mine", str(resolution))
        for name, content in CONTENT.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        written.append(write_vouched(Path(), manifest("mine", resolution, task="saliency")))
        made = read_manifest(written[-1])
        for name, content in EVIDENCE.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        more = {str(folder / name): Recorded.of(folder / name) for name in EVIDENCE}
        write_manifest(written[-1], replace(made, evidence=made.evidence | more))
    return written


def test_unchanged_artifacts_pass(manifests: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["--manifests", *map(str, manifests)])
    assert capsys.readouterr().out.splitlines() == [f"{path}: every artifact is the recorded one" for path in manifests]


@pytest.mark.parametrize("position", [0, 128, 255])
def test_one_flipped_bit_is_found_and_named(manifests: list[Path], refusal: Refusal, position: int) -> None:
    shard = Path("results/mine/320/tfjs/float32/shard.bin")
    recorded = sha256(shard)
    content = bytearray(shard.read_bytes())
    content[position] ^= 1
    shard.write_bytes(content)
    message = refusal(main, "--manifests", *manifests)
    assert f"{shard} differs from its recorded sha256 {recorded}" in message
    assert "1 damaged in all" in message
    assert message.endswith("--forcerun results/mine/320/tfjs/float32")


def test_a_checkpoint_that_was_replaced_since_is_named(manifests: list[Path], refusal: Refusal) -> None:
    one, other = (Path(f"{name}.pth") for name in ("one", "other"))
    for path, content in ((one, {"a": torch.ones(2)}), (other, {"a": torch.zeros(2)})):
        torch.save(content, path)
    for path in manifests:
        write_manifest(path, replace(read_manifest(path), checkpoint=Recorded.of(one)))
    named = ["--manifests", *map(str, manifests), "--checkpoints"]
    # Of a model that is not here nothing can be said.
    main([*named, f"mine={one}", f"absent={other}"])
    message = refusal(main, *named, f"mine={other}")
    assert "other.pth is not the checkpoint that mine at 320 was made of; build it again with snakemake all" in message


def test_another_resolutions_manifest_is_named(manifests: list[Path], refusal: Refusal) -> None:
    manifests[0].write_text(manifests[1].read_text())
    message = refusal(main, "--manifests", *manifests)
    assert message.startswith(f"script: {manifests[0]} is another resolution's or another model's, 1 damaged in all")


def test_a_truncated_artifact_is_named_with_both_sizes(manifests: list[Path], refusal: Refusal) -> None:
    Path("results/mine/64/model.onnx").write_bytes(b"onn")
    assert "results/mine/64/model.onnx has 3 bytes, recorded 4" in refusal(main, "--manifests", *manifests)


def test_all_that_is_damaged_at_any_resolution_is_made_again_by_one_command(
    manifests: list[Path], refusal: Refusal
) -> None:
    for name in CONTENT:
        Path("results/mine/320", name).unlink()
    Path("results/mine/64/predictions/torch.safetensors").write_bytes(b"predictioN")
    message = refusal(main, "--manifests", *manifests)
    assert "results/mine/64/predictions/torch.safetensors differs from its recorded sha256" in message
    assert "4 damaged in all" in message
    again = "results/mine/320/model.onnx results/mine/320/tfjs/float32 results/mine/64/predictions/torch.safetensors"
    assert message.endswith(f"--forcerun {again}")


def test_a_missing_artifact_is_named(manifests: list[Path], refusal: Refusal) -> None:
    Path("results/mine/320/model.onnx").unlink()
    assert "results/mine/320/model.onnx is missing" in refusal(main, "--manifests", *manifests)


def test_what_only_the_checks_needed_may_be_gone(manifests: list[Path]) -> None:
    for name in EVIDENCE:
        Path("results/mine/320", name).unlink()
    main(["--manifests", *map(str, manifests)])


@pytest.mark.parametrize("content", [b"", b"\0" * 300, b"{}", b"[]", b'{"artifacts": '])
def test_what_is_no_manifest_is_named(manifests: list[Path], refusal: Refusal, content: bytes) -> None:
    manifests[1].write_bytes(content)
    message = refusal(main, "--manifests", *manifests)
    assert "results/mine/320/manifest.json cannot be read as a manifest" in message
    assert message.endswith("--forcerun results/mine/320/manifest.json")


def test_a_changed_figure_of_the_manifest_itself_is_found(manifests: list[Path], refusal: Refusal) -> None:
    content = manifests[0].read_text()
    assert content.count('"drawing_psnr_db": 80.0') == 4
    manifests[0].write_text(content.replace('"drawing_psnr_db": 80.0', '"drawing_psnr_db": 81.0', 1))
    assert "results/mine/64/manifest.json differs from its own sha256" in refusal(main, "--manifests", *manifests)


def test_a_report_that_judged_another_file_is_found(manifests: list[Path], refusal: Refusal) -> None:
    report = Path("results/mine/64/size.json")
    read = read_by(report, [Path("results/mine/64/model.onnx")])
    write_json(report, {"read": dict.fromkeys(read, "0" * 64), "passed": True})
    # All digests are right. Only the link is wrong.
    evidence = read_manifest(manifests[0]).evidence | {str(report): Recorded.of(report)}
    write_manifest(manifests[0], replace(read_manifest(manifests[0]), evidence=evidence))
    message = refusal(main, "--manifests", *manifests)
    assert "results/mine/64/model.onnx is not the file that results/mine/64/size.json was made of" in message


def test_a_manifest_that_did_not_pass_is_found(manifests: list[Path], refusal: Refusal) -> None:
    rewrite(manifests[0], passed=False)
    assert "results/mine/64/manifest.json did not pass its checks" in refusal(main, "--manifests", *manifests)


@pytest.mark.parametrize("name", ["summary.md", "summary.html"])
def test_a_summary_is_vouched_for(manifests: list[Path], refusal: Refusal, name: str) -> None:
    summaries = ["--summaries", "results/summary.md", "results/summary.html"]
    # No summary was asked for yet.
    main(["--manifests", *map(str, manifests), *summaries])
    written = ["--table", "results/summary.md", "--page", "results/summary.html"]
    summarize_manifests.main(["--manifests", *map(str, manifests), *written])
    main(["--manifests", *map(str, manifests), *summaries])
    path = Path("results", name)
    path.write_text(path.read_text().replace("80.0", "81.0", 1))
    message = refusal(main, "--manifests", *manifests, *summaries)
    assert f"results/{name} " in message
    assert message.endswith(f"--forcerun results/{name}")
    # The next run was asked for one of them only.
    summarize_manifests.main(["--manifests", str(manifests[0]), *written])
    main(["--manifests", *map(str, manifests), *summaries])
    # That one was built again with other weights, and no summary was written.
    checks = json.loads(manifests[0].read_text())["checks"]
    checks["parity"]["tfjs-uint16"]["drawing_psnr_db"] = 70.0
    rewrite(manifests[0], checks=checks)
    message = refusal(main, "--manifests", *manifests, *summaries)
    assert "results/summary.md has other figures of mine at 64 than the manifest" in message
    assert message.endswith("--forcerun results/summary.html results/summary.md")
