"""Networks with weights that exercise all of a U²-Net."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime
import pytest
import torch

if TYPE_CHECKING:
    from u2net import U2Net, Widths

    Stages = Mapping[str, Widths]

# Small networks gain nothing from threads, which cost dearly where other jobs share the cores.
torch.set_num_threads(1)

ENCODERS = ("stage1", "stage2", "stage3", "stage4", "stage5", "stage6")
Chain = Callable[[Sequence[tuple[int, int]]], "Stages"]


@pytest.fixture(scope="session")
def chain() -> Chain:
    """From eleven (middle, output) pairs, stage1 to stage6 and stage5d to stage1d, the stages of a U²-Net."""

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
    """Random weights and batch statistics far from the identity, so that folding and scaling errors show."""
    from u2net import U2Net

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
    """Eleven stages, no two widths of which can be mistaken for one another."""
    widths = [(2, 4), (3, 5), (4, 6), (2, 7), (3, 8), (4, 5), (3, 4), (2, 6), (5, 7), (3, 5), (2, 4)]
    return make_network(chain(widths))


@pytest.fixture(scope="session")
def run_onnx() -> Callable[[Path | bytes, torch.Tensor], torch.Tensor]:
    """The first output of an ONNX file by ONNX Runtime."""

    def infer(model: Path | bytes, x: torch.Tensor) -> torch.Tensor:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        (given,), first = session.get_inputs(), session.get_outputs()[0]
        return torch.from_numpy(session.run([first.name], {given.name: x.numpy()})[0])

    return infer
