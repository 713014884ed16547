"""U²-Net in PyTorch, for any channel widths (Qin et al. 2020, arXiv:2005.09007).

Sub-module names are those of the public checkpoints, so that their state dicts load strictly.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Heights of the residual U-blocks. None means RSU-4F, which dilates and does not pool.
HEIGHTS: dict[str, int | None] = {
    "stage1": 7,
    "stage2": 6,
    "stage3": 5,
    "stage4": 4,
    "stage5": None,
    "stage6": None,
    "stage5d": None,
    "stage4d": 4,
    "stage3d": 5,
    "stage2d": 6,
    "stage1d": 7,
}
SIDES = ("stage1d", "stage2d", "stage3d", "stage4d", "stage5d", "stage6")

Widths = tuple[int, int, int]

FAMILIES: dict[str, dict[str, Widths]] = {
    "u2net": {
        "stage1": (3, 32, 64),
        "stage2": (64, 32, 128),
        "stage3": (128, 64, 256),
        "stage4": (256, 128, 512),
        "stage5": (512, 256, 512),
        "stage6": (512, 256, 512),
        "stage5d": (1024, 256, 512),
        "stage4d": (1024, 128, 256),
        "stage3d": (512, 64, 128),
        "stage2d": (256, 32, 64),
        "stage1d": (128, 16, 64),
    },
    "u2netp": {stage: (3 if stage == "stage1" else 128 if stage.endswith("d") else 64, 16, 64) for stage in HEIGHTS},
}


@dataclass(frozen=True)
class Architecture:
    """What distinguishes one U²-Net from another.

    `stages` maps a stage to its (input, middle, output) channels. `parameters` counts the trainable ones.
    `convolution_parameters` counts the weights and biases that are left after batch norms are folded.
    `multiply_adds_32x32` is for one 32×32 input; it grows with the area. `side_outputs` is how many outputs the last
    1×1 convolution mixes into d0.
    """

    family: str
    stages: dict[str, Widths]
    parameters: int
    convolutions: int
    convolution_parameters: int
    multiply_adds_32x32: int
    side_outputs: int

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return asdict(self)


class ConvBNReLU(nn.Module):
    """3×3 convolution, batch norm and ReLU. Values are NCHW, and the size stays the same."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation)
        self.bn_s1: nn.BatchNorm2d | nn.Identity = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn_s1(self.conv_s1(x)), inplace=True)


def fold_batch_norms(network: nn.Module) -> None:
    """Make each batch norm of a network in evaluation mode part of the convolution before it.

    That is computed in float64, so that each weight is rounded once, and to the same number on every processor.
    """
    for block in network.modules():
        if isinstance(block, ConvBNReLU) and isinstance(block.bn_s1, nn.BatchNorm2d):
            dtype = block.conv_s1.weight.dtype
            block.conv_s1 = fuse_conv_bn_eval(block.conv_s1.double(), block.bn_s1.double()).to(dtype)
            block.bn_s1 = nn.Identity()


def pool(x: Tensor) -> Tensor:
    """Halve height and width, rounded up, by the maxima of 2×2 pixels."""
    return F.max_pool2d(x, 2, stride=2, ceil_mode=True)


def upsample_like(x: Tensor, target: Tensor) -> Tensor:
    """Resize `x` bilinearly to the height and width of `target`. Corners are not aligned."""
    return F.interpolate(x, size=target.shape[2:], mode="bilinear", align_corners=False)


class RSU(nn.Module):
    """Residual U-block: a small U-Net. Its output is added to the output of its input convolution.

    It has `height` levels with a pool between two levels. `height` None gives RSU-4F: four levels of growing dilation.
    """

    def __init__(self, height: int | None, channels: Widths) -> None:
        super().__init__()
        first, middle, last = channels
        self.pools = height is not None
        self.height = height or 4
        dilations = [1] * (self.height - 1) + [2] if self.pools else [1, 2, 4, 8]
        self.rebnconvin = ConvBNReLU(first, last)
        for level, dilation in enumerate(dilations, start=1):
            widths = (last, middle) if level == 1 else (middle, middle)
            self.add_module(f"rebnconv{level}", ConvBNReLU(*widths, dilation))
        for level in range(self.height - 1, 0, -1):
            widths = (2 * middle, last if level == 1 else middle)
            self.add_module(f"rebnconv{level}d", ConvBNReLU(*widths, dilations[level - 1]))

    def level(self, name: str, x: Tensor) -> Tensor:
        return cast(Tensor, self.get_submodule(f"rebnconv{name}")(x))

    def forward(self, x: Tensor) -> Tensor:
        residual = self.rebnconvin(x)
        skips: list[Tensor] = []
        hidden = residual
        for level in range(1, self.height):
            if self.pools and level > 1:
                hidden = pool(hidden)
            hidden = self.level(f"{level}", hidden)
            skips.append(hidden)
        hidden = self.level(f"{self.height}", hidden)
        for level in range(self.height - 1, 0, -1):
            skip = skips.pop()
            if self.pools and level < self.height - 1:
                hidden = upsample_like(hidden, skip)
            hidden = self.level(f"{level}d", torch.cat((hidden, skip), 1))
        return cast(Tensor, hidden + residual)


class U2Net(nn.Module):
    """The whole network.

    Input: [batch, 3, height, width] float32, normalised RGB. Output: d0, [batch, 1, height, width] in [0, 1].
    """

    def __init__(self, stages: Mapping[str, Widths]) -> None:
        super().__init__()
        for stage, height in HEIGHTS.items():
            self.add_module(stage, RSU(height, stages[stage]))
        for index, stage in enumerate(SIDES, start=1):
            self.add_module(f"side{index}", nn.Conv2d(stages[stage][2], 1, 3, padding=1))
        self.outconv = nn.Conv2d(len(SIDES), 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        hidden = x
        for index in range(1, 6):
            hidden = self.get_submodule(f"stage{index}")(hidden)
            skips.append(hidden)
            hidden = pool(hidden)
        decoded = [self.get_submodule("stage6")(hidden)]
        for index in range(5, 0, -1):
            skip = skips.pop()
            merged = torch.cat((upsample_like(decoded[0], skip), skip), 1)
            decoded.insert(0, self.get_submodule(f"stage{index}d")(merged))
        sides = [self.get_submodule(f"side{i}")(stage) for i, stage in enumerate(decoded, start=1)]
        upsampled = [sides[0], *(upsample_like(side, sides[0]) for side in sides[1:])]
        return torch.sigmoid(self.outconv(torch.cat(upsampled, 1)))


def infer_stages(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Widths]:
    """Read each stage's (input, middle, output) channels from the shapes of a state dict.

    Raises KeyError if a stage's first convolutions are missing, and ValueError if their kernels are not 4-D.
    """
    stages: dict[str, Widths] = {}
    for stage in HEIGHTS:
        last, first, *_ = shapes[f"{stage}.rebnconvin.conv_s1.weight"]
        middle, *_ = shapes[f"{stage}.rebnconv1.conv_s1.weight"]
        stages[stage] = (first, middle, last)
    return stages


def misfitting(stages: Mapping[str, Widths]) -> list[str]:
    """Say in words which stages take another number of channels than the stages before them give; [] for a U²-Net."""
    expected = {"stage1": 3}
    for index in range(1, 6):
        expected[f"stage{index + 1}"] = stages[f"stage{index}"][2]
    below = stages["stage6"][2]
    for index in range(5, 0, -1):
        expected[f"stage{index}d"] = below + stages[f"stage{index}"][2]
        below = stages[f"stage{index}d"][2]
    return [
        f"{stage} takes {stages[stage][0]} channels instead of {channels}"
        for stage, channels in expected.items()
        if stages[stage][0] != channels
    ]


def describe(stages: Mapping[str, Widths]) -> Architecture:
    """Return the network's family, and count its parameters and multiply-adds."""
    network = U2Net(stages).eval()
    multiply_adds = 0

    def count(module: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal multiply_adds
        multiply_adds += output[0, 0].numel() * cast(nn.Conv2d, module).weight.numel()

    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for convolution in convolutions:
        convolution.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 32, 32))
    return Architecture(
        family=next((name for name, known in FAMILIES.items() if known == stages), "custom"),
        stages=dict(stages),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        convolutions=len(convolutions),
        convolution_parameters=sum(p.numel() for module in convolutions for p in module.parameters()),
        multiply_adds_32x32=multiply_adds,
        side_outputs=network.outconv.in_channels,
    )
