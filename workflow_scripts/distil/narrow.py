"""Make a narrower network out of a wide one, as a start for training. It keeps the channels with the most weight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from workflow_scripts.shared.u2net import HEIGHTS, SIDES, U2Net, Widths


@dataclass(frozen=True)
class Use:
    """A convolution that reads some channels, and how many other channels come before them in its input."""

    layer: str
    before: int


class Narrowing:
    """A network's weights while channels are removed from them."""

    def __init__(self, network: U2Net) -> None:
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @staticmethod
    def kernel(layer: str) -> str:
        """Return the key of a convolution's kernel."""
        return f"{layer}.weight" if layer.startswith("side") else f"{layer}.conv_s1.weight"

    def keep(self, layers: Sequence[str], uses: Sequence[Use], count: int) -> None:
        """Keep the `count` heaviest output channels of `layers`, whose outputs are added up, and of what uses them.

        A channel's weight is the product of its batch norms' scales and of the weights that read it.
        """
        size = self.state[self.kernel(layers[0])].shape[0]
        scale = sum((self.state[f"{layer}.bn_s1.weight"].abs() for layer in layers), torch.zeros(size))
        taken = torch.zeros(size)
        for use in uses:
            weight = self.state[self.kernel(use.layer)][:, use.before : use.before + size]
            taken += weight.square().sum((0, 2, 3)).sqrt()
        kept = torch.topk(scale * taken, count).indices.sort().values
        for layer in layers:
            parts = ["conv_s1.weight", "conv_s1.bias"]
            parts += [f"bn_s1.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
            for part in parts:
                self.state[f"{layer}.{part}"] = self.state[f"{layer}.{part}"][kept]
        for use in uses:
            weight = self.state[self.kernel(use.layer)]
            before, these, after = weight.split((use.before, size, weight.shape[1] - use.before - size), dim=1)
            self.state[self.kernel(use.layer)] = torch.cat((before, these[:, kept], after), dim=1)


def is_wider(stages: Mapping[str, Widths], than: Mapping[str, Widths]) -> bool:
    """Return whether any stage has more channels, inside or at its end, than the other network's."""
    return any(stages[stage][part] > than[stage][part] for stage in HEIGHTS for part in (1, 2))


def narrowed(network: U2Net, wide: Mapping[str, Widths], narrow: Mapping[str, Widths]) -> U2Net:
    """Return a network of widths `narrow` that keeps the heaviest channels of `network`, which has widths `wide`.

    This is network slimming (Liu et al. 2017, arXiv:1708.06519) without its training for sparsity. Raises ValueError if
    `narrow` is wider than `wide` anywhere.
    """
    if is_wider(narrow, wide):
        raise ValueError("the network to make is wider than the one that it starts from")
    narrowing = Narrowing(network)
    # A decoder reads the map from below and then the map from across. The map from below is narrowed later.
    for stage in HEIGHTS:
        _, middle, output = narrow[stage]
        height = HEIGHTS[stage] or 4
        down = [f"{stage}.rebnconv{level}" for level in range(1, height + 1)]
        up = [f"{stage}.rebnconv{level}d" for level in range(height - 1, 0, -1)]
        for index, layer in enumerate(down[:-1]):
            across = Use(up[-1 - index], wide[stage][1])
            narrowing.keep([layer], [Use(down[index + 1], 0), across], middle)
        for layer, following in zip([down[-1], *up[:-1]], up, strict=True):
            narrowing.keep([layer], [Use(following, 0)], middle)
        uses = [Use(down[0], 0)]
        number = int(stage.removeprefix("stage").removesuffix("d"))
        if stage in SIDES:
            uses.append(Use(f"side{number}", 0))
            if number > 1:
                uses.append(Use(f"stage{number - 1}d.rebnconvin", 0))
        else:
            below = "stage6" if number == 5 else f"stage{number + 1}d"
            uses += [Use(f"stage{number + 1}.rebnconvin", 0), Use(f"stage{number}d.rebnconvin", wide[below][2])]
        narrowing.keep([f"{stage}.rebnconvin", up[-1]], uses, output)
    small = U2Net(narrow)
    small.load_state_dict(narrowing.state)
    return small.eval()
