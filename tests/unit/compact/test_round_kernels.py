from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.support.graphs_by_hand import SIZE, write_model
from workflow_scripts.compact.graph_model import GraphModel
from workflow_scripts.compact.round_kernels import columns, damped, grid_of, nearest, round_adaptively, round_weights

pytestmark = pytest.mark.environment("torch")

RANDOM = torch.Generator().manual_seed(5)


@pytest.mark.parametrize(("window", "dilation"), [((3, 3), (1, 1)), ((3, 3), (4, 4)), ((1, 1), (1, 1))])
def test_columns_are_what_a_convolution_multiplies(window: tuple[int, int], dilation: tuple[int, int]) -> None:
    x = torch.randn(2, 5, 12, 9, generator=RANDOM)
    kernel = torch.randn(4, 5, *window, generator=RANDOM)
    picked = torch.tensor([0, 5, 107, 108, 150, 215])
    expected = F.conv2d(x, kernel, padding="same", dilation=dilation).permute(0, 2, 3, 1).reshape(-1, 4)[picked]
    assert torch.allclose(columns(x, window, dilation, picked) @ kernel.flatten(1).T, expected, atol=1e-5)


@pytest.mark.parametrize("steps", [255, 65535])
def test_a_grid_holds_zero_and_its_values_are_those_of_tensorflow_js(steps: int) -> None:
    values = torch.randn(1000, generator=RANDOM)
    rounded = nearest(values, steps)
    assert rounded.dtype == {255: "uint8", 65535: "uint16"}[steps]
    assert rounded.bytes == 1000 * {255: 1, 65535: 2}[steps]
    assert 0.0 in rounded.grid.value(torch.arange(steps + 1))  # type: ignore[union-attr]
    assert (rounded.values() - values).abs().max() <= rounded.grid.scale * 1.01  # type: ignore[union-attr]
    # As decodeWeight of tfjs-core: computed in double precision, stored in single.
    stored, entry = rounded.stored(), rounded.quantization
    assert entry is not None
    decoded = np.array([float(n) * entry["scale"] + entry["min"] for n in stored], np.float32)  # type: ignore[operator]
    assert np.array_equal(decoded, rounded.values().numpy())


def test_a_constant_tensor_keeps_its_value() -> None:
    for value in (0.0, 0.25, -3.0):
        assert nearest(torch.full((1,), value), 65535).values().item() == pytest.approx(value, abs=1e-6)


def test_adaptive_rounding_computes_more_alike_than_the_nearest() -> None:
    # Correlated inputs, like neighbouring pixels.
    mixing = torch.randn(72, 72, generator=RANDOM) * torch.logspace(0, -2, 72)
    x = torch.randn(4000, 72, generator=RANDOM) @ mixing
    kernel = torch.randn(16, 72, generator=RANDOM)
    grid = grid_of(kernel, 15)

    def error(numbers: torch.Tensor) -> float:
        return float((x @ (grid.value(numbers) - kernel).T).square().mean())

    numbers = round_adaptively(kernel, grid, damped(x.T @ x / len(x)))
    assert numbers.min() >= 0
    assert numbers.max() <= 15
    assert torch.equal(numbers, numbers.round())
    assert error(numbers) < error(grid.nearest(kernel)) / 2


def test_inputs_that_are_all_zero_are_rounded_to_the_nearest() -> None:
    kernel = torch.randn(4, 9, generator=RANDOM)
    grid = grid_of(kernel, 255)
    assert torch.equal(round_adaptively(kernel, grid, damped(torch.zeros(9, 9))), grid.nearest(kernel))


def test_a_network_is_rounded_layer_by_layer(tmp_path: Path) -> None:
    graph = GraphModel(write_model(tmp_path / "float32"))
    x, other = (torch.rand(4, 3, SIZE, SIZE, generator=RANDOM) for _ in range(2))
    rounded = round_weights(graph, graph.weights, ["third"], x)
    assert {name: each.dtype for name, each in rounded.items()} == {
        **{f"kernel{index}": "uint8" for index in (1, 2, 4)},
        "kernel3": "uint16",
        **{f"bias{index}": "uint16" for index in range(1, 5)},
    }
    assert rounded["kernel3"].stored().shape == (3, 3, 14, 8)

    def error(values: dict[str, torch.Tensor]) -> float:
        return float((graph.run(other, values) - graph.run(other)).square().mean())

    simple = {
        name: nearest(w, 255 if each.dtype == "uint8" else 65535).values()
        for (name, w), each in zip(graph.weights.items(), rounded.values(), strict=True)
    }
    assert error({name: each.values() for name, each in rounded.items()}) < error(simple)
    again = round_weights(graph, graph.weights, ["third"], x)
    assert all(torch.equal(each.numbers, again[name].numbers) for name, each in rounded.items())
