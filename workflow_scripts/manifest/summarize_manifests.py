"""Tabulate the manifests' figures, a row a model, resolution, engine and dtype: Markdown, printed too, and a page."""

import argparse
import html
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.shared.agreement import Picture, agreement
from workflow_scripts.shared.drawings import draw
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

HEADER = (
    *("model", "resolution", "as at its own size", "engine", "dtype"),
    *("weights MB", "max |Δ|", "p99 |Δ|", "PSNR dB", "SSIM", "checks"),
)
# The probes that are photos, as people draw them; the others are there to break arithmetic.
PHOTOS = ("astronaut", "chelsea")
# What runs in a browser, by the hops' prefix.
ENGINES = {"tfjs": "TensorFlow.js", "litert": "LiteRT"}


def photos_drawn(manifest: Path, resolution: int, task: str) -> list[Picture]:
    """Return what PyTorch draws of the photos at a resolution: of the model that the manifest lists, from beside it."""
    predictions, _ = read_predictions(manifest.parents[1] / f"{resolution}/predictions/torch.safetensors")
    return [draw(predictions[name], task) for name in PHOTOS]


def worth(manifest: Path, own: int | None) -> str:
    """Say how much of what a model draws at its own resolution it draws at the manifest's: IoU, or F1 of the ink.

    Parity says that the browser draws what PyTorch draws. This says whether that is any good at this size: a network
    that was trained at one size may see nothing at another.
    """
    content = json.loads(manifest.read_text())
    if own is None:
        return "–"
    if own == content["resolution"]:
        return "own"
    task = content["task"]
    here, there = (photos_drawn(manifest, resolution, task) for resolution in (content["resolution"], own))
    mean = fmean(agreement(a, b, task) for a, b in zip(here, there, strict=True))
    return f"{'IoU' if task == 'saliency' else 'ink'} {mean:.2f}"


def white_on_black(manifest: Path) -> str | None:
    """Say so if a portrait network draws white on black of the photos: then its task is `drawing`, or the reverse."""
    content = json.loads(manifest.read_text())
    task = content["task"]
    if task == "saliency" or fmean(float(p.mean()) for p in photos_drawn(manifest, content["resolution"], task)) > 0.5:
        return None
    other = "drawing" if task == "portrait" else "portrait"
    return (
        f"{content['model']} at {content['resolution']} draws white on black as task={task}; "
        f"it may be a network of task={other}"
    )


def rows(manifest: Path, as_own: str = "–") -> list[tuple[str, ...]]:
    """Return a row for each engine and dtype of one manifest; `as_own` is what its resolution is worth."""
    content = json.loads(manifest.read_text())
    found: list[tuple[str, ...]] = []
    parity = content["checks"]["parity"]
    for prefix, engine in ENGINES.items():
        for hop, figures in parity.items():
            kind, _, dtype = hop.partition("-")
            if kind != prefix:
                continue
            found.append(
                (
                    content["model"],
                    str(content["resolution"]),
                    as_own,
                    engine,
                    dtype,
                    f"{content['checks']['size'][hop]['weight_bytes'] / 1e6:.2f}",
                    f"{figures['max_abs']:.1e}",
                    f"{figures['p99_abs']:.1e}",
                    f"{figures['drawing_psnr_db']:.1f}",
                    f"{figures['drawing_ssim']:.5f}",
                    "passed" if content["passed"] else "FAILED",
                )
            )
    return found


def markdown(body: Sequence[tuple[str, ...]]) -> str:
    """Return an aligned Markdown table."""
    # A bare pipe ends a cell.
    header, *rest = ([cell.replace("|", r"\|") for cell in row] for row in (HEADER, *body))
    widths = [max(len(row[column]) for row in (header, *rest)) for column in range(len(HEADER))]
    lines = [header, ["-" * width for width in widths], *rest]
    return "".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |\n"
        for line in lines
    )


def page(body: Sequence[tuple[str, ...]]) -> str:
    """Return the same table as an HTML page, for the report."""

    def cells(row: tuple[str, ...], tag: str) -> str:
        return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)

    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Summary</title>"
        "<style>body{font:15px system-ui,sans-serif}table{border-collapse:collapse}"
        "td,th{padding:.35em .9em;border-bottom:1px solid #ddd;text-align:left;font-variant-numeric:tabular-nums}"
        "</style><table><thead><tr>"
        + cells(HEADER, "th")
        + "</tr></thead><tbody>"
        + "".join(f"<tr>{cells(row, 'td')}</tr>" for row in body)
        + "</tbody></table></html>\n"
    )


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--own", type=json.loads, default={}, help="JSON: each model's own resolution, predicted beside its manifests"
    )
    parser.add_argument("--table", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--page", type=Path, required=True, help="HTML to write")
    arguments = parser.parse_args(argv)
    body: list[tuple[str, ...]] = []
    notices: list[str] = []
    for manifest in arguments.manifests:
        own = arguments.own.get(manifest.parents[1].name)
        body += rows(manifest, worth(manifest, own))
        if own is not None and (notice := white_on_black(manifest)):
            notices.append(notice)
    table = markdown(body)
    with replacing(arguments.table) as staging:
        staging.write_text(table)
    with replacing(arguments.page) as staging:
        staging.write_text(page(body))
    print(table, end="")
    for notice in notices:
        print(notice)


if __name__ == "__main__":
    run(main)
