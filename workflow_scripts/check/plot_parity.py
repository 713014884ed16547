"""Draw parity so that a person can judge it at a glance: pictures, and each hop's error against its limit."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from workflow_scripts.formats.evidence import PNG_KEY
from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.shared.drawings import draw, unnormalise
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import read_by, replacing

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

INK, PASSED, FAILED, LIMIT = "#22262b", "#2f6f8f", "#c0392b", "#c77d2b"


def plot_pictures(axes: Sequence[Axes], probe: str, x: Any, reference: Any, found: Any, task: str) -> None:
    """Fill one row: photo, PyTorch's picture, TensorFlow.js's picture, and their difference |Δ| on its own scale."""
    expected, drawn = draw(reference, task), draw(found, task)
    delta = np.abs(drawn - expected)
    pictures: list[NDArray[Any]] = [unnormalise(x), expected, drawn, delta]
    for axis, picture, colours in zip(axes, pictures, (None, "gray", "gray", "inferno"), strict=True):
        # Pixels have a fixed range. In a picture, the largest value is white.
        white = None if picture.ndim == 3 else float(picture.max()) or 1.0
        axis.imshow(picture, cmap=colours, interpolation="nearest", vmin=white and 0.0, vmax=white)
        axis.set_xticks([])
        axis.set_yticks([])
        for spine in axis.spines.values():
            spine.set_visible(False)
    axes[0].set_ylabel(probe, color=INK, fontsize=11)
    amplification = 1 / delta.max() if delta.max() > 0 else 1
    axes[3].set_xlabel(f"white = {delta.max():.1e} (amplified {amplification:,.0f}×)", color=INK, fontsize=9)


def plot_hops(axis: Axes, hops: Sequence[dict[str, Any]], limit: str, title: str) -> None:
    """Draw each hop's worst figure as a point and its `limit` as a tick. Hops without that limit are left out."""
    shown = [hop for hop in hops if limit in hop["tolerance"] and hop["worst"]]
    if not shown:
        axis.set_axis_off()
        return
    values = [hop["worst"][limit.removeprefix("min_")] for hop in shown]
    rows = range(len(shown))
    colours = [PASSED if hop["passed"] else FAILED for hop in shown]
    axis.scatter(values, rows, color=colours, s=46, zorder=3, label="worst probe")
    bounds = [hop["tolerance"][limit] for hop in shown]
    axis.scatter(bounds, rows, color=LIMIT, marker="|", s=260, linewidth=2.5, label="limit")
    axis.set_yticks(list(rows), [hop["hop"] for hop in shown], color=INK)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.set_title(title, color=INK, fontsize=11, loc="left")
    axis.grid(axis="x", color="#dddddd", linewidth=0.7)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    if not limit.startswith("min_"):
        axis.set_xscale("log")
        # Use whole decades, so that labels never overlap.
        axis.set_xlim(10 ** np.floor(np.log10(min(values + bounds))), 10 ** np.ceil(np.log10(max(bounds))))
        axis.xaxis.set_minor_formatter(NullFormatter())
    else:
        axis.set_xlim(0, 1.15 * max(values + bounds))


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True, help="PyTorch's predictions")
    parser.add_argument("--tfjs", type=Path, required=True, help="TensorFlow.js's predictions to show")
    parser.add_argument("--parity", type=Path, required=True, help="report of check_parity")
    parser.add_argument("--title", required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    probes = load_file(arguments.probes)
    reference, _ = read_predictions(arguments.reference)
    found, _ = read_predictions(arguments.tfjs)
    report = json.loads(arguments.parity.read_text())
    shown = [name for name in ("astronaut", "chelsea") if name in probes]
    figure = plt.figure(figsize=(12.6, 3.2 * len(shown) + 2.6), layout="constrained", facecolor="white")
    (pictures,), (bars,) = figure.subfigures(2, 1, squeeze=False, height_ratios=(3.2 * len(shown), 2.3))
    grid = pictures.subplots(len(shown), 4, squeeze=False)
    titles = ("photo", "PyTorch", arguments.tfjs.stem.replace("tfjs-", "TensorFlow.js, "), "|Δ| of the two")
    for axis, title in zip(grid[0], titles, strict=True):
        axis.set_title(title, color=INK, fontsize=12)
    for row, name in zip(grid, shown, strict=True):
        plot_pictures(row, name, probes[name], reference[name], found[name], report["task"])
    left, middle, right = bars.subplots(1, 3, width_ratios=(1, 1, 0.8))
    plot_hops(left, report["hops"], "max_abs", "max |Δ| of d0 against PyTorch")
    plot_hops(middle, report["hops"], "p99_abs", "p99 |Δ| of d0")
    plot_hops(right, report["hops"], "min_drawing_psnr_db", "PSNR of the drawing, dB")
    bars.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    figure.suptitle(arguments.title, color=INK, fontsize=14)
    read = read_by(arguments.output, [arguments.probes, arguments.reference, arguments.tfjs, arguments.parity])
    with replacing(arguments.output) as staging:
        # Leave out date and version, so that equal figures give equal bytes. formats/evidence.py reads what was drawn.
        metadata = {"Software": None, PNG_KEY: json.dumps(read, sort_keys=True)}
        figure.savefig(staging, format="png", dpi=110, metadata=metadata)


if __name__ == "__main__":
    run(main)
