"""Plot what each weight type takes against how close its drawing comes to PyTorch's, from one manifest."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

matplotlib.use("Agg")
from matplotlib import pyplot as plt

INK, POINT = "#22262b", "#2f6f8f"


def points(manifest: Path) -> list[tuple[str, float, float]]:
    """Return each TensorFlow.js dtype, its weights in MB and its drawing's PSNR in dB on the worst probe."""
    checks = json.loads(manifest.read_text())["checks"]
    return [
        (hop.removeprefix("tfjs-"), checks["size"][hop]["weight_bytes"] / 1e6, figures["drawing_psnr_db"])
        for hop, figures in checks["parity"].items()
        if hop.startswith("tfjs-")
    ]


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--title", required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    found = points(arguments.manifest)
    figure, axis = plt.subplots(figsize=(6.4, 4), layout="constrained", facecolor="white")
    axis.scatter([size for _, size, _ in found], [psnr for *_, psnr in found], color=POINT, s=60, zorder=3)
    for dtype, size, psnr in found:
        axis.annotate(
            f"{dtype}\n{size:.2f} MB, {psnr:.1f} dB", (size, psnr), (8, -4), textcoords="offset points", color=INK
        )
    axis.set_xlim(0, 1.35 * max(size for _, size, _ in found))
    axis.set_ylim(0, 1.12 * max(psnr for *_, psnr in found))
    axis.set_xlabel("weights, MB", color=INK)
    axis.set_ylabel("PSNR of the drawing on the worst probe, dB", color=INK)
    axis.grid(color="#dddddd", linewidth=0.7)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.set_title(arguments.title, color=INK, loc="left")
    with replacing(arguments.output) as staging:
        # Without a date and a version, equal figures are equal bytes.
        figure.savefig(staging, format="png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    run(main)
