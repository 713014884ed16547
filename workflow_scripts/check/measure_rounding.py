"""Measure what rounding to float32 does to a network, in PyTorch. The limits of the checks follow from it."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch import Tensor, nn

from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import read_by, write_json
from workflow_scripts.shared.load_network import load_network
from workflow_scripts.shared.metrics import deviation
from workflow_scripts.shared.u2net import fold_batch_norms

# Nothing, noise, and edges of pure colours. A photo costs as much and adds little (docs/checks.md).
PROBES = ("black", "noise", "saturated")
# How many other networks are computed in float32, each with its weights rounded in another way.
NEIGHBOURS = 3
# The most that rounding to float32 changes a weight, as a share of it.
HALF_A_UNIT = 2.0**-24
# A strip of a feature map and of its convolution that fit the processor's cache together.
STRIP_BYTES = 2**20


def convolve_in_strips(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a convolution of stride 1 that keeps the size to `x` (NCHW, one image), a few pixels at a time.

    PyTorch would lay out every window of a float64 convolution in memory: 10 GB for one layer at 1024 × 1024, if done
    at once. Here each weight of the window multiplies the padded rows, joined and shifted, in one matrix product. That
    takes two thirds of the time of windows of a few rows at 256 × 256, and three quarters at 1024 × 1024 (u2netp).
    """
    _, channels, height, width = x.shape
    kernel, bias = convolution.weight, convolution.bias
    outputs = len(kernel)
    rows, columns = (int(side) for side in convolution.padding)
    down, right = convolution.dilation
    line = width + 2 * columns
    padded = F.pad(x[0], (columns, columns, rows, rows)).reshape(channels, -1)
    window = [(i, j) for i in range(kernel.shape[2]) for j in range(kernel.shape[3])]
    taps = [(kernel[:, :, i, j].contiguous(), i * down * line + j * right) for i, j in window]
    # The pixels between two lines are computed, too, and dropped. Those after the last line are not there.
    result = x.new_empty(outputs, height * line)
    end = height * line - 2 * columns
    step = max(1, STRIP_BYTES // ((channels + outputs) * x.element_size()))
    for start in range(0, end, step):
        stop = min(start + step, end)
        result[:, start:stop] = 0 if bias is None else bias[:, None]
        for weights, shift in taps:
            result[:, start:stop].addmm_(weights, padded[:, start + shift : stop + shift])
    return result.reshape(1, outputs, height, line)[..., :width]


class ExactNetwork:
    """The network with read_checkpoint's weights, in float64. Folded batch norms save time and memory."""

    def __init__(self, weights: Path) -> None:
        self.network = load_network(weights).double()
        fold_batch_norms(self.network)
        for module in self.network.modules():
            if isinstance(module, nn.Conv2d):
                module.forward = partial(convolve_in_strips, module)  # type: ignore[method-assign]

    @torch.inference_mode()
    def predict(self, probe: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return d0 [1, 1, height, width] of an input [1, 3, height, width]."""
        d0: NDArray[np.float64] = self.network(torch.from_numpy(probe).double()).numpy()
        return d0


class Neighbour:
    """The network in float32 as somebody else might round it. It draws nearly the same.

    Its batch norms are folded into the convolutions, as in every artifact. Then each weight is changed at random, by no
    more than half a unit in its last place. PyTorch adds in another order (channels last). One computation alone can be
    lucky: in a plain area each pixel is the same sum, so nothing averages out (docs/checks.md).
    """

    def __init__(self, weights: Path, seed: int) -> None:
        network = load_network(weights).double()
        fold_batch_norms(network)
        generator = torch.Generator().manual_seed(seed)
        for weight in network.parameters():
            share = 2 * torch.rand(weight.shape, generator=generator, dtype=weight.dtype) - 1
            weight.data *= 1 + HALF_A_UNIT * share
        self.network = network.float()

    @torch.inference_mode()
    def predict(self, probe: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return d0 [1, 1, height, width] of an input [1, 3, height, width]."""
        x = torch.from_numpy(probe).contiguous(memory_format=torch.channels_last)
        d0: NDArray[np.float32] = self.network(x).numpy()
        return d0


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="safetensors of read_checkpoint")
    parser.add_argument("--probes", type=Path, required=True, help="safetensors of make_probe_inputs")
    parser.add_argument("--reference", type=Path, required=True, help="PyTorch's predictions in float32")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    rounded, metadata = read_predictions(arguments.reference)
    inputs = load_file(arguments.probes)
    if absent := [name for name in PROBES if name not in rounded or name not in inputs]:
        raise Failure(f"{arguments.reference} or {arguments.probes} lacks the probe {absent[0]}; delete both")
    exact = ExactNetwork(arguments.weights)
    neighbours = [Neighbour(arguments.weights, seed) for seed in range(NEIGHBOURS)]
    probes = {}
    for name in PROBES:
        if not np.isfinite(rounded[name]).all():
            raise Failure(f"PyTorch itself predicts NaN or infinite values with {metadata['model']}")
        d0 = exact.predict(inputs[name])
        others = [neighbour.predict(inputs[name]) for neighbour in neighbours]
        found = [deviation(float32, d0) for float32 in (rounded[name], *others)]
        # Keep four digits. The last digits of a float64 sum may differ between runs, and nothing depends on them.
        probes[name] = {figure: float(f"{max(each[figure] for each in found):.3e}") for figure in found[0]}
        print(f"{name}: {', '.join(f'{figure} {value:.1e}' for figure, value in probes[name].items())}", flush=True)
    worst = {figure: max(each[figure] for each in probes.values()) for figure in probes[PROBES[0]]}
    made_with = {key: metadata[key] for key in ("backend", "model", "model_sha256")}
    read = read_by(arguments.output, [arguments.weights, arguments.probes, arguments.reference])
    write_json(arguments.output, {"reference": made_with, "probes": probes, "worst": worst, "read": read})


if __name__ == "__main__":
    run(main)
