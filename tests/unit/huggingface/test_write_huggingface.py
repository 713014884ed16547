import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.manifests import manifest, write_vouched
from workflow_scripts.formats.manifest import read_manifest
from workflow_scripts.formats.predictions import save_predictions
from workflow_scripts.huggingface.write_huggingface import copy_of, licence_text, read_checked
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import read_by, write_json

pytestmark = pytest.mark.environment("torch")

FOLDER = Path("results/mine/64")
FILES = [
    *(FOLDER / f"huggingface/{dtype}.onnx" for dtype in ("float32", "uint16")),
    *(FOLDER / f"predictions/huggingface-{dtype}.safetensors" for dtype in ("float32", "uint16")),
]
REPORT = FOLDER / "huggingface.json"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a manifest that vouches for a reference, and two checked ONNX files."""
    monkeypatch.chdir(tmp_path)
    write_vouched(Path(), manifest("mine", 64), reference=b"what PyTorch computes")
    for dtype in ("float32", "uint16"):
        predict(dtype)
    check()


def predict(dtype: str) -> None:
    """Write an ONNX file and its predictions."""
    file = FOLDER / f"huggingface/{dtype}.onnx"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(dtype.encode())
    predictions = FOLDER / f"predictions/huggingface-{dtype}.safetensors"
    predictions.parent.mkdir(exist_ok=True)
    save_predictions(predictions, {"cat": np.zeros(1)}, {"read": json.dumps(read_by(predictions, [file]))})


def check(hops: tuple[str, ...] = ("huggingface-float32", "huggingface-uint16"), passed: bool = True) -> None:
    """Write the report of the check."""
    read = read_by(REPORT, [FOLDER / "reference", *FILES[2:]])
    write_json(REPORT, {"hops": [{"hop": hop} for hop in hops], "read": read, "passed": passed})


def read() -> list[str]:
    hops = read_checked(REPORT, FILES, Path(), read_manifest(FOLDER / "manifest.json"))
    return [hop["hop"] for hop in hops]


def test_report_of_these_files_is_read() -> None:
    assert read() == ["huggingface-float32", "huggingface-uint16"]


@pytest.mark.parametrize("file", [*FILES, FOLDER / "reference"])
def test_other_files_than_the_checked_ones_are_refused(file: Path) -> None:
    if file.suffix == ".safetensors":
        save_predictions(file, {"cat": np.ones(1)}, {"read": "{}"})
    elif file.suffix == ".onnx":
        file.write_bytes(b"another")
    else:
        file.write_bytes(b"another")
        check()
    with pytest.raises(Failure, match=rf"^{file} is not the file that .*--forcerun predict_huggingface check"):
        read()


def test_report_that_does_not_cover_both_files_is_refused() -> None:
    check(hops=("huggingface-float32",))
    with pytest.raises(Failure, match=r"huggingface\.json does not cover both ONNX files"):
        read()
    check(passed=False)
    with pytest.raises(Failure, match=r"huggingface\.json does not cover both ONNX files"):
        read()


def test_predictions_of_what_no_manifest_vouches_for_are_refused() -> None:
    Path("other").write_bytes(b"other probes")
    save_predictions(FILES[2], {"cat": np.zeros(1)}, {"read": json.dumps(read_by(FILES[2], [Path("other"), FILES[0]]))})
    check()
    with pytest.raises(Failure, match="was made of other, which nothing vouches for"):
        read()


def test_file_that_changes_while_it_is_copied_is_refused() -> None:
    with pytest.raises(Failure, match="changed while it was being copied"):
        copy_of(FILES[0], Path("copy.onnx"), "0" * 64)


@pytest.mark.parametrize(("licence", "part"), [("MIT", "Permission is hereby granted"), ("Own terms", "Own terms")])
def test_licence_has_its_text_and_the_notice(licence: str, part: str) -> None:
    text = licence_text(manifest("mine", 64, licence=licence, notice="Say so."))
    assert part in text
    assert text.endswith("Say so.\n")
