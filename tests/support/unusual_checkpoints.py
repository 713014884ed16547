"""Make small U²-Net checkpoints that are valid but unusual: zeros, equal kernels, extreme scales, one channel.

Run in the torch environment: .venvs/torch/bin/python -m tests.support.unusual_checkpoints --kind zeros --output a.pth
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from tests.support.checkpoints import calibrated
from workflow_scripts.shared.u2net import HEIGHTS, U2Net, Widths

Change = Callable[[U2Net], None]


def stages(middle: int, last: int) -> dict[str, Widths]:
    """Return the stages of a U²-Net whose blocks all have the same two widths."""
    return {
        stage: (3 if stage == "stage1" else 2 * last if stage.endswith("d") else last, middle, last)
        for stage in HEIGHTS
    }


def units(network: U2Net) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Return each convolution that has a batch norm, together with the batch norm."""
    return [
        (module.conv_s1, module.bn_s1)  # type: ignore[misc]
        for module in network.modules()
        if hasattr(module, "conv_s1")
    ]


def sides(network: U2Net) -> list[nn.Conv2d]:
    """Return the six convolutions that make side outputs."""
    return [network.get_submodule(f"side{index}") for index in range(1, 7)]  # type: ignore[misc]


def zero_bias(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Make the bias zero that remains after folding the batch norm. Only the variance then normalises."""
    for values in (convolution.bias, norm.bias, norm.running_mean):
        assert values is not None
        values.data.zero_()


def a_few_zeros(network: U2Net) -> None:
    """Make biases of outconv, side heads and three blocks zero, two kernels equal, and scales negative or extreme."""
    for convolution in (network.outconv, *sides(network)):
        assert convolution.bias is not None
        convolution.bias.data.zero_()
    # A plain one, a dilated one, and one over a concatenation, which is split in two.
    for name in ("stage1.rebnconvin", "stage5.rebnconv3", "stage2d.rebnconv2d"):
        unit = network.get_submodule(name)
        zero_bias(unit.conv_s1, unit.bn_s1)  # type: ignore[arg-type]
    first, second = (network.get_submodule(f"stage2.rebnconv{level}") for level in (2, 3))
    second.load_state_dict(first.state_dict())
    for _, norm in units(network)[::5]:
        norm.weight.data[::2] *= -1
    rescale(network, "stage3", 1e4)
    rescale(network, "stage4", 1e-4)


def rescale(network: U2Net, stage: str, factor: float) -> None:
    """Multiply the output of a stage's deepest block and divide the only kernel that reads it: nothing else changes."""
    height = HEIGHTS[stage]
    assert height is not None
    norm = network.get_submodule(f"{stage}.rebnconv{height}.bn_s1")
    kernel = network.get_submodule(f"{stage}.rebnconv{height - 1}d.conv_s1").weight
    norm.weight.data *= factor  # type: ignore[operator]
    norm.bias.data *= factor  # type: ignore[operator]
    kernel.data[:, : norm.weight.shape[0]] /= factor  # type: ignore[index, operator, union-attr]


def no_biases(network: U2Net) -> None:
    """Make all biases zero, and side heads 2 to 6 completely zero, as training only on d0 may leave them."""
    for unit in units(network):
        zero_bias(*unit)
    for convolution in (network.outconv, *sides(network)):
        assert convolution.bias is not None
        convolution.bias.data.zero_()
    for side in sides(network)[1:]:
        side.weight.data.zero_()
    network.outconv.weight.data[:, 1:] = 0


KINDS: dict[str, tuple[int, int, Change]] = {
    "zeros": (4, 8, a_few_zeros),
    "no-biases": (3, 6, no_biases),
    "one-channel": (1, 1, lambda network: None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=tuple(KINDS), required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    middle, last, change = KINDS[arguments.kind]
    network = calibrated(stages(middle, last))
    change(network)
    torch.save(network.state_dict(), arguments.output)


if __name__ == "__main__":
    main()
