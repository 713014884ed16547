"""Collect what devices.html saved on several devices into one table and one plot."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from workflow_scripts.benchmark.device_reports import Timing, read_reports
from workflow_scripts.benchmark.markdown import markdown_table
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

matplotlib.use("Agg")
from matplotlib import pyplot as plt

TENSORFLOW_JS = "#2f6f8f"
OTHERS = {"litert": "#4d9a63", "onnxruntime": "#c77d2b"}
HEADER = ("model", "device", "engine", "computes on", "size", r"max \|Δ\|", "median ms", "middle half ms", "frames")


def tabulate(timings: Sequence[Timing]) -> str:
    """Return a Markdown table, one row an engine and size, in the order of the files."""
    rows = []
    for timing in timings:
        away = "" if timing.max_abs is None else f"{timing.max_abs:.1e}"
        row = [timing.model, timing.device, timing.name, timing.computes_on, str(timing.resolution), away]
        if timing.problem is None:
            low, median, high = timing.spread()
            row += [f"{median:,.1f}", f"{low:,.1f} to {high:,.1f}", str(len(timing.frames_ms))]
        else:
            row += [timing.problem, "", ""]
        rows.append(row)
    return markdown_table(HEADER, rows)


def plot(timings: Sequence[Timing], output: Path) -> None:
    """Draw a panel for each model and size. A bar is the median of an engine on a device; a line is the middle half."""
    timed = [timing for timing in timings if timing.problem is None]
    panels = sorted({(timing.model, timing.resolution) for timing in timed})
    shown = {panel: [each for each in timed if (each.model, each.resolution) == panel] for panel in panels}
    heights = [0.26 * len(bars) + 0.7 for bars in shown.values()]
    figure, grid = plt.subplots(
        len(panels),
        1,
        figsize=(9, sum(heights) + 0.4),
        squeeze=False,
        layout="constrained",
        facecolor="white",
        gridspec_kw={"height_ratios": heights},
    )
    for axis, ((model, resolution), bars) in zip(grid.flat, shown.items(), strict=True):
        for row, timing in enumerate(bars):
            low, median, high = timing.spread()
            colour = OTHERS.get(timing.engine.partition("-")[0], TENSORFLOW_JS)
            axis.barh(row, median, color=colour, height=0.7)
            axis.plot([low, high], [row, row], color="#22262b", linewidth=1.4)
            axis.annotate(f" {median:,.0f} ms", (max(median, high), row), va="center", fontsize=8)
        axis.set_yticks(range(len(bars)), [f"{timing.device}: {timing.name}" for timing in bars], fontsize=8)
        axis.set_ylim(len(bars) - 0.4, -0.6)
        axis.set_title(f"{model} at {resolution} × {resolution}", loc="left", fontsize=11)
        axis.set_xlim(0, 1.12 * max(timing.spread()[2] for timing in bars))
        axis.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axis.spines[side].set_visible(False)
    figure.supxlabel("median frame in milliseconds; line: the middle half of the frames", fontsize=9)
    with replacing(output) as staging:
        figure.savefig(staging, format="png", dpi=110, metadata={"Software": None})


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=Path, nargs="+", required=True, help="files that devices.html saved")
    parser.add_argument("--table", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--plot", type=Path, required=True, help="PNG to write")
    arguments = parser.parse_args(argv)
    timings = read_reports(arguments.reports)
    if all(timing.problem is not None for timing in timings):
        raise Failure("no engine was timed in any of these files; save files of devices with a fast engine")
    table = tabulate(timings)
    plot(timings, arguments.plot)
    with replacing(arguments.table) as staging:
        staging.write_text(table)
    print(table, end="")


if __name__ == "__main__":
    run(main)
