import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file
from safetensors.torch import save_file as save_weights
from torch import nn

from workflow_scripts.check import measure_rounding
from workflow_scripts.check.measure_rounding import NEIGHBOURS, PROBES, Neighbour, convolve_in_strips, main
from workflow_scripts.formats.predictions import save_predictions
from workflow_scripts.shared.u2net import U2Net

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 4)])
@pytest.mark.parametrize("strip_bytes", [1, 4_000, 2**30])
def test_strips_are_the_convolution(
    monkeypatch: pytest.MonkeyPatch, kernel: int, dilation: int, strip_bytes: int
) -> None:
    monkeypatch.setattr(measure_rounding, "STRIP_BYTES", strip_bytes)
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(5, 4, kernel, padding=padding, dilation=dilation).double()
    x = torch.from_numpy(RANDOM.normal(size=(1, 5, 13, 9)))
    assert torch.allclose(convolve_in_strips(convolution, x), convolution(x), rtol=0, atol=1e-14)


class Measured:
    """A small network with its probes and PyTorch's predictions for them."""

    def __init__(self, folder: Path, network: U2Net) -> None:
        self.folder = folder
        self.network = network
        self.probes = probes = {
            name: RANDOM.normal(size=(1, 3, 64, 32)).astype(np.float32) for name in (*PROBES, "chelsea")
        }
        save_weights(network.state_dict(), folder / "weights.safetensors")
        save_file(probes, folder / "probes.safetensors")
        with torch.inference_mode():
            self.d0 = {name: network(torch.from_numpy(probe)).numpy() for name, probe in probes.items()}
            exact = {name: network.double()(torch.from_numpy(probe).double()) for name, probe in probes.items()}
        network.float()
        self.exact = {name: d0.numpy() for name, d0 in exact.items()}
        self.write()

    def write(self, **changed: object) -> None:
        metadata = {"backend": "torch 1", "model": "weights", "model_sha256": "0" * 64}
        save_predictions(self.folder / "torch.safetensors", {**self.d0, **changed}, metadata)  # type: ignore[dict-item]

    def arguments(self) -> list[str]:
        files = {"--weights": "weights.safetensors", "--probes": "probes.safetensors", "--output": "rounding.json"}
        files["--reference"] = "torch.safetensors"
        given = [word for option, name in files.items() for word in (option, str(self.folder / name))]
        return [*given, "--threads", "1"]


@pytest.fixture
def measured(tmp_path: Path, small_network: U2Net) -> Measured:
    return Measured(tmp_path, small_network)


def test_the_yardstick_is_the_worst_distance_from_float64(measured: Measured) -> None:
    main(measured.arguments())
    report = json.loads((measured.folder / "rounding.json").read_text())
    assert report["reference"] == {"backend": "torch 1", "model": "weights", "model_sha256": "0" * 64}
    neighbours = [Neighbour(measured.folder / "weights.safetensors", seed) for seed in range(NEIGHBOURS)]
    for name in PROBES:
        others = [neighbour.predict(measured.probes[name]) for neighbour in neighbours]
        largest = max(np.abs(d0 - measured.exact[name]).max() for d0 in (measured.d0[name], *others))
        assert report["probes"][name]["max_abs"] == pytest.approx(largest, rel=1e-3)
    assert report["worst"]["max_abs"] == max(figures["max_abs"] for figures in report["probes"].values())
    assert 1e-9 < report["worst"]["mean_abs"] < report["worst"]["p99_abs"] < report["worst"]["max_abs"] < 2e-6


def test_one_lucky_computation_does_not_narrow_the_limits(measured: Measured) -> None:
    measured.write(**{name: d0.astype(np.float32) for name, d0 in measured.exact.items()})
    main(measured.arguments())
    # The reference itself is nowhere more than half a unit from float64.
    assert json.loads((measured.folder / "rounding.json").read_text())["worst"]["max_abs"] > 5e-8


def test_a_neighbour_differs_by_rounding_alone(measured: Measured) -> None:
    weights = measured.folder / "weights.safetensors"
    first, again, other = (dict(Neighbour(weights, seed).network.named_parameters()) for seed in (0, 0, 1))
    state = {name: tensor.double().numpy() for name, tensor in load_file(weights).items()}
    kernels = [name for name in first if name.endswith("conv_s1.weight")]
    assert len(kernels) == 112
    for name in kernels:
        norm = name.replace("conv_s1.weight", "bn_s1")
        scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + 1e-5)
        folded = state[name] * scale[:, None, None, None]
        # Half a unit that is asked for, and another from float64 to float32.
        assert np.all(np.abs(first[name].detach().numpy() - folded) <= 2.0**-23 * np.abs(folded))
        assert torch.equal(first[name], again[name])
        assert not torch.equal(first[name], other[name])


def test_a_prediction_of_another_network_shows(measured: Measured) -> None:
    measured.write(noise=measured.d0["noise"] + np.float32(0.01))
    main(measured.arguments())
    assert json.loads((measured.folder / "rounding.json").read_text())["worst"]["p99_abs"] > 9e-3


def test_nan_is_refused(measured: Measured, refusal: Refusal) -> None:
    measured.write(noise=measured.d0["noise"] * np.float32(np.nan))
    assert "PyTorch itself predicts NaN or infinite values with weights" in refusal(main, *measured.arguments())
    assert not (measured.folder / "rounding.json").exists()


def test_an_absent_probe_is_named(measured: Measured, refusal: Refusal) -> None:
    del measured.d0["saturated"]
    measured.write()
    assert "lacks the probe saturated; delete both" in refusal(main, *measured.arguments())
