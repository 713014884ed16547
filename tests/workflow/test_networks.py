"""Networks of other widths and weights, each built in a project of its own."""

import json

from tests.support.project import Workflow, python


def test_checkpoint_of_other_widths(project: Workflow) -> None:
    widths = {
        stage: [3 if stage == "stage1" else 64 if stage.endswith("d") else 32, 16, 32]
        for stage in [*(f"stage{i}" for i in range(1, 7)), *(f"stage{i}d" for i in range(1, 6))]
    }
    checkpoint = project.folder / "mine.pth"
    python("torch", "-m", "tests.support.checkpoints", "--stages", json.dumps(widths), "--output", str(checkpoint))
    project.succeed("all", "--config", "model=mine", "checkpoint=mine.pth", "resolutions=[64]")
    manifest = project.manifest("mine", 64)
    assert manifest["passed"] is True
    assert manifest["task"] == "portrait"
    assert manifest["architecture"]["family"] == "custom"
    assert manifest["architecture"]["stages"]["stage5d"] == [64, 16, 32]


def test_unusual_networks_pass_every_check(project: Workflow) -> None:
    models = ("zeros", "no-biases")
    for model in models:
        file = str(project.folder / f"{model}.pth")
        python("torch", "-m", "tests.support.unusual_checkpoints", "--kind", model, "--output", file)
    sources = "".join(f"  {model}: {{path: {model}.pth, task: saliency, licence: MIT}}\n" for model in models)
    (project.folder / "unusual.yaml").write_text(f"model: [{', '.join(models)}]\ncheckpoints:\n{sources}")
    manifests = [f"results/{model}/64/manifest.json" for model in models]
    project.succeed(*manifests, "--configfile", "unusual.yaml", "--config", "resolutions=[64]", "dtypes=[float32]")
    for model in models:
        assert project.manifest(model, 64)["passed"] is True
        size = json.loads((project.folder / f"results/{model}/64/size.json").read_text())
        tensors = {each["artifact"]: each["tensors"] for each in size["artifacts"]}
        # mo left out biases of zeros. Still, every convolution that the page runs is fused with a bias.
        assert tensors["ir"] < tensors["onnx"]
        assert size["structures"]["tfjs-float32"]["operations"]["_FusedConv2D"] == 118


def test_full_size_network(project: Workflow) -> None:
    checkpoint = project.folder / "full.pth"
    python("torch", "-m", "tests.support.checkpoints", "--stages", "u2net", "--output", str(checkpoint))
    project.succeed(
        "all", "--config", "model=full", "checkpoint=full.pth", "resolutions=[192]", "tflite_dtypes=[float32]"
    )
    manifest = project.manifest("full", 192)
    assert manifest["passed"] is True
    assert manifest["architecture"]["family"] == "u2net"
    assert manifest["architecture"]["parameters"] == 44_009_869
