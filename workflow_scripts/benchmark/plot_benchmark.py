"""Plot a benchmark's report: the time of every frame, as a multiple of our first model's in the same round."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

INK, OURS, OTHERS, NATIVE, FAINT = "#22262b", "#2f6f8f", "#c77d2b", "#8a9199", "#dddddd"
TICKS = (0.125, 0.25, 0.5, 1, 2, 4, 8)


def colour(name: str) -> str:
    """Return one colour for our models, one for the other engines in the browser, and one for native engines."""
    if name in ("onnxruntime", "openvino"):
        return NATIVE
    return OTHERS if name in ("tfjs-by-hand", "onnxruntime-web") else OURS


def plot_setting(axis: Axes, setting: Mapping[str, Any]) -> None:
    """Fill one panel: a row per contender, a dot per round, and a bar at the ratio of the minima."""
    contenders = setting["contenders"]
    first = contenders[0]
    axis.axvline(1, color=FAINT, linewidth=1.2, zorder=1)
    for row, contender in enumerate(contenders):
        paint = colour(contender["name"])
        rounds = [a / b for a, b in zip(contender["frames_ms"], first["frames_ms"], strict=True)]
        axis.scatter(rounds, [row] * len(rounds), color=paint, s=16, alpha=0.35, linewidth=0, zorder=2)
        least = contender["min_ms"] / first["min_ms"]
        axis.scatter([least], [row], color=paint, marker="|", s=230, linewidth=2.6, zorder=3)
        label = f"{contender['min_ms'] / 1000:.2f} s   {least:.2f} ×"
        axis.annotate(label, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=8.5, color=INK)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(TICKS))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks(range(len(contenders)), [contender["name"] for contender in contenders], color=INK)
    axis.set_ylim(len(contenders) - 0.4, -0.6)
    threads = setting["threads"]
    heading = f"{setting['resolution']} × {setting['resolution']}, {threads} {'thread' if threads == 1 else 'threads'}"
    axis.set_title(heading, color=INK, fontsize=11, loc="left")
    axis.grid(axis="x", color=FAINT, linewidth=0.6, zorder=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(axis="y", length=0)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, required=True, help="JSON of benchmark_model")
    parser.add_argument("--output", type=Path, required=True, help="PNG to write")
    arguments = parser.parse_args(argv)
    report = json.loads(arguments.report.read_text())
    settings = report["settings"]
    counts = sorted({setting["threads"] for setting in settings})
    rows = -(-len(settings) // len(counts))
    height = 0.28 * len(settings[0]["contenders"]) + 0.75
    figure, grid = plt.subplots(
        rows,
        len(counts),
        figsize=(6.4 * len(counts), height * rows + 1.1),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
        facecolor="white",
    )
    for axis, setting in zip(grid.flat, settings, strict=True):
        plot_setting(axis, setting)
    first = settings[0]["contenders"][0]["name"]
    figure.supxlabel(f"time of a frame, as a multiple of {first}'s in the same round; bar: of the minima", fontsize=10)
    machine = report["machine"]
    figure.suptitle(
        f"{report['model']} on {machine['processor']}, {machine['cores']} cores, {machine['browser']}",
        color=INK,
        fontsize=13,
    )
    with replacing(arguments.output) as staging:
        figure.savefig(staging, format="png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    run(main)
