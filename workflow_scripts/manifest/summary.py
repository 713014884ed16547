"""The manifests' figures as rows, a Markdown table and an HTML page: what summarize_manifests writes."""

import html
import re
from collections.abc import Sequence

from workflow_scripts.formats.manifest import Manifest

HEADER = ("model", "resolution", "engine", "dtype", "weights MB", "max |Δ|", "p99 |Δ|", "PSNR dB", "SSIM", "checks")
# What runs in a browser, by the prefix of its hops.
ENGINES = {"tfjs": "TensorFlow.js", "litert": "LiteRT"}


def rows(manifest: Manifest) -> list[tuple[str, ...]]:
    """Return a row for each engine and dtype of one manifest."""
    found: list[tuple[str, ...]] = []
    for engine, dtype in manifest.delivered:
        hop = f"{engine}-{dtype}"
        figures = manifest.checks.parity[hop]
        found.append(
            (
                manifest.model,
                str(manifest.resolution),
                ENGINES[engine],
                dtype,
                f"{manifest.checks.size[hop].weight_bytes / 1e6:.2f}",
                f"{figures['max_abs']:.1e}",
                f"{figures['p99_abs']:.1e}",
                f"{figures['drawing_psnr_db']:.1f}",
                f"{figures['drawing_ssim']:.5f}",
                # No manifest is read that did not pass.
                "passed",
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


def cells(row: Sequence[str], tag: str) -> str:
    """Return the cells of one row as HTML."""
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)


def page(body: Sequence[tuple[str, ...]]) -> str:
    """Return the same table as an HTML page, for the report."""
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


def lacks(written: str, row: tuple[str, ...]) -> bool:
    """Tell whether a written table, of either form, is without a row."""
    if written.startswith("<!doctype"):
        return f"<tr>{cells(row, 'td')}</tr>" not in written
    # The columns are as wide as their widest cell.
    *_, line = markdown([row]).splitlines()
    return without_padding(line) not in map(without_padding, written.splitlines())


def without_padding(line: str) -> str:
    """Return a row of a Markdown table without the spaces that align it."""
    return re.sub(r" *(?<!\\)\| *", "|", line)
