"""Check that every artifact on the way computes what PyTorch computes: names, then shapes, then values."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workflow_scripts.check.limits import Limits, Tolerance, exceeded, read_limits
from workflow_scripts.formats.predictions import Tensors, read_predictions
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import read_by, write_report
from workflow_scripts.shared.metrics import compare

# openvino2tensorflow gives the input and output names of its own. optimize_graph restores ours.
NAMES = {"tensorflow-frozen": ("inputs", "Identity")}
# The hop from the user's file to the network that was read from it.
FUNCTION = "checkpoint"


def check_signature(signature: Mapping[str, Any], hop: str, resolution: int) -> list[str]:
    """Return what is wrong with a backend's input and output names and shapes."""
    if hop == FUNCTION:
        # The user's file keeps its own names for input and output, and its sizes may be open.
        return []
    problems = []
    names = (signature["input_name"], signature["output_name"])
    expected_names = NAMES.get(hop, ("x", "d0"))
    if names != expected_names:
        problems.append(f"its ends are named {names}, expected {expected_names}")
    size = [resolution, resolution]
    shapes = (signature["input_shape"], signature["output_shape"])
    expected_shapes = {"NCHW": ([1, 3, *size], [1, 1, *size]), "NHWC": ([1, *size, 3], [1, *size, 1])}
    if shapes != expected_shapes[signature["layout"]]:
        problems.append(
            f"its {signature['layout']} shapes are {shapes}, expected {expected_shapes[signature['layout']]}"
        )
    return problems


def check_hop(
    hop: str,
    predictions: tuple[Tensors, dict[str, str]],
    reference: Tensors,
    previous: Tensors,
    tolerance: Tolerance,
    task: str,
    resolution: int,
) -> dict[str, Any]:
    """Compare one backend's d0 on every probe with PyTorch's and with the previous hop's. Return the report."""
    found, metadata = predictions
    signature = json.loads(metadata["signature"])
    problems = check_signature(signature, hop, resolution)
    if found.keys() != reference.keys():
        problems.append(f"it predicted probes {sorted(found)}, expected {sorted(reference)}")
    probes: dict[str, dict[str, float]] = {}
    step = 0.0
    for name in sorted(found.keys() & reference.keys()):
        if found[name].shape != reference[name].shape:
            problems.append(f"{name}: shape {found[name].shape}, expected {reference[name].shape}")
        elif not np.isfinite(found[name]).all():
            problems.append(f"{name}: NaN or infinite values")
        else:
            probes[name] = asdict(compare(found[name], reference[name], task))
            problems += [f"{name}: {problem}" for problem in exceeded(probes[name], tolerance)]
            if previous[name].shape == found[name].shape and np.isfinite(previous[name]).all():
                step = max(step, float(np.abs(found[name] - previous[name]).max()))
    return {
        "hop": hop,
        **{key: metadata[key] for key in ("backend", "model", "model_sha256")},
        **({"peak_bytes": int(metadata["peak_bytes"])} if "peak_bytes" in metadata else {}),
        "signature": signature,
        "tolerance": dict(tolerance),
        "probes": probes,
        "worst": worst(probes),
        "max_abs_from_previous_hop": step,
        "problems": problems,
        "passed": not problems,
    }


def proof_of(
    hop: str, metadata: Mapping[str, str], loading: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]]:
    """Return by what a hop is proven, for its report, and what is missing from the proof.

    A TensorFlow.js model is proven by what TensorFlow.js holds after loading it, too: see check_loading. If another
    engine predicted with it, that is all that ties its predictions to TensorFlow.js.
    """
    proof: dict[str, Any] = {"predicted_with": metadata["backend"]}
    if not hop.startswith("tfjs-"):
        return proof, []
    loaded = loading and loading["models"].get(hop)
    if loading is None or loaded is None or loaded["model_sha256"] != metadata["model_sha256"]:
        return proof, ["no report says that TensorFlow.js loads exactly this model; build loading.json again"]
    return {
        **proof,
        "loaded_with": loaded["loaded_with"],
        "tensors_equal": loaded["tensors"],
        "graph_of": loading["graph_of"],
    }, []


def check_function(paths: Sequence[Path], limits: Limits, task: str, resolution: int) -> dict[str, Any]:
    """Compare what the user's file computes with what the network computes that was read from it. Return the report.

    `paths` are the predictions of both and the source.json of read_checkpoint. A file that computes in half precision
    has limits of its own, because it rounds each feature map to half precision.
    """
    own, rebuilt, source = paths
    precision = json.loads(source.read_text())["precision"]
    key = FUNCTION if precision == "float32" else f"{FUNCTION}-{precision}"
    reference, _ = read_predictions(rebuilt)
    return check_hop(FUNCTION, read_predictions(own), reference, reference, limits.of(key), task, resolution)


def problem_of(hop: Mapping[str, Any]) -> str:
    """Say from what the first differing hop differs, and by how much."""
    if hop["hop"] == FUNCTION:
        return f"the network read from the file that was brought is not what this file computes: {hop['problems'][0]}"
    return f"{hop['hop']} is the first hop to differ from PyTorch: {hop['problems'][0]}"


def worst(probes: Mapping[str, Mapping[str, float]]) -> dict[str, float] | None:
    """Return the worst of each figure over the probes: the lowest PSNR and SSIM, and the highest of all others."""
    figures = list(probes.values())
    if not figures:
        return None
    return {name: (min if name.startswith("drawing") else max)(each[name] for each in figures) for name in figures[0]}


def table(hops: Sequence[Mapping[str, Any]]) -> str:
    """Return a table with one line per hop: the worst figures over its probes."""
    lines = [f"{'hop':<22}{'max |Δ|':>10}{'p99 |Δ|':>10}{'PSNR dB':>9}{'SSIM':>9}  passed"]
    for hop in hops:
        figures = hop["worst"] or dict.fromkeys(("max_abs", "p99_abs", "drawing_psnr_db", "drawing_ssim"), float("nan"))
        lines.append(
            f"{hop['hop']:<22}{figures['max_abs']:>10.1e}{figures['p99_abs']:>10.1e}"
            f"{figures['drawing_psnr_db']:>9.1f}{figures['drawing_ssim']:>9.5f}  {hop['passed']}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="PyTorch's predictions")
    parser.add_argument(
        "--function",
        type=Path,
        nargs=3,
        help="of a checkpoint that is a function: its own predictions, those of the network read from it, source.json",
    )
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="in the order of the hops")
    parser.add_argument("--loading", type=Path, help="report of check_loading; tfjs hops need it")
    parser.add_argument("--tolerances", type=json.loads, required=True, help="JSON: `tolerances` of config.yaml")
    parser.add_argument("--rounding", type=Path, required=True, help="report of measure_rounding at this resolution")
    parser.add_argument("--task", choices=("portrait", "drawing", "saliency"), required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    reference, metadata = read_predictions(arguments.reference)
    if not all(np.isfinite(d0).all() for d0 in reference.values()):
        raise Failure(f"PyTorch itself predicts NaN or infinite values with {metadata['model']}")
    limits = read_limits(arguments.tolerances, arguments.rounding)
    hops: list[dict[str, Any]] = []
    if arguments.function:
        hops.append(check_function(arguments.function, limits, arguments.task, arguments.resolution))
    loading = json.loads(arguments.loading.read_text()) if arguments.loading else None
    if loading and loading["passed"] is not True:
        raise Failure(f"{arguments.loading} did not pass")
    previous = reference
    for path in arguments.predictions:
        found = read_predictions(path)
        tolerance = limits.of(path.stem)
        hop = check_hop(path.stem, found, reference, previous, tolerance, arguments.task, arguments.resolution)
        hop["proof"], missing = proof_of(path.stem, found[1], loading)
        hop["problems"] += missing
        hop["passed"] = not hop["problems"]
        hops.append(hop)
        # Each dtype is converted from the optimized graph, not from the dtype listed before it.
        if not path.stem.startswith(("tfjs-", "litert-")):
            previous = {**reference, **found[0]}
    report = {
        "resolution": arguments.resolution,
        "task": arguments.task,
        "reference": {key: metadata[key] for key in ("backend", "model", "model_sha256")},
        "rounding": json.loads(arguments.rounding.read_text())["worst"],
        "hops": hops,
        "read": read_by(
            arguments.output,
            [
                *(arguments.reference, arguments.rounding),
                *([arguments.loading] if arguments.loading else []),
                *(arguments.function or []),
                *arguments.predictions,
            ],
        ),
        "passed": all(hop["passed"] for hop in hops),
    }
    print(table(hops))
    first = next((hop for hop in hops if not hop["passed"]), None)
    write_report(arguments.output, report, problem_of(first) if first else None)


if __name__ == "__main__":
    run(main)
