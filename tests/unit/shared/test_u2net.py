import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from workflow_scripts.shared.u2net import FAMILIES, U2Net, describe, fold_batch_norms, infer_stages

pytestmark = pytest.mark.environment("torch")

PUBLIC = json.loads(Path(__file__).with_name("public_state_dicts.json").read_text())


def shapes_of(network: U2Net) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("family", ["u2net", "u2netp"])
def test_names_shapes_and_order_are_those_of_the_public_checkpoints(family: str) -> None:
    with torch.device("meta"):
        network = U2Net(FAMILIES[family])
    found = [(name, list(shape)) for name, shape in shapes_of(network).items()]
    assert found == list(PUBLIC[family].items())


@pytest.mark.parametrize(
    ("family", "parameters", "giga_multiply_adds"), [("u2net", 44_009_869, 58.6), ("u2netp", 1_131_181, 19.8)]
)
def test_counts_are_the_published_ones(family: str, parameters: int, giga_multiply_adds: float) -> None:
    architecture = describe(FAMILIES[family])
    assert architecture.family == family
    assert architecture.parameters == parameters
    assert architecture.convolutions == 119
    assert round(architecture.multiply_adds_32x32 * (320 // 32) ** 2 / 1e9, 1) == giga_multiply_adds
    # Kernels and biases, counted from the public shapes.
    convolutions = sum(torch.Size(shape).numel() for name, shape in PUBLIC[family].items() if ".bn_s1." not in name)
    assert architecture.convolution_parameters == convolutions


def test_one_changed_width_makes_a_custom_family() -> None:
    stages = {**FAMILIES["u2netp"], "stage6": (64, 8, 64)}
    architecture = describe(stages)
    assert architecture.family == "custom"
    assert json.loads(json.dumps(architecture.to_json()))["stages"]["stage6"] == [64, 8, 64]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(widths=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=11, max_size=11))
def test_any_widths_are_inferred_from_shapes_and_predict_in_range(
    chain: Callable[..., Any], widths: list[tuple[int, int]]
) -> None:
    stages = chain(widths)
    network = U2Net(stages).eval()
    assert infer_stages(shapes_of(network)) == stages
    with torch.inference_mode():
        d0 = network(torch.randn(1, 3, 32, 32))
    assert d0.shape == (1, 1, 32, 32)
    assert 0 <= d0.min() <= d0.max() <= 1


@pytest.mark.parametrize(("height", "width"), [(32, 96), (33, 47), (65, 31)])
def test_any_size_is_kept(small_network: U2Net, height: int, width: int) -> None:
    with torch.inference_mode():
        d0 = small_network(torch.randn(2, 3, height, width))
    assert d0.shape == (2, 1, height, width)
    assert d0.std() > 0


def test_shapes_without_a_stage_or_without_kernels_are_refused(small_network: U2Net) -> None:
    shapes = shapes_of(small_network)
    with pytest.raises(ValueError, match="unpack"):
        infer_stages({**shapes, "stage3.rebnconvin.conv_s1.weight": (6,)})
    del shapes["stage4d.rebnconv1.conv_s1.weight"]
    with pytest.raises(KeyError, match="stage4d"):
        infer_stages(shapes)


def test_folded_batch_norms_leave_the_function_and_round_each_weight_once(small_network: U2Net) -> None:
    x = torch.randn(1, 3, 64, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    exact = copy.deepcopy(small_network).double()
    state = {name: tensor.double() for name, tensor in small_network.state_dict().items()}
    folded = copy.deepcopy(small_network)
    fold_batch_norms(folded)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    for name, kernel in folded.named_parameters():
        if name.endswith("conv_s1.weight"):
            norm = name.replace("conv_s1.weight", "bn_s1")
            scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + 1e-5).sqrt()
            by_hand = state[name] * scale[:, None, None, None]
            # No more than half a unit in the last place away.
            assert torch.allclose(kernel.double(), by_hand, rtol=1.001 * 2.0**-24, atol=0)
    fold_batch_norms(exact)
    with torch.inference_mode():
        assert torch.allclose(exact(x), copy.deepcopy(small_network).double()(x), rtol=0, atol=1e-12)
