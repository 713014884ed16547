"""Faults planted into TensorFlow.js' loader, into the scale and into the order of weights: check_loading names each."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import ROOT, python

DTYPES = ("float32", "float16", "uint16", "uint8")
QUANTIZED = DTYPES[1:]
# In tfjs-core, where a stored integer becomes a weight.
DECODED = "values[i] = v * quantization.scale + quantization.min;"


@dataclass(frozen=True)
class Models:
    """One small network with each type of weights, and what loads and checks them."""

    folder: Path
    # A folder with the packages of TensorFlow.js, and the scripts that use them.
    packages: Path = ROOT / ".venvs/node/node_modules"
    scripts: Path = ROOT / "workflow_scripts/predict"

    def check(self, *dtypes: str) -> str:
        """Load models with TensorFlow.js and check what it holds. Return the one line of a failure, or nothing."""
        self.load(*dtypes)
        return self.compare(*dtypes)

    def load(self, *dtypes: str) -> None:
        """Have TensorFlow.js load models, and write down what it holds."""
        for dtype in dtypes:
            subprocess.run(
                [
                    *(str(ROOT / ".venvs/node/bin/node"), str(self.scripts / "load_tfjs.cts")),
                    *("--model", str(self.folder / dtype), "--output", str(self.folder / f"{dtype}.json")),
                ],
                env={**os.environ, "NODE_PATH": str(self.packages)},
                check=True,
            )

    def compare(self, *dtypes: str) -> str:
        """Check what was loaded. Return the one line of a failure, or nothing."""
        done = subprocess.run(
            [
                *(str(ROOT / ".venvs/torch/bin/python"), "-m", "workflow_scripts.check.check_loading"),
                *("--run", str(self.folder / "float32")),
                *("--models", *(str(self.folder / dtype) for dtype in dtypes)),
                *("--loaded", *(str(self.folder / f"{dtype}.json") for dtype in dtypes)),
                *("--output", str(self.folder / "loading.json")),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, 1), done.stderr
        assert (done.returncode == 0) == (self.folder / "loading.json").is_file()
        return done.stderr.strip()

    def model(self, dtype: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / dtype / "model.json").read_text())
        return content

    def change(self, dtype: str, change: Callable[[list[dict[str, Any]]], None]) -> None:
        """Change the entries of the weights in a model.json."""
        model = self.model(dtype)
        change(model["weightsManifest"][0]["weights"])
        (self.folder / dtype / "model.json").write_text(json.dumps(model))


@pytest.fixture(scope="module")
def made(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    program = "import sys, pathlib; from tests.support.graphs_by_hand import write_model\n"
    python("torch", "-c", f"{program}write_model(pathlib.Path(sys.argv[1]))", str(folder / "float32"))
    for dtype in QUANTIZED:
        arguments = ["--model", str(folder / "float32"), "--dtype", dtype, "--output", str(folder / dtype)]
        python("torch", "-m", "workflow_scripts.convert.quantize_tfjs", *arguments)
    return folder


@pytest.fixture
def models(made: Path, tmp_path: Path) -> Models:
    shutil.copytree(made, tmp_path / "models")
    return Models(tmp_path / "models")


def patched(models: Models, tmp_path: Path, right: str, wrong: str) -> Models:
    """Return the models with a TensorFlow.js of which one line is wrong."""
    packages = tmp_path / "node_modules"
    shutil.copytree(models.packages, packages, symlinks=True)
    library = packages / "@tensorflow/tfjs-core/dist/tf-core.node.js"
    text = library.read_text()
    assert text.count(right) == 1
    library.write_text(text.replace(right, wrong))
    return Models(models.folder, packages)


def test_tensorflow_js_holds_what_the_shards_stand_for(models: Models) -> None:
    assert models.check(*DTYPES) == ""
    report = json.loads((models.folder / "loading.json").read_text())
    assert report["passed"] is True
    assert list(report["models"]) == sorted(f"tfjs-{dtype}" for dtype in DTYPES)
    for found in report["models"].values():
        # Eight kernels and biases, an axis and a size.
        assert found["tensors"] == 10
        assert found["loaded_with"].startswith("@tensorflow/tfjs-backend-wasm 4.")


@pytest.mark.parametrize(
    ("dtype", "right", "wrong"),
    [
        ("uint16", DECODED, DECODED.replace("quantization.scale", "Math.fround(quantization.scale)")),
        ("uint8", DECODED, DECODED.replace("v *", "(v + 1) *")),
        ("float16", "(float16Bits & 0x3ff)", "(float16Bits & 0x3fe)"),
    ],
    ids=["a scale in single precision", "one step too high", "float16 without its last bit"],
)
def test_a_fault_in_the_loader_is_named(models: Models, tmp_path: Path, dtype: str, right: str, wrong: str) -> None:
    line = patched(models, tmp_path, right, wrong).check("float32", dtype)
    assert line.startswith(f"check_loading: TensorFlow.js loads tfjs-{dtype}: it holds kernel1 with other values (")
    report = json.loads((models.folder / "loading.failed.json").read_text())
    assert report["models"]["tfjs-float32"]["problems"] == []


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_in_another_order_are_named(models: Models, tmp_path: Path, dtype: str) -> None:
    scripts = tmp_path / "scripts"
    shutil.copytree(models.scripts, scripts)
    shared = scripts / "tfjs_files.cts"
    right = "flatMap((group) => group.weights)"
    assert shared.read_text().count(right) == 1
    shared.write_text(shared.read_text().replace(right, f"{right}.reverse()"))
    line = Models(models.folder, scripts=scripts).check(dtype)
    assert line.startswith(f"check_loading: TensorFlow.js loads tfjs-{dtype}: it holds kernel1 with other values (")


def test_a_model_that_gives_two_weights_each_others_values_is_named(models: Models) -> None:
    def exchange(weights: list[dict[str, Any]]) -> None:
        first, third = weights[1], weights[5]
        assert (first["name"], third["name"]) == ("bias1", "bias3")
        first["name"], third["name"] = third["name"], first["name"]

    models.change("uint16", exchange)
    line = models.check("float32", "uint16")
    assert "tfjs-uint16: its weightsManifest is not that of the float32 model (" in line


def test_another_graph_is_named(models: Models) -> None:
    model = models.model("uint8")
    (sigmoid,) = [node for node in model["modelTopology"]["node"] if node["op"] == "Sigmoid"]
    sigmoid["op"] = "Relu"
    (models.folder / "uint8/model.json").write_text(json.dumps(model))
    assert "tfjs-uint8: its modelTopology is not that of the float32 model (" in models.check("float32", "uint8")


def test_what_was_loaded_from_another_model_is_named(models: Models) -> None:
    def stretch(weights: list[dict[str, Any]]) -> None:
        weights[0]["quantization"]["scale"] *= 1.000001

    models.load("uint16")
    models.change("uint16", stretch)
    assert "tfjs-uint16: it holds kernel1 with other values (" in models.compare("uint16")
    # A scale that is wrong in the model itself is loaded as it stands there: check_size and check_parity find it.
    assert models.check("uint16") == ""
