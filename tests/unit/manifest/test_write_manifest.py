import hashlib
import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workflow_scripts.formats.manifest import own_digest
from workflow_scripts.formats.predictions import save_predictions
from workflow_scripts.manifest.write_manifest import TOOLS, locked_versions, main
from workflow_scripts.shared.files import files_in, read_by, replacing, write_json

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]

MANIFEST = Path("results/mine/320/manifest.json")
WORST = {"max_abs": 3e-5, "mean_abs": 3e-6, "p99_abs": 1.5e-5, "drawing_psnr_db": 80.0, "drawing_ssim": 0.8}


NATIVE = {"predicted_with": "onnxruntime 1.0"}
LOADED = {
    "predicted_with": "wasm 4.0",
    "loaded_with": "wasm 4.0",
    "tensors_equal": 281,
    "graph_of": "tfjs-float32",
}

FOLDER = MANIFEST.parent
PREDICTIONS = FOLDER / "predictions"
PROBES = Path("results/probes/320.safetensors")
CHECKPOINT = Path("results/mine/checkpoint/original")
WEIGHTS = CHECKPOINT.with_name("weights.safetensors")
ARCHITECTURE = CHECKPOINT.with_name("architecture.json")
ONNX = FOLDER / "onnx/model.onnx"
TFJS = FOLDER / "tfjs/float32"
PICTURE = FOLDER / "parity.png"
LOADING = FOLDER / "loading.json"


def make(path: Path, content: bytes) -> Path:
    """Write an output as a script does, with its seal."""
    with replacing(path) as staging:
        staging.write_bytes(content)
    return path


def predict(name: str, *models: Path) -> Path:
    """Write predictions that name the files they were made from."""
    path = PREDICTIONS / f"{name}.safetensors"
    save_predictions(path, {"a": np.zeros(1, np.float32)}, {"read": json.dumps(read_by(path, [*models, PROBES]))})
    return path


class Build:
    """One resolution's artifacts and reports in the current folder. They are small but have the real form."""

    def __init__(self) -> None:
        self.parity: dict[str, Any] = {
            "task": "portrait",
            "hops": [
                {"hop": "onnxruntime", "probes": {"a": WORST}, "worst": WORST, "proof": NATIVE},
                {"hop": "tfjs-float32", "probes": {"a": WORST}, "worst": WORST, "peak_bytes": 99, "proof": LOADED},
            ],
            "passed": True,
        }
        self.size: dict[str, Any] = {
            "artifacts": [{"artifact": "tfjs-float32", "bytes": 30, "weight_bytes": 20, "problems": []}],
            "structures": {"tfjs-float32": {"operations": {"MaxPool": 1}, "multiply_adds": 5, "problems": []}},
            "passed": True,
        }
        make(CHECKPOINT, b"checkpoint")
        make(WEIGHTS, struct.pack("<Q", 2) + b"{}")
        make(ONNX, b"onnx")
        with replacing(TFJS) as staging:
            staging.mkdir(parents=True)
            (staging / "model.json").write_bytes(b"{}")
            (staging / "group1-shard1of1.bin").write_bytes(b"weights")
        (TFJS / ".snakemake_timestamp").touch()
        make(PROBES, struct.pack("<Q", 2) + b"{}")
        write_json(ARCHITECTURE, {"multiply_adds_32x32": 7, "family": "custom"})
        self.predictions = [
            predict("torch", WEIGHTS),
            predict("onnxruntime", ONNX),
            predict("tfjs-float32", *files_in(TFJS)),
        ]
        self.loaded = FOLDER / "loaded/float32.json"
        write_json(self.loaded, {"tensors": [], "read": read_by(self.loaded, files_in(TFJS))})
        self.checked_loading = [*files_in(TFJS), self.loaded]
        Path("locks").mkdir()
        pins = [f"{tool}==1.{index} \\\n    --hash=sha256:{'0' * 64}\n" for index, tool in enumerate(TOOLS)]
        Path("locks/a.txt").write_text("".join(pins[:4]))
        Path("locks/b.txt").write_text("# comment\n" + "".join(pins[4:]))

    def judge(self, loading: bool = True) -> None:
        """Write the reports and the picture, as the checks do once they have read their files."""
        parity, size = FOLDER / "parity.json", FOLDER / "size.json"
        write_json(LOADING, {"passed": True, "read": read_by(LOADING, self.checked_loading)})
        judged_by = [*self.predictions, *([LOADING] if loading else [])]
        write_json(parity, {**self.parity, "read": read_by(parity, judged_by)})
        write_json(size, {**self.size, "read": read_by(size, [ARCHITECTURE, ONNX, *files_in(TFJS)])})
        text = b"Source\0" + json.dumps(read_by(PICTURE, [parity, PROBES])).encode()
        chunk = struct.pack(">I", len(text)) + b"tEXt" + text + struct.pack(">I", zlib.crc32(b"tEXt" + text))
        make(PICTURE, b"\x89PNG\r\n\x1a\n" + chunk)

    def arguments(self, judge: bool = True) -> list[str]:
        if judge:
            self.judge()
        return [
            *("--model", "mine", "--resolution", "320", "--licence", "Apache-2.0", "--checkpoint", str(CHECKPOINT)),
            *("--architecture", str(ARCHITECTURE)),
            *("--parity", str(FOLDER / "parity.json"), "--size", str(FOLDER / "size.json")),
            *("--evidence", str(PROBES), *map(str, self.predictions), str(PICTURE), str(self.loaded), str(LOADING)),
            *("--artifacts", str(WEIGHTS), str(ONNX), str(TFJS), "--locks", "locks/a.txt", "locks/b.txt"),
            *("--output", str(MANIFEST)),
        ]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.chdir(tmp_path)
    return Build()


def recorded(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_every_file_is_recorded_by_size_and_digest(build: Build) -> None:
    main(build.arguments())
    manifest = json.loads(MANIFEST.read_text())
    assert manifest["artifacts"] == {str(path): recorded(path) for path in (WEIGHTS, ONNX, *files_in(TFJS))}
    assert manifest["checkpoint"] == recorded(CHECKPOINT)
    reports = (
        ARCHITECTURE,
        CHECKPOINT,
        FOLDER / "parity.json",
        FOLDER / "size.json",
        PICTURE,
        PROBES,
        LOADING,
        build.loaded,
    )
    assert manifest["evidence"] == {str(path): recorded(path) for path in (*reports, *build.predictions)}


def test_files_are_named_from_the_projects_folder_on(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(build.arguments())
    manifest = MANIFEST.read_bytes()
    # This happens on a node that keeps files from a bucket in a folder of its own.
    *elsewhere, _ = [str(tmp_path / word) if Path(word).exists() else word for word in build.arguments()]
    monkeypatch.chdir("/")
    main([*elsewhere, str(tmp_path / MANIFEST)])
    assert (tmp_path / MANIFEST).read_bytes() == manifest


def test_a_manifest_records_itself(build: Build) -> None:
    main(build.arguments())
    manifest = json.loads(MANIFEST.read_text())
    assert manifest["manifest_sha256"] == own_digest(manifest)
    manifest["checks"]["parity"]["onnxruntime"]["drawing_psnr_db"] = 81.0
    assert manifest["manifest_sha256"] != own_digest(manifest)


def test_the_checks_figures_are_carried_over(build: Build) -> None:
    main(build.arguments())
    manifest = json.loads(MANIFEST.read_text())
    assert manifest["checks"]["parity"] == {"onnxruntime": WORST, "tfjs-float32": WORST}
    assert manifest["tensorflowjs"] == {
        "tfjs-float32": {"operations": {"MaxPool": 1}, "multiply_adds": 5, "peak_bytes": 99}
    }
    assert manifest["proofs"] == {
        "onnxruntime": {**NATIVE, "loaded_with": None, "tensors_equal": None, "graph_of": None},
        "tfjs-float32": LOADED,
    }
    assert manifest["checks"]["size"] == {"tfjs-float32": {"bytes": 30, "weight_bytes": 20}}
    assert (manifest["task"], manifest["licence"], manifest["passed"]) == ("portrait", "Apache-2.0", True)
    assert manifest["multiply_adds"] == 7 * 100


@pytest.mark.parametrize("report", ["parity", "size"])
@pytest.mark.parametrize("passed", [False, None, "yes"])
def test_a_report_that_did_not_pass_is_refused(build: Build, refusal: Refusal, report: str, passed: Any) -> None:
    getattr(build, report)["passed"] = passed
    assert refusal(main, *build.arguments()) == f"script: {FOLDER / report}.json did not pass"
    assert not MANIFEST.exists()


def test_versions_are_those_the_locks_pin(build: Build) -> None:
    versions = locked_versions(Path("locks/a.txt")) | locked_versions(Path("locks/b.txt"))
    assert versions == {tool: f"1.{index}" for index, tool in enumerate(TOOLS)}


def test_lock_files_are_recorded_with_their_digests(build: Build) -> None:
    main(build.arguments())
    locks = json.loads(MANIFEST.read_text())["locks"]
    assert locks == {name: recorded(Path(f"locks/{name}"))["sha256"] for name in ("a.txt", "b.txt")}


def test_equal_builds_give_equal_bytes(build: Build) -> None:
    main(build.arguments())
    first = MANIFEST.read_bytes()
    main(build.arguments())
    assert MANIFEST.read_bytes() == first


def flip(path: Path) -> None:
    """Change the lowest bit of the last byte."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


EVERY_FILE = [
    WEIGHTS,
    ONNX,
    TFJS / "model.json",
    TFJS / "group1-shard1of1.bin",
    PROBES,
    PICTURE,
    CHECKPOINT,
    ARCHITECTURE,
]
EVERY_FILE += [FOLDER / "parity.json", FOLDER / "size.json", LOADING, PREDICTIONS / "torch.safetensors"]
EVERY_FILE += [PREDICTIONS / "onnxruntime.safetensors", PREDICTIONS / "tfjs-float32.safetensors"]


@pytest.mark.parametrize("path", EVERY_FILE, ids=str)
def test_a_file_that_changed_since_it_was_made_is_not_vouched_for(build: Build, refusal: Refusal, path: Path) -> None:
    build.judge()
    # An added space at the end does not change what the JSON says.
    path.write_bytes(path.read_bytes() + b" ") if path.suffix == ".json" else flip(path)
    message = refusal(main, *build.arguments(judge=False))
    assert f"script: {path} changed since it was made, so no manifest vouches for it" in message
    assert message.endswith(f"--forcerun {path.parent if path.is_relative_to(TFJS) else path}")
    assert not MANIFEST.exists()


@pytest.mark.parametrize("path", [ONNX, PROBES, WEIGHTS, PREDICTIONS / "torch.safetensors"], ids=str)
def test_a_file_made_again_after_it_was_judged_is_not_vouched_for(build: Build, refusal: Refusal, path: Path) -> None:
    build.judge()
    content = path.read_bytes()
    # The changed file has a valid seal. Only the digests in the reports show the change.
    make(path, content[:-1] + bytes([content[-1] ^ 1]))
    message = refusal(main, *build.arguments(judge=False))
    assert f"script: {path} is not the file that {FOLDER}/" in message
    assert not MANIFEST.exists()


def test_an_artifact_that_no_check_judged_is_not_vouched_for(build: Build, refusal: Refusal) -> None:
    more = make(FOLDER / "tflite/float32.tflite", b"never looked at")
    arguments = build.arguments()
    arguments.insert(arguments.index("--locks"), str(more))
    assert f"script: {more} is in no predictions of this resolution (2 such)" in refusal(main, *arguments)
    # No hop has loaded this shard, but all other files in its folder were loaded.
    with replacing(TFJS) as staging:
        shutil.copytree(TFJS, staging)
        (staging / "group1-shard2of2.bin").write_bytes(b"stray")
    message = refusal(main, *build.arguments())
    assert f"{TFJS / 'group1-shard2of2.bin'} is in no loaded of this resolution (3 such)" in message


def test_a_model_of_which_nothing_says_how_it_is_loaded_is_not_vouched_for(build: Build, refusal: Refusal) -> None:
    build.checked_loading = [build.loaded]
    message = refusal(main, *build.arguments())
    assert f"{TFJS / 'group1-shard1of1.bin'} is in no loading.json of this resolution (2 such)" in message


def test_what_is_loaded_counts_only_if_parity_was_judged_by_it(build: Build, refusal: Refusal) -> None:
    build.judge(loading=False)
    assert f"{LOADING} is in no parity.json of this resolution" in refusal(main, *build.arguments(judge=False))


def test_a_quantized_model_has_the_peak_of_the_model_whose_graph_it_has(build: Build) -> None:
    build.parity["hops"].append({**build.parity["hops"][1], "hop": "tfjs-uint16"})
    del build.parity["hops"][-1]["peak_bytes"]
    build.size["structures"]["tfjs-uint16"] = build.size["structures"]["tfjs-float32"]
    main(build.arguments())
    assert json.loads(MANIFEST.read_text())["tensorflowjs"]["tfjs-uint16"]["peak_bytes"] == 99


def test_predictions_that_nothing_compared_are_not_evidence(build: Build, refusal: Refusal) -> None:
    build.judge()
    build.predictions.append(predict("litert-float32", ONNX))
    message = refusal(main, *build.arguments(judge=False))
    assert f"{PREDICTIONS / 'litert-float32.safetensors'} is in no parity.json of this resolution" in message


def test_a_report_that_read_what_is_not_recorded_is_refused(build: Build, refusal: Refusal) -> None:
    build.predictions[1] = predict("onnxruntime", ONNX, make(FOLDER / "other.onnx", b"other"))
    message = refusal(main, *build.arguments())
    assert f"{build.predictions[1]} was made of {FOLDER / 'other.onnx'}, which nothing vouches for" in message
