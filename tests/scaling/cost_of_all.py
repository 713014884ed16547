"""Measure what `all` costs beside the same tools by hand: wall time, CPU time, memory.

Run `python -m tests.scaling.cost_of_all` in a clone whose environments are installed and that has no results.
The tools by hand check nothing, and run one after the other, as one would call them.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.costs import Cost, measure

ROOT = Path(__file__).resolve().parents[2]
TENSORFLOW = ".venvs/tensorflow/bin"
# openvino2tensorflow and tensorflowjs are written for Keras 2.
ENVIRONMENT = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
CONVERT = """
import sys
from workflow_scripts.convert.tfjs_converter import load_converter
graph, folder, name, *quantized = sys.argv[1:]
load_converter()(graph, name, folder, quantization_dtype_map={dtype: True for dtype in quantized} or None)
"""
LITE = """
import sys
import tensorflow
graph, path, *names = sys.argv[1:]
converter = tensorflow.compat.v1.lite.TFLiteConverter.from_frozen_graph(graph, names[:1], names[1:])
open(path, "wb").write(converter.convert())
"""
EXPORT = """
import sys
import torch
from workflow_scripts.shared.load_network import load_network
weights, path, resolution = sys.argv[1:]
torch.onnx.export(load_network(weights), (torch.zeros(1, 3, int(resolution), int(resolution)),), path, dynamo=False,
    opset_version=11, input_names=["x"], output_names=["d0"])
"""
NAMES = """
import pathlib, sys
from workflow_scripts.formats.frozen_graph import ends, read_graph
print(*ends(read_graph(pathlib.Path(sys.argv[1]))))
"""


def tool(*command: str) -> Cost:
    """Run a tool in the clone."""
    return measure(command, ROOT, ENVIRONMENT)[0]


def by_hand(weights: str, resolution: int, folder: Path) -> Cost:
    """Convert one resolution with the tools themselves: float32 and uint16 for TensorFlow.js, float32 for LiteRT."""
    python = f"{TENSORFLOW}/python"
    onnx, simple, graph = f"{folder}/model.onnx", f"{folder}/simple.onnx", f"{folder}/model_float32.pb"
    cost = tool(".venvs/torch/bin/python", "-c", EXPORT, weights, onnx, str(resolution))
    cost += tool(".venvs/onnx/bin/onnxsim", onnx, simple)
    cost += tool(
        f"{TENSORFLOW}/mo",
        f"--input_model={simple}",
        f"--output_dir={folder}",
        "--model_name=model",
        "--compress_to_fp16=False",
    )
    cost += tool(
        f"{TENSORFLOW}/openvino2tensorflow",
        f"--model_path={folder}/model.xml",
        f"--model_output_path={folder}",
        "--output_pb",
        "--non_verbose",
    )
    named = subprocess.run([python, "-c", NAMES, graph], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    names = named.stdout.split()
    cost += tool(python, "-c", CONVERT, graph, f"{folder}/float32", names[1])
    cost += tool(python, "-c", CONVERT, graph, f"{folder}/uint16", names[1], "uint16")
    cost += tool(python, "-c", LITE, graph, f"{folder}/model.tflite", *names)
    return cost


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="u2netp")
    parser.add_argument("--resolutions", type=int, nargs="+", default=[192, 256, 320, 512, 1024])
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args(argv)
    results = ROOT / "results" / arguments.model
    if results.exists():
        sys.exit(f"{results} exists: `all` would not make what is there. Run this in a fresh clone.")
    sizes = f"resolutions={arguments.resolutions}"
    command = ["snakemake", "--cores", str(arguments.cores), "all", "--config", f"model={arguments.model}", sizes]
    costs = {"`all`": tool(sys.executable, "-m", *command)}
    weights = f"results/{arguments.model}/checkpoint/weights.safetensors"
    for resolution in arguments.resolutions:
        with tempfile.TemporaryDirectory(dir=ROOT / "results") as folder:
            cost = by_hand(weights, resolution, Path(folder))
        costs["by hand"] = costs["by hand"] + cost if "by hand" in costs else cost
    hand = costs["by hand"]
    print("| | wall seconds | × | CPU seconds | × | largest process, MB |\n|---|---|---|---|---|---|")
    for name, cost in costs.items():
        wall, cpu = cost.wall_seconds / hand.wall_seconds, cost.cpu_seconds / hand.cpu_seconds
        cells = (name, f"{cost.wall_seconds:.0f}", f"{wall:.2f}", f"{cost.cpu_seconds:.0f}", f"{cpu:.2f}")
        print(f"| {' | '.join(cells)} | {cost.peak_mb:.0f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
