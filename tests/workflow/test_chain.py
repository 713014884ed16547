"""The chain from checkpoint to verified TensorFlow.js models, run as a user runs it."""

import hashlib
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import SMALL, Workflow, python

HOPS = [
    "checkpoint",
    "litert-float16",
    "litert-float32",
    "onnxruntime",
    "openvino",
    "tensorflow-frozen",
    "tensorflow-optimized",
    "tfjs-float32",
    "tfjs-uint16",
]


def digests(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and modification time of every file below a folder."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_manifest_records_what_is_on_disk(built: Workflow) -> None:
    manifest = built.manifest("u2netp", 64)
    assert manifest["passed"] is True
    assert manifest["checkpoint"]["sha256"].startswith("309c8469258dda74")
    assert list(manifest["checks"]["parity"]) == HOPS
    assert manifest["architecture"]["parameters"] == 1_131_181
    assert manifest["proofs"].keys() == set(HOPS) - {"checkpoint"}
    ran, quantized = (manifest["proofs"][f"tfjs-{dtype}"] for dtype in ("float32", "uint16"))
    assert ran["predicted_with"].startswith("@tensorflow/tfjs-backend-wasm ")
    assert quantized == {**ran, "predicted_with": quantized["predicted_with"], "graph_of": "tfjs-float32"}
    # 275 kernels and biases, and the sizes and axes of resizing and joining.
    assert quantized["tensors_equal"] > 275
    for name, recorded in manifest["artifacts"].items():
        content = (built.folder / name).read_bytes()
        assert recorded == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    on_disk = {
        str(path.relative_to(built.folder))
        for kind in ("onnx", "ir", "frozen", "optimized", "tfjs", "tflite")
        for path in (built.folder / "results/u2netp/64" / kind).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert on_disk < manifest["artifacts"].keys()
    assert not list((built.folder / "results").rglob("*.partial"))
    assert not list((built.folder / "results").rglob("saved_model*"))


def test_table_is_printed_at_the_end(built: Workflow) -> None:
    printed = (built.folder / "stdout.txt").read_text()
    rows = re.findall(r"^\| u2netp +\| 64 +\| IoU \d\.\d\d +\| (\S+) +\| (\w+) .*passed", printed, re.MULTILINE)
    assert rows == [
        ("TensorFlow.js", "float32"),
        ("TensorFlow.js", "uint16"),
        ("LiteRT", "float16"),
        ("LiteRT", "float32"),
    ]


def test_second_run_has_nothing_to_do(built: Workflow) -> None:
    assert built.planned("all", *SMALL) == {}


@pytest.mark.parametrize(
    ("changed", "reruns"),
    [
        ("workflow_scripts/check/check_size.py", {"check_size", "write_manifest", "summarize_manifests"}),
        (
            "workflow_scripts/convert/convert_tfjs.py",
            {
                "convert_tfjs",
                "quantize_tfjs",
                "predict_tfjs",
                "load_tfjs",
                "predict_quantized",
                "check_loading",
                "check_parity",
                "check_size",
                "plot_parity",
                "write_manifest",
                "summarize_manifests",
            },
        ),
        (
            # What two scripts for Node.js require.
            "workflow_scripts/predict/tfjs_files.cts",
            {
                "predict_tfjs",
                "load_tfjs",
                "check_loading",
                "check_parity",
                "plot_parity",
                "write_manifest",
                "summarize_manifests",
            },
        ),
        (
            "workflow_scripts/predict/predict_litert.py",
            {"predict_litert", "check_parity", "plot_parity", "write_manifest", "summarize_manifests"},
        ),
    ],
)
def test_changed_script_reruns_what_depends_on_it(broken: Workflow, changed: str, reruns: set[str]) -> None:
    script = broken.folder / changed
    script.write_text(script.read_text() + "\n")
    assert broken.planned("all", *SMALL).keys() - {"all"} == reruns


def stored_weights(folder: Path) -> list[tuple[dict[str, Any], bytes]]:
    """Each weight's entry in the manifest and its stored bytes, in order."""
    (group,) = json.loads((folder / "model.json").read_text())["weightsManifest"]
    data = b"".join((folder / path).read_bytes() for path in group["paths"])
    found = []
    for spec in group["weights"]:
        dtype = spec.get("quantization", spec)["dtype"]
        size = {"float32": 4, "int32": 4, "float16": 2, "uint16": 2, "uint8": 1}[dtype] * math.prod(spec["shape"])
        found.append((spec, data[:size]))
        data = data[size:]
    assert data == b""
    return found


def test_without_litert(broken: Workflow) -> None:
    shutil.rmtree(broken.folder / "results/u2netp/64/tflite")
    broken.succeed("results/u2netp/64/manifest.json", "--config", "tflite_dtypes=[]")
    manifest = broken.manifest("u2netp", 64)
    assert list(manifest["checks"]["parity"]) == [hop for hop in HOPS if not hop.startswith("litert-")]
    assert not any("tflite" in name for name in manifest["artifacts"])


def test_one_resolution_alone(broken: Workflow) -> None:
    before = digests(broken.folder / "results/u2netp/64")
    broken.succeed("results/u2netp/128/manifest.json")
    assert digests(broken.folder / "results/u2netp/64") == before
    assert broken.manifest("u2netp", 128)["passed"] is True
    assert {path.name for path in (broken.folder / "results/u2netp").iterdir()} == {
        "128",
        "320",
        "64",
        "checkpoint",
        "onnx",
    }
    # The summary is that of the run before, and contradicts nothing.
    broken.succeed("verify_manifests")
    # Every resolution has the same weights in the same order, so they can share their shards.
    weights = [
        [
            data
            for spec, data in stored_weights(broken.folder / f"results/u2netp/{size}/tfjs/float32")
            if spec["dtype"] == "float32"
        ]
        for size in (64, 128)
    ]
    # There are 118 convolutions with a bias, and the second halves of the 39 split ones.
    assert len(weights[0]) == 2 * 118 + 39
    assert weights[0] == weights[1]


def test_quantized_weights_are_what_the_converter_writes(built: Workflow, tmp_path: Path) -> None:
    size = built.folder / "results/u2netp/64"
    # The expected file is made by one run of the converter that quantizes each third of the weights to another dtype.
    thirds = {"uint8": "[0-3]", "uint16": "[4-6]", "float16": "[7-9]"}
    program = (
        "import json, sys; from workflow_scripts.convert.tfjs_converter import load_converter\n"
        "graph, folder, dtypes = sys.argv[1:]\n"
        "load_converter()(graph, 'd0', folder, quantization_dtype_map=json.loads(dtypes))"
    )
    patterns = json.dumps({dtype: f"*{digits}/*" for dtype, digits in thirds.items()})
    python("tensorflow", "-c", program, str(size / "optimized/model.pb"), str(tmp_path / "mixed"), patterns)
    mixed = stored_weights(tmp_path / "mixed")
    for dtype in thirds:
        folder = size / "tfjs/uint16"
        if dtype != "uint16":
            folder = tmp_path / dtype
            model = str(size / "tfjs/float32")
            options = ["--model", model, "--dtype", dtype, "--output", str(folder)]
            python("torch", "-m", "workflow_scripts.convert.quantize_tfjs", *options)
        found = stored_weights(folder)
        assert [spec["name"] for spec, _ in found] == [spec["name"] for spec, _ in mixed]
        same = [i for i, (spec, _) in enumerate(mixed) if spec.get("quantization", {}).get("dtype") == dtype]
        assert len(same) > 40
        assert [found[i] for i in same] == [mixed[i] for i in same]


def test_compact_weights_hold_their_floor(broken: Workflow) -> None:
    # Calibrate at the size of this test, with a floor that needs few attempts.
    (broken.folder / "small.yaml").write_text(
        "compact: {calibration: 64, check: [64], margin_db: 1}\ntolerances: {tfjs-compact: {min_drawing_psnr_db: 25}}\n"
    )
    config = ("--configfile", "small.yaml", "--config", "dtypes=[float32,uint16,compact]", "resolutions=[64]")
    broken.succeed("results/u2netp/64/manifest.json", *config)
    manifest = broken.manifest("u2netp", 64)
    assert manifest["checks"]["parity"]["tfjs-compact"]["drawing_psnr_db"] >= 25
    report = json.loads((broken.folder / "results/u2netp/compact/report.json").read_text())
    sizes = manifest["checks"]["size"]
    assert sizes["tfjs-compact"]["weight_bytes"] == report["bytes"] < 0.8 * sizes["tfjs-uint16"]["weight_bytes"]
    assert "results/u2netp/compact/report.json" in manifest["artifacts"]


def test_report_is_one_page_with_table_and_picture(built: Workflow) -> None:
    built.succeed("--report", "report.html", "all", *SMALL)
    page = (built.folder / "report.html").read_text()
    assert "results/u2netp/64/parity.png" in page
    assert "results/summary.html" in page


def test_several_models_share_one_run(project: Workflow) -> None:
    (project.folder / "mine.pth").write_bytes(b"read only when the job runs")
    (project.folder / "fleet.yaml").write_text(
        "model: [u2netp, mine]\ncheckpoints:\n  mine: {path: mine.pth, task: portrait, licence: MIT}\n"
    )
    planned = project.planned("all", "--configfile", "fleet.yaml", "--config", "resolutions=[64,96]")
    assert planned["write_manifest"] == 4
    assert planned["export_onnx"] == 2
    # One for each resolution, and one for the size of the ONNX file that u2netp is read from.
    assert planned["make_probe_inputs"] == 3
