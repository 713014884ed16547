"""The manifests' figures as rows, a Markdown table and an HTML page: what summarize_manifests writes."""

import html
import re
from collections.abc import Sequence

from workflow_scripts.formats.manifest import Manifest

HEADER = (
    *("model", "resolution", "as at its own size", "engine", "dtype"),
    *("weights MB", "max |Δ|", "p99 |Δ|", "PSNR dB", "SSIM", "checks"),
)
AS_OWN = HEADER.index("as at its own size")
# By model, resolution, engine and dtype.
Figures = dict[tuple[str, ...], tuple[str, ...]]
# The engines that run in a browser, by the prefix of their hops.
ENGINES = {"tfjs": "TensorFlow.js", "litert": "LiteRT"}


def rows(manifest: Manifest, as_own: str = "–") -> list[tuple[str, ...]]:
    """Return one row per engine and dtype of a manifest. `as_own` says how good the model is at its resolution."""
    found: list[tuple[str, ...]] = []
    for engine, dtype in manifest.delivered:
        hop = f"{engine}-{dtype}"
        figures = manifest.checks.parity[hop]
        found.append(
            (
                manifest.model,
                str(manifest.resolution),
                as_own,
                ENGINES[engine],
                dtype,
                f"{manifest.checks.size[hop].weight_bytes / 1e6:.2f}",
                f"{figures['max_abs']:.1e}",
                f"{figures['p99_abs']:.1e}",
                f"{figures['drawing_psnr_db']:.1f}",
                f"{figures['drawing_ssim']:.5f}",
                # A manifest that did not pass is never read.
                "passed",
            )
        )
    return found


def markdown(body: Sequence[tuple[str, ...]]) -> str:
    """Return an aligned Markdown table."""
    # A pipe without a backslash would end the cell.
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


def figures_in(written: str) -> Figures:
    """Return the figures of each file in a written table, in Markdown or HTML."""
    if written.startswith("<!doctype"):
        lines = re.findall(r"<tr>(.*?)</tr>", written)
        found = [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", line)] for line in lines]
    else:
        found = [
            [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in written.splitlines()
        ]
    return dict(map(identified, found))


def contradicts(written: Figures, manifest: Manifest) -> bool:
    """Return whether a table has other figures of a file than the manifest that has it.

    Each run tabulates the models, resolutions, engines and dtypes that it was asked for, so either may have more. How
    good a model is at a resolution is not compared, because the manifests do not record it.
    """
    return any(written.get(file, figures) != figures for file, figures in map(identified, rows(manifest)))


def identified(row: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a row into what it is about (model, resolution, engine, dtype) and the figures."""
    return (*row[:AS_OWN], *row[AS_OWN + 1 : AS_OWN + 3]), tuple(row[AS_OWN + 3 :])
