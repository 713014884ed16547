"""Write a benchmark's report as Markdown tables, with ratios beside every time."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.benchmark.markdown import markdown_table
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

Report = Mapping[str, Any]

# Every time is divided by that of our first model, and also by the rival's.
RIVAL = "onnxruntime-web"


def ratio(ratios: Report, a: str, b: str) -> str:
    """Return the time of a ÷ the time of b: of the minima, and in brackets the median of the rounds."""
    if a == b:
        return "1"
    # An engine that cannot run has no time.
    if b not in ratios[a]:
        return ""
    pair = ratios[a][b]
    return f"{pair['of_minima']:.2f} ({pair['median']:.2f})"


def title(setting: Report) -> str:
    """Return the heading of a setting."""
    threads = setting["threads"]
    return f"{setting['resolution']}, {threads} {'thread' if threads == 1 else 'threads'}"


def tabulate_frames(setting: Report) -> str:
    """Return one setting's heading and table."""
    first = setting["contenders"][0]["name"]
    rows = [
        (
            contender["name"],
            f"{contender['min_ms']:,.0f}",
            f"{contender['median_ms']:,.0f}",
            ratio(setting["ratios"], contender["name"], first),
            ratio(setting["ratios"], contender["name"], RIVAL),
            f"{contender['gmac_per_s']:.1f}",
            "" if contender["share_of_dense"] is None else f"{contender['share_of_dense']:.2f}",
            f"{contender['difference']['max_abs']:.1e}",
        )
        for contender in setting["contenders"]
    ]
    header = ("engine", "min ms", "median ms", f"÷ {first}", f"÷ {RIVAL}", "GMAC/s", "÷ dense", r"max \|Δ\|")
    rounds = "1 round" if setting["rounds"] == 1 else f"{setting['rounds']} rounds"
    memory = "all models in memory" if setting["together"] else "one model in memory at a time, loaded for each frame"
    dense = ", ".join(f"{name} {product['gmac_per_s']:.1f}" for name, product in setting["dense"].items())
    failed = "".join(f"\n{name} is left out: {reason}\n" for name, reason in setting["failed"].items())
    return (
        f"### {title(setting)}\n\n{markdown_table(header, rows)}{failed}\n{rounds}, {memory};"
        f" {setting['multiply_adds'] / 1e9:.2f} G multiply-adds a frame;"
        f" one product of dense matrices: {dense} GMAC/s.\n"
    )


def tabulate_first_drawings(found: Report) -> str:
    """Return the heading and table of one resolution's first drawings."""
    first = found["contenders"][0]["name"]
    rows = []
    for contender in found["contenders"]:
        best = min(contender["drawings"], key=lambda drawing: drawing["total_ms"])
        parts = ("engine_ms", "download_ms", "load_ms", "frame_ms", "total_ms")
        times = [f"{best[part]:,.0f}" for part in parts]
        relative = ratio(found["ratios"], contender["name"], first)
        rows.append((contender["name"], f"{contender['bytes'] / 1e6:.2f}", *times, relative))
    header = ("engine", "model MB", "start ms", "download ms", "load ms", "first frame ms", "total ms", f"÷ {first}")
    return f"### {title(found)}\n\n{markdown_table(header, rows)}"


def tabulate_profiles(found: Sequence[Report]) -> str:
    """Return the table of kernels and memory."""
    rows = []
    for profile in found:
        if "failed" in profile:
            rows.append((str(profile["resolution"]), profile["backend"], "", "", profile["failed"].replace("|", r"\|")))
            continue
        kernels = ", ".join(
            f"{count} {name}" for name, count in sorted(profile["kernels"].items(), key=lambda item: -item[1])
        )
        gpu = profile["gpu_bytes"]
        megabytes = "" if gpu is None else f"{gpu / 1e6:,.0f}"
        peak = f"{profile['peak_bytes'] / 1e6:,.0f}"
        rows.append((str(profile["resolution"]), profile["backend"], peak, megabytes, kernels))
    return markdown_table(("resolution", "backend", "peak MB of tensors", "MB allocated on the GPU", "kernels"), rows)


def markdown_page(report: Report) -> str:
    """Return the whole Markdown page."""
    machine = report["machine"]
    versions = {contender["name"]: contender["version"] for contender in report["settings"][0]["contenders"]}
    parts = [
        f"# {report['model']}: how fast each engine draws\n",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB,"
        f" {machine['browser']}; load average {machine['load_average_before']:.2f} before the run.\n"
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}.\n",
        "## Frames\n",
        "From the input in memory to d0 in memory, on wasm in the browser; onnxruntime and openvino run natively. A"
        " ratio is that of the minima, in brackets the median of the rounds' own ratios; above 1 is slower. max |Δ| is"
        " d0's distance from PyTorch's on the photo drawn. The dense product is the engine's own: LiteRT's for LiteRT,"
        " TensorFlow.js' for the others on wasm.\n",
        *map(tabulate_frames, report["settings"]),
        "## First drawing\n",
        "From an empty cache: start of the engine, download from localhost, load, first frame; the best drawing.\n",
        *map(tabulate_first_drawings, report["first_drawings"]),
        "## Kernels and memory\n",
        f"{report['profiles'][0]['contender']} in TensorFlow.js.\n",
        tabulate_profiles(report["profiles"]),
    ]
    return "\n".join(parts)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, required=True, help="JSON of benchmark_model")
    parser.add_argument("--output", type=Path, required=True, help="Markdown to write")
    arguments = parser.parse_args(argv)
    text = markdown_page(json.loads(arguments.report.read_text()))
    with replacing(arguments.output) as staging:
        staging.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    run(main)
