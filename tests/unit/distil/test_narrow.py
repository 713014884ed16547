"""A narrower network keeps what the wide one computes, as far as its channels go."""

import pytest
import torch

from workflow_scripts.distil.narrow import narrowed
from workflow_scripts.distil.student import student_stages
from workflow_scripts.shared.u2net import HEIGHTS, U2Net

pytestmark = pytest.mark.environment("torch")

WIDE = student_stages({"default": [6, 10], "stage3": [5, 9]})
NARROW = student_stages({"default": [4, 7], "stage3": [3, 5], "stage1d": [2, 4]})


def random_network(stages: dict[str, tuple[int, int, int]]) -> U2Net:
    torch.manual_seed(0)
    network = U2Net(stages).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.1, 0.3)
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


@torch.inference_mode()
def test_a_network_narrowed_to_its_own_widths_is_the_same() -> None:
    network, x = random_network(WIDE), torch.randn(1, 3, 64, 64)
    assert torch.equal(narrowed(network, WIDE, WIDE)(x), network(x))


@torch.inference_mode()
def test_channels_that_do_nothing_are_the_ones_left_out() -> None:
    network = random_network(WIDE)
    dead = torch.Generator().manual_seed(1)
    for stage in HEIGHTS:
        # One channel in each inner convolution is zero, and so is the same channel in the two that are added up.
        block = network.get_submodule(stage)
        outer = int(torch.randint(WIDE[stage][2], (1,), generator=dead))
        for name, layer in block.named_children():
            inner = int(torch.randint(WIDE[stage][1], (1,), generator=dead))
            channel = outer if name in ("rebnconvin", "rebnconv1d") else inner
            layer.bn_s1.weight[channel] = 0
            layer.bn_s1.bias[channel] = 0
    thinner = {"default": [5, 9], "stage3": [4, 8]}
    x = torch.randn(1, 3, 96, 64)
    assert torch.allclose(narrowed(network, WIDE, student_stages(thinner))(x), network(x), atol=1e-6)


def test_every_width_may_be_smaller_and_none_larger() -> None:
    network = random_network(WIDE)
    small = narrowed(network, WIDE, NARROW)
    assert small(torch.randn(1, 3, 64, 64)).shape == (1, 1, 64, 64)
    with pytest.raises(ValueError, match="wider"):
        narrowed(small, NARROW, WIDE)
