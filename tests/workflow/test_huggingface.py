"""A model's folder for the Hugging Face Hub, and the tools that read it, run with the lines of its own model card."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import ROOT, SMALL, Workflow, build_environments, python

NODE = ROOT / ".venvs/transformersjs/bin/node"
PACKAGES = ROOT / ".venvs/transformersjs/node_modules"
TASKS = {"u2netp": "saliency", "u2net_portrait_mini": "portrait"}


def test_folder_holds_what_the_manifests_vouch_for(broken: Workflow) -> None:
    results = broken.folder / "results/u2netp"
    broken.succeed("huggingface", *SMALL)
    folder = results / "huggingface"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith(".")} == {
        *("README.md", "LICENSE", "config.json", "preprocessor_config.json", "picture.png"),
        *("onnx/model.onnx", "onnx/model_quantized.onnx", "tflite/64-float32.tflite", "tflite/64-float16.tflite"),
    }
    whole, half = ((folder / f"onnx/{name}.onnx").stat().st_size for name in ("model", "model_quantized"))
    assert half < 0.53 * whole
    for dtype in ("float32", "float16"):
        assert (folder / f"tflite/64-{dtype}.tflite").read_bytes() == (
            results / f"64/tflite/{dtype}.tflite"
        ).read_bytes()
    card = (folder / "README.md").read_text()
    assert card.startswith(
        "---\nlicense: apache-2.0\nlibrary_name: transformers.js\npipeline_tag: image-segmentation\n"
    )
    report = json.loads((results / "64/huggingface.json").read_text())
    assert [hop["hop"] for hop in report["hops"]] == ["huggingface-float32", "huggingface-uint16"]
    for hop in report["hops"]:
        assert f"{hop['worst']['drawing_psnr_db']:.1f} dB" in card
    # float32 within the network's own rounding, the half-size file above its floor.
    parity = json.loads((results / "64/parity.json").read_text())
    assert report["hops"][0]["tolerance"] == parity["hops"][0]["tolerance"]
    assert report["hops"][1]["worst"]["drawing_psnr_db"] > report["hops"][1]["tolerance"]["min_drawing_psnr_db"] == 38

    # Another file under a checked one's name, with its date: nothing is laid out, and the folder stays as it was.
    swapped = results / "64/huggingface/float32.onnx"
    dates = swapped.stat().st_atime_ns, swapped.stat().st_mtime_ns
    shutil.copy(results / "64/huggingface/uint16.onnx", swapped)
    os.utime(swapped, ns=dates)
    done = broken.run("huggingface", *SMALL, "--forcerun", "write_huggingface")
    assert done.returncode == 1
    assert f"write_huggingface: {swapped.relative_to(broken.folder)} is not the file that" in done.stderr
    assert (folder / "README.md").read_text() == card

    # With its own date it is checked again, and does not pass.
    swapped.touch()
    done = broken.run("huggingface", *SMALL)
    assert done.returncode == 1
    assert "huggingface-float32 is the first hop to differ from PyTorch" in done.stderr
    assert (folder / "README.md").read_text() == card


@pytest.fixture(scope="module")
def adapted(built: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy of the project with the tools' environments and the ONNX files of two models at 320, the size of rembg."""
    build_environments("rembg", "transformersjs")
    workflow = built.copy(tmp_path_factory.mktemp("adapted") / "project")
    targets = [f"results/{model}/320/huggingface/float32.onnx" for model in TASKS]
    workflow.succeed(*targets, "--config", f"model=[{','.join(TASKS)}]", "tflite_dtypes=[float32,float16]")
    return workflow


def lay_out(workflow: Workflow, model: str, folder: Path) -> Path:
    """Lay out a model's folder in `folder`, and beside it the card's lines and a photo."""
    onnx = workflow.folder / f"results/{model}/320/huggingface"
    options = ["--model", model, "--task", TASKS[model], "--resolution", "320", "--onnx", str(onnx)]
    python("torch", "-m", "tests.support.hub_folder", *options, "--folder", str(folder))
    (folder / "node_modules").symlink_to(PACKAGES)
    return folder


def draw_in_node(folder: Path, saved: str) -> str:
    """Run the card's lines in Node.js. Return what names their picture."""
    subprocess.run([str(NODE), "draw.mjs"], cwd=folder, check=True)
    (folder / saved).rename(folder / "node.png")
    return f"node={folder / 'node.png'}"


def draw_in_chromium(folder: Path, dtype: str) -> str:
    """Run the card's lines with one dtype in Chromium. Return what names their picture."""
    script = folder / f"{dtype}.mjs"
    script.write_text((folder / "draw.mjs").read_text().replace("'fp32'", f"'{dtype}'"))
    options = ["--folder", str(folder), "--script", script.name]
    python("torch", "-m", "tests.support.draw_in_chromium", *options, "--saved", str(folder / f"{dtype}.png"))
    return f"chromium={folder / f'{dtype}.png'}"


def draw_with_rembg(folder: Path) -> str:
    """Run the card's lines for rembg. Return what names their picture."""
    # Without this, numba compiles for most of a minute what only alpha matting uses.
    variables = {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([str(ROOT / ".venvs/rembg/bin/python"), "draw.py"], cwd=folder, env=variables, check=True)
    (folder / "cut-out.png").rename(folder / "rembg.png")
    return f"rembg={folder / 'rembg.png'}"


def compare(workflow: Workflow, model: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """Compare with PyTorch. Return the figures of tests.support.tools_pictures."""
    weights = workflow.folder / f"results/{model}/checkpoint/weights.safetensors"
    options = ["--weights", str(weights), "--photo", str(folder / "photo.jpg"), "--task", TASKS[model]]
    command = [str(ROOT / ".venvs/torch/bin/python"), "-m", "tests.support.tools_pictures", *options]
    command += ["--resolution", "320", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    print(model, figures)
    return figures


def test_cut_outs_of_other_tools_are_pytorchs(adapted: Workflow, tmp_path: Path) -> None:
    folder = lay_out(adapted, "u2netp", tmp_path)
    # From the same tensor Node.js computes the same d0. All that differs below is done to the photo and to the mask.
    compare(adapted, "u2netp", folder, "--x", str(folder / "x.bin"))
    shutil.copy(ROOT / "tests/support/same_tensor.mjs", folder)
    subprocess.run([str(NODE), "same_tensor.mjs", "u2netp", "320", "x.bin", "d0.bin"], cwd=folder, check=True)
    found = [draw_in_node(folder, "cut-out.png"), draw_in_chromium(folder, "fp32"), draw_with_rembg(folder)]
    figures = compare(adapted, "u2netp", folder, "--d0", str(folder / "d0.bin"), "--found", *found)
    # Less than rounding alone does to this network at 320 (docs/checks.md).
    assert figures["same tensor"] < 1e-4
    # Of a photo that PyTorch's was shrunk like, and of the page's. docs/huggingface.md says where the rest comes from.
    for tool, floors in {"rembg": (45, 40), "node": (36, 35), "chromium": (42, 40)}.items():
        assert (figures[tool]["lanczos"] > floors[0], figures[tool]["triangle"] > floors[1]) == (True, True), tool


def test_drawings_of_transformers_js_are_pytorchs(adapted: Workflow, tmp_path: Path) -> None:
    folder = lay_out(adapted, "u2net_portrait_mini", tmp_path)
    # In browsers transformers.js takes the half-size file by itself.
    found = [draw_in_node(folder, "portrait.png"), draw_in_chromium(folder, "q8")]
    figures = compare(adapted, "u2net_portrait_mini", folder, "--found", *found)
    for tool, floors in {"node": (42, 31), "chromium": (37, 32)}.items():
        assert (figures[tool]["lanczos"] > floors[0], figures[tool]["triangle"] > floors[1]) == (True, True), tool
