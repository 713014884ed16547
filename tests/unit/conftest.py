"""Tests of workflow_scripts/, under the same names. Each file runs in the environment that its mark names."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.environments import HERE, environment_of

if TYPE_CHECKING:
    import torch

    from workflow_scripts.shared.u2net import U2Net, Widths

    Stages = Mapping[str, Widths]

Refusal = Callable[..., str]
Chain = Callable[[Sequence[tuple[int, int]]], "Stages"]
ENCODERS = ("stage1", "stage2", "stage3", "stage4", "stage5", "stage6")

# Set this before TensorFlow is imported. These graphs are small, so starting TensorFlow takes most of the time.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if HERE == "tensorflow":
    # Tests use its public interface, which the scripts do without (shared/tensorflow_parts.py).
    import tensorflow  # noqa: F401


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the test files of other environments, because this environment lacks what they import."""
    if collection_path.suffix == ".py" and collection_path.name.startswith("test_"):
        return environment_of(collection_path) != HERE or None
    return None


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """Run a script's main as its command line does. Return the one line with which it refuses its input."""
    from workflow_scripts.shared.failures import run

    def refused(main: Callable[[Sequence[str]], None], *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["script.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            run(main)
        # Python prints a text to stderr and exits with 1; argparse's own errors are numbers.
        assert isinstance(stopped.value.code, str)
        assert stopped.value.code.startswith("script: ")
        assert "\n" not in stopped.value.code
        return stopped.value.code

    return refused


@pytest.fixture
def sigmoid_frames() -> Callable[[str, Path], dict[str, Any]]:
    """Let a native contender of the benchmark draw two frames with a sigmoid. Return what it reports."""
    import numpy as np
    from safetensors.numpy import save_file

    def frames(script: str, model: Path) -> dict[str, Any]:
        probes = {name: np.random.default_rng(3).normal(size=(1, 3, 4, 4)).astype(np.float32) for name in ("a", "b")}
        save_file(probes, model.with_name("probes.safetensors"))
        done = subprocess.run(
            [
                *(sys.executable, "-m", script, "--model", str(model), "--threads", "1"),
                *("--probes", str(model.with_name("probes.safetensors")), "--probe", "b"),
            ],
            input="frame\noutput\n",
            capture_output=True,
            text=True,
            check=True,
        )
        said, first, second = map(json.loads, done.stdout.splitlines())
        assert said["threads"] == 1
        assert first["ms"] > 0
        assert first["d0"] is None
        assert np.allclose(second["d0"], (1 / (1 + np.exp(-probes["b"]))).ravel(), atol=1e-6)
        return dict(said)

    return frames


@pytest.fixture(scope="session")
def chain() -> Chain:
    """Return the stages of a U²-Net from eleven (middle, output) pairs: stage1 to stage6 and stage5d to stage1d."""

    def chained(widths: Sequence[tuple[int, int]]) -> "Stages":
        stages: dict[str, Widths] = {}
        channels = 3
        for stage, (middle, last) in zip(ENCODERS, widths[:6], strict=True):
            stages[stage] = (channels, middle, last)
            channels = last
        for index, (middle, last) in zip(range(5, 0, -1), widths[6:], strict=True):
            stages[f"stage{index}d"] = (channels + stages[f"stage{index}"][2], middle, last)
            channels = last
        return stages

    return chained


@pytest.fixture(scope="session")
def make_network() -> "Callable[[Stages], U2Net]":
    """Make a network whose random weights and batch statistics are far from the identity, so that errors show."""
    import torch

    from workflow_scripts.shared.u2net import U2Net

    def make(stages: "Stages") -> U2Net:
        with torch.random.fork_rng():
            torch.manual_seed(7)
            network = U2Net(stages).eval()
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.weight.data.uniform_(0.5, 1.5)
                    module.bias.data.normal_(0, 0.2)
                    assert module.running_mean is not None
                    assert module.running_var is not None
                    module.running_mean.normal_(0, 0.2)
                    module.running_var.uniform_(0.2, 1.5)
        return network

    return make


@pytest.fixture(scope="session")
def small_network(chain: Chain, make_network: "Callable[[Stages], U2Net]") -> "U2Net":
    """A network of eleven stages in which all widths differ, so that no two can be confused."""
    widths = [(2, 4), (3, 5), (4, 6), (2, 7), (3, 8), (4, 5), (3, 4), (2, 6), (5, 7), (3, 5), (2, 4)]
    return make_network(chain(widths))


@pytest.fixture(scope="session")
def run_onnx() -> "Callable[[Path | bytes, torch.Tensor], torch.Tensor]":
    """Compute the first output of an ONNX file with ONNX Runtime."""
    import onnxruntime
    import torch

    def infer(model: Path | bytes, x: "torch.Tensor") -> "torch.Tensor":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        (given,), first = session.get_inputs(), session.get_outputs()[0]
        return torch.from_numpy(session.run([first.name], {given.name: x.numpy()})[0])

    return infer
