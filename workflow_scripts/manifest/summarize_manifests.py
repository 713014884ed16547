"""Tabulate the manifests' figures, a row a model, resolution, engine and dtype: Markdown, printed too, and a page."""

import argparse
import html
import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

HEADER = ("model", "resolution", "engine", "dtype", "weights MB", "max |Δ|", "p99 |Δ|", "PSNR dB", "SSIM", "checks")
# What runs in a browser, by the hops' prefix.
ENGINES = {"tfjs": "TensorFlow.js", "litert": "LiteRT"}


def rows(manifest: Path) -> list[tuple[str, ...]]:
    """Return a row for each engine and dtype of one manifest."""
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
    parser.add_argument("--table", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--page", type=Path, required=True, help="HTML to write")
    arguments = parser.parse_args(argv)
    body = [row for manifest in arguments.manifests for row in rows(manifest)]
    table = markdown(body)
    with replacing(arguments.table) as staging:
        staging.write_text(table)
    with replacing(arguments.page) as staging:
        staging.write_text(page(body))
    print(table, end="")


if __name__ == "__main__":
    run(main)
