import re
from typing import Any

import pytest

from tests.support.manifests import WORST, manifest
from workflow_scripts.formats.manifest import Manifest
from workflow_scripts.huggingface.model_card import front_matter, model_card, snippets

pytestmark = pytest.mark.environment("torch")

HOPS: list[dict[str, Any]] = [
    {"hop": "huggingface-float32", "worst": WORST},
    {"hop": "huggingface-uint16", "worst": {**WORST, "drawing_psnr_db": 48.2}},
]
SIZES = {"onnx/model.onnx": 4_600_000, "onnx/model_quantized.onnx": 2_300_000, "tflite/320-float16.tflite": 2_200_000}


def card(made: Manifest) -> str:
    return model_card(made, [made], HOPS, SIZES, 31.5)


@pytest.mark.parametrize("task", ["saliency", "portrait", "drawing"])
def test_lines_that_the_tests_run_are_those_of_the_card(task: str) -> None:
    made = manifest("mine", 320, task=task)
    shown = dict(re.findall(r"^```(js|python)\n(.*?)^```$", card(made), re.MULTILINE | re.DOTALL))
    assert shown == snippets(made)
    assert ("python" in shown) == (task == "saliency")
    assert not re.search("NAME/|INK", card(made))


def test_rembg_is_shown_only_at_its_own_size() -> None:
    assert "python" not in snippets(manifest("mine", 512, task="saliency"))


def test_ink_is_inverted_and_a_drawing_is_not() -> None:
    assert "(255 * (most - value))" in snippets(manifest("mine", 320, task="portrait"))["js"]
    assert "(255 * (value - least))" in snippets(manifest("mine", 320, task="drawing"))["js"]


def test_card_has_each_files_figures_and_what_is_known_of_the_weights() -> None:
    trained = {"teacher": {"name": "large", "sha256": "e" * 64}, "photos": {"training": 205}}
    text = card(manifest("mine", 320, task="saliency", notice="Say so.", provenance=trained))
    assert "| onnx/model.onnx | 4,600,000 | 3.0e-05 | 80.0 dB | 0.8000 |" in text
    assert "| onnx/model_quantized.onnx | 2,300,000 | 3.0e-05 | 48.2 dB | 0.8000 |" in text
    assert "| tflite/320-float16.tflite | 2,200,000 |" in text
    assert "MIT. Say so." in text
    assert "31.5 dB PSNR at worst" in text
    assert "large" in text
    assert "205 photos" in text


@pytest.mark.parametrize(
    ("licence", "lines"),
    [
        ("MIT", ["license: mit"]),
        ("unstated", ["license: unknown"]),
        ('Ours: "no" # sale', ["license: other", 'license_name: "Ours: \\"no\\" # sale"', "license_link: LICENSE"]),
    ],
)
def test_licence_is_one_that_the_hub_knows_or_has_a_name(licence: str, lines: list[str]) -> None:
    matter = front_matter(manifest("mine", 320, licence=licence)).splitlines()
    assert matter[0] == matter[-1] == "---"
    assert matter[1 : 1 + len(lines)] == lines
