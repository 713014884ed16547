import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.formats.manifest import own_digest
from workflow_scripts.manifest.write_manifest import TOOLS, git_commit, locked_versions, main

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]

MANIFEST = Path("results/mine/320/manifest.json")
WORST = {"max_abs": 3e-5, "mean_abs": 3e-6, "p99_abs": 1.5e-5, "drawing_psnr_db": 80.0, "drawing_ssim": 0.8}


class Build:
    """One resolution's artifacts and reports, small but of the real form, in the current folder."""

    def __init__(self) -> None:
        self.parity: dict[str, Any] = {
            "task": "portrait",
            "hops": [
                {"hop": "openvino", "probes": {"a": WORST}, "worst": WORST},
                {"hop": "tfjs-float32", "probes": {"a": WORST}, "worst": WORST, "peak_bytes": 99},
            ],
            "passed": True,
        }
        self.size: dict[str, Any] = {
            "artifacts": [{"artifact": "tfjs-float32", "bytes": 30, "weight_bytes": 20, "problems": []}],
            "structures": {"tfjs-float32": {"operations": {"MaxPool": 1}, "multiply_adds": 5, "problems": []}},
            "passed": True,
        }
        Path("checkpoint").write_bytes(b"checkpoint")
        Path("model.onnx").write_bytes(b"onnx")
        Path("float32").mkdir()
        Path("float32/model.json").write_bytes(b"{}")
        Path("float32/group1-shard1of1.bin").write_bytes(b"weights")
        Path("float32/.snakemake_timestamp").touch()
        Path("architecture.json").write_text(json.dumps({"multiply_adds_32x32": 7, "family": "custom"}))
        Path("torch.safetensors").write_bytes(b"prediction")
        Path("locks").mkdir()
        pins = [f"{tool}==1.{index} \\\n    --hash=sha256:{'0' * 64}\n" for index, tool in enumerate(TOOLS)]
        Path("locks/a.txt").write_text("".join(pins[:4]))
        Path("locks/b.txt").write_text("# comment\n" + "".join(pins[4:]))

    def arguments(self) -> list[str]:
        Path("parity.json").write_text(json.dumps(self.parity))
        Path("size.json").write_text(json.dumps(self.size))
        return [
            *("--model", "mine", "--resolution", "320", "--licence", "Apache-2.0", "--checkpoint", "checkpoint"),
            *("--architecture", "architecture.json", "--parity", "parity.json", "--size", "size.json"),
            *("--evidence", "torch.safetensors"),
            *("--artifacts", "model.onnx", "float32", "--locks", "locks/a.txt", "locks/b.txt"),
            *("--output", str(MANIFEST)),
        ]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.chdir(tmp_path)
    return Build()


def recorded(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_every_file_is_recorded_by_size_and_digest(build: Build) -> None:
    main(build.arguments())
    manifest = json.loads(MANIFEST.read_text())
    assert manifest["artifacts"] == {
        "model.onnx": recorded(b"onnx"),
        "float32/model.json": recorded(b"{}"),
        "float32/group1-shard1of1.bin": recorded(b"weights"),
    }
    assert manifest["checkpoint"] == recorded(b"checkpoint")
    evidence = ("architecture.json", "checkpoint", "parity.json", "size.json", "torch.safetensors")
    assert manifest["evidence"] == {name: recorded(Path(name).read_bytes()) for name in evidence}


def test_files_are_named_from_the_projects_folder_on(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(build.arguments())
    manifest = MANIFEST.read_bytes()
    # As on a node that keeps what it takes from a bucket in a folder of its own.
    *elsewhere, _ = [str(tmp_path / word) if Path(word).exists() else word for word in build.arguments()]
    monkeypatch.chdir("/")
    main([*elsewhere, str(tmp_path / MANIFEST)])
    assert (tmp_path / MANIFEST).read_bytes() == manifest


def test_a_manifest_records_itself(build: Build) -> None:
    main(build.arguments())
    manifest = json.loads(MANIFEST.read_text())
    assert manifest["manifest_sha256"] == own_digest(manifest)
    manifest["checks"]["parity"]["openvino"]["drawing_psnr_db"] = 81.0
    assert manifest["manifest_sha256"] != own_digest(manifest)


def test_the_checks_figures_are_carried_over(build: Build) -> None:
    main(build.arguments())
    manifest = json.loads(MANIFEST.read_text())
    assert manifest["checks"]["parity"] == {"openvino": WORST, "tfjs-float32": WORST}
    assert manifest["tensorflowjs"] == {
        "tfjs-float32": {"operations": {"MaxPool": 1}, "multiply_adds": 5, "peak_bytes": 99}
    }
    assert manifest["checks"]["size"] == {"tfjs-float32": {"bytes": 30, "weight_bytes": 20}}
    assert (manifest["task"], manifest["licence"], manifest["passed"]) == ("portrait", "Apache-2.0", True)
    assert manifest["multiply_adds"] == 7 * 100


@pytest.mark.parametrize("report", ["parity", "size"])
@pytest.mark.parametrize("passed", [False, None, "yes"])
def test_a_report_that_did_not_pass_is_refused(build: Build, refusal: Refusal, report: str, passed: Any) -> None:
    getattr(build, report)["passed"] = passed
    assert refusal(main, *build.arguments()) == f"script: {report}.json did not pass"
    assert not MANIFEST.exists()


def test_versions_are_those_the_locks_pin(build: Build) -> None:
    versions = locked_versions(Path("locks/a.txt")) | locked_versions(Path("locks/b.txt"))
    assert versions == {tool: f"1.{index}" for index, tool in enumerate(TOOLS)}


def test_lock_files_are_recorded_with_their_digests(build: Build) -> None:
    main(build.arguments())
    locks = json.loads(MANIFEST.read_text())["locks"]
    assert locks == {
        f"locks/{name}": recorded(Path(f"locks/{name}").read_bytes())["sha256"] for name in ("a.txt", "b.txt")
    }


def test_equal_builds_give_equal_bytes(build: Build) -> None:
    main(build.arguments())
    first = MANIFEST.read_bytes()
    main(build.arguments())
    assert MANIFEST.read_bytes() == first


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_marked_where_tracked_files_differ(build: Build) -> None:
    assert git_commit() is None
    git("init", "--quiet")
    git("add", "checkpoint")
    git("commit", "--quiet", "-m", "first")
    git("tag", "v1")
    commit = git("rev-parse", "HEAD")
    assert git_commit() == commit
    Path("checkpoint").write_text("changed")
    assert git_commit() == f"{commit}-dirty"
