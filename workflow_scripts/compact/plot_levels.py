"""Show what rounded weights look like: the drawing of one photo at several PSNRs against the float32 model."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from workflow_scripts.compact.graph_model import GraphModel
from workflow_scripts.compact.round_kernels import nearest
from workflow_scripts.shared.drawings import draw, unnormalise
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.psnr import psnr_db

matplotlib.use("Agg")
from matplotlib import pyplot as plt

INK = "#22262b"
LEVELS_DB = (30, 35, 38, 45)
STEPS = np.geomspace(1024, 65535, 20).round()
Picture = NDArray[np.float64]


@torch.inference_mode()
def drawing(graph: GraphModel, x: Tensor, task: str, steps: int | None) -> Picture:
    """Draw `x` [1, 3, H, W] with every kernel rounded to `steps` steps, or with exact kernels if `steps` is None."""
    weights = dict(graph.weights)
    if steps:
        for node in graph.convolutions:
            weights[node.constants[0]] = nearest(weights[node.constants[0]], steps).values()
    return draw(graph.run(x, weights).numpy(), task)


def nearest_levels(graph: GraphModel, x: Tensor, task: str, exact: Picture) -> list[tuple[Picture, float]]:
    """Return for each of LEVELS_DB the drawing whose PSNR comes nearest to it, and that PSNR.

    Ten times as many steps give about 20 dB more, but luck in rounding changes that. So many step counts are tried, and
    the nearest result is taken from above or below.
    """
    met = []
    for steps in STEPS:
        picture = drawing(graph, x, task, int(steps))
        met.append((picture, psnr_db(picture, exact)))
        print(f"{int(steps)} steps: {met[-1][1]:.1f} dB", flush=True)
    return [min(met, key=lambda each: abs(each[1] - level)) for level in LEVELS_DB]


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the float32 model")
    parser.add_argument("--probes", type=Path, required=True)
    parser.add_argument("--probe", required=True, help="which of the probes to draw")
    parser.add_argument("--task", choices=("portrait", "drawing", "saliency"), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    graph = GraphModel(arguments.model)
    x = load_file(arguments.probes)[arguments.probe]
    exact = drawing(graph, x, arguments.task, None)
    shown = nearest_levels(graph, x, arguments.task, exact)
    rows: list[list[tuple[str, NDArray[Any], float]]] = [
        [("photo", unnormalise(x.numpy()), 1.0), *((f"{found:.1f} dB", picture, 1.0) for picture, found in shown)],
        [
            ("float32", exact, 1.0),
            *(("its difference, white = 0.25", np.abs(picture - exact), 0.25) for picture, _ in shown),
        ],
    ]
    figure, grid = plt.subplots(2, len(rows[0]), figsize=(12.6, 5.6), layout="constrained", facecolor="white")
    for axes, row in zip(grid, rows, strict=True):
        for axis, (title, picture, white) in zip(axes, row, strict=True):
            axis.imshow(picture, cmap="gray", vmin=None if picture.ndim == 3 else 0, vmax=white)
            axis.set_title(title, color=INK, fontsize=11)
            axis.set_axis_off()
    with replacing(arguments.output) as staging:
        figure.savefig(staging, format="png", dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    run(main)
