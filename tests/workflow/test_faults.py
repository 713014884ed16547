"""The run fails and names an artifact that computes another function, or that is not the recorded one."""

import json

import pytest

from tests.support.project import SMALL, Workflow, flip, positions_of, python

MANIFEST = "results/u2netp/64/manifest.json"


def failed_parity(workflow: Workflow, *arguments: str) -> str:
    """Build the manifest, assert that check_parity fails, and return its one line."""
    done = workflow.run(MANIFEST, *SMALL, *arguments)
    assert done.returncode != 0
    (line,) = [text.strip() for text in done.stderr.splitlines() if text.strip().startswith("check_parity: ")]
    assert json.loads((workflow.folder / "results/u2netp/64/parity.failed.json").read_text())["passed"] is False
    assert not (workflow.folder / "results/u2netp/64/parity.json").exists()
    return line


def test_flipped_weight_is_caught_by_its_digest(broken: Workflow) -> None:
    shard = broken.folder / "results/u2netp/64/tfjs/float32/group1-shard1of2.bin"
    flip(shard, 2_000_003)
    done = broken.run("verify_manifests", *SMALL)
    assert done.returncode != 0
    assert "verify_manifests: results/u2netp/64/tfjs/float32/group1-shard1of2.bin differs" in done.stderr


def test_intact_artifacts_verify(built: Workflow) -> None:
    done = built.succeed("verify_manifests", *SMALL)
    assert "results/u2netp/64/manifest.json: every artifact is the recorded one" in done.stdout


def test_flipped_weight_is_caught_by_parity(broken: Workflow) -> None:
    model = broken.folder / "results/u2netp/64/tfjs/float32"
    # A weight of the first convolution: every pixel passes it. A weight of a channel of zeros would change nothing.
    shard, offset = divmod(positions_of(model, [3, 3, 3, 64])[0], 4 * 1024 * 1024)
    flip(model / f"group1-shard{shard + 1}of2.bin", offset + 3)
    line = failed_parity(broken, "--forcerun", "predict_tfjs")
    assert line.startswith("check_parity: tfjs-float32 is the first hop to differ from PyTorch")


def test_wrong_scale_of_quantized_weights_is_caught_by_parity(broken: Workflow) -> None:
    path = broken.folder / "results/u2netp/64/tfjs/uint16/model.json"
    model = json.loads(path.read_text())
    # The first convolution: every pixel passes it.
    (kernel,) = [each for each in model["weightsManifest"][0]["weights"] if each["shape"] == [3, 3, 3, 64]]
    kernel["quantization"]["scale"] *= 1.5
    path.write_text(json.dumps(model))
    # TensorFlow.js loads the scale that stands there: only the picture tells.
    line = failed_parity(broken, "--forcerun", "load_tfjs", "predict_quantized")
    assert line.startswith("check_parity: tfjs-uint16 is the first hop to differ from PyTorch")
    assert "drawing_psnr_db" in line


def test_a_loader_that_holds_other_weights_is_caught(broken: Workflow) -> None:
    script = broken.folder / "workflow_scripts/predict/load_tfjs.cts"
    right = "const values = await tensor.data();"
    program = script.read_text()
    assert right in program
    # The bits of uint16 weights are as if computed in single precision: the picture would be the same to the eye.
    script.write_text(program.replace(right, f"{right} if (options.model.endsWith('uint16')) values[0]! += 1e-7;"))
    done = broken.run(MANIFEST, *SMALL)
    assert done.returncode != 0
    assert "check_loading: TensorFlow.js loads tfjs-uint16: it holds " in done.stderr
    assert not (broken.folder / "results/u2netp/64/loading.json").exists()


def test_a_graph_that_was_not_rewritten_is_refused(broken: Workflow) -> None:
    script = broken.folder / "workflow_scripts/convert/rewrite_graph.py"
    program = script.read_text()
    first = program.index("REWRITES = (")
    script.write_text(program[:first] + "REWRITES = ()\n" + program[program.index(")", first) + 2 :])
    done = broken.run("results/u2netp/64/size.json", *SMALL, "dtypes=[float32]")
    assert done.returncode != 0
    assert "check_size: " in done.stderr
    report = json.loads((broken.folder / "results/u2netp/64/size.failed.json").read_text())
    problems = report["structures"]["tfjs-float32"]["problems"]
    assert {"23 BatchToSpaceND are left", "118 Pad are left", "23 SpaceToBatchND are left"} <= set(problems)


def test_flipped_weight_of_the_tflite_file_is_caught_by_parity(broken: Workflow) -> None:
    file = broken.folder / "results/u2netp/64/tflite/float32.tflite"
    # A side output's kernel: it has one output channel, so both formats store it alike, and its output is added to d0.
    model = broken.folder / "results/u2netp/64/tfjs/float32"
    data = b"".join(path.read_bytes() for path in sorted(model.glob("group1-shard*.bin")))
    kernel = data[positions_of(model, [3, 3, 64, 1])[0] :][: 4 * 3 * 3 * 64]
    content = file.read_bytes()
    assert content.count(kernel) == 1
    flip(file, content.index(kernel) + 4 * 4 * 64 + 3)
    line = failed_parity(broken, "--forcerun", "predict_litert")
    assert line.startswith("check_parity: litert-float32 is the first hop to differ from PyTorch")


@pytest.mark.parametrize(("folder", "hop"), [("frozen", "tensorflow-frozen"), ("optimized", "tensorflow-optimized")])
def test_wrong_resize_mode_is_caught(broken: Workflow, folder: str, hop: str) -> None:
    graph = broken.folder / f"results/u2netp/64/{folder}/model.pb"
    program = (
        "from pathlib import Path; from workflow_scripts.formats.frozen_graph import read_graph\n"
        f"path = Path({str(graph)!r}); graph = read_graph(path)\n"
        "resizes = [node for node in graph.node if node.op == 'ResizeBilinear']\n"
        "assert len(resizes) == 38\n"
        "for node in resizes: node.attr['half_pixel_centers'].b = False\n"
        "path.write_bytes(graph.SerializeToString())\n"
    )
    python("tensorflow", "-c", program)
    assert failed_parity(broken).startswith(f"check_parity: {hop} is the first hop to differ from PyTorch")


def test_wrong_layout_is_caught(broken: Workflow) -> None:
    script = broken.folder / "workflow_scripts/engines/openvino.py"
    right = script.read_text()
    wrong = right.replace("infer({x: probe})", "infer({x: probe.transpose(0, 1, 3, 2)})")
    assert wrong != right
    script.write_text(wrong)
    assert failed_parity(broken).startswith("check_parity: openvino is the first hop to differ from PyTorch")
    # Once the artifact is mended, the same command finishes and the failed report is gone.
    script.write_text(right)
    broken.succeed(MANIFEST, *SMALL)
    assert not (broken.folder / "results/u2netp/64/parity.failed.json").exists()


def test_dtype_that_ruins_the_picture_fails(broken: Workflow) -> None:
    line = failed_parity(broken, "dtypes=[float32,uint8]")
    assert line.startswith("check_parity: tfjs-uint8 is the first hop to differ from PyTorch")
    assert "drawing_psnr_db" in line


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        ("tflite/float16.tflite", "check_size: litert-float16: "),
        ("tfjs/uint16/group1-shard1of1.bin", "check_size: tfjs-uint16: cannot be read"),
    ],
)
def test_size_check_names_the_artifact(broken: Workflow, damaged: str, message: str) -> None:
    file = broken.folder / "results/u2netp/64" / damaged
    file.write_bytes(file.read_bytes()[:-100_000])
    done = broken.run("results/u2netp/64/size.json", *SMALL, "--forcerun", "check_size")
    assert done.returncode != 0
    assert message in done.stderr
    report = json.loads((broken.folder / "results/u2netp/64/size.failed.json").read_text())
    assert report["passed"] is False
