"""Convert the optimized graph to a TensorFlow.js graph model of one dtype."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from commands import run
from files import replacing
from tfjs_models import SHARD_BYTES
from tools import run_tool

DTYPES = ("float32", "float16", "uint16", "uint8")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph with output node d0")
    parser.add_argument("--dtype", choices=DTYPES, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for model.json and its shards")
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        model = staging / "model.json"
        run_tool(
            "tensorflowjs_converter",
            "--input_format=tf_frozen_model",
            "--output_format=tfjs_graph_model",
            "--output_node_names=d0",
            f"--weight_shard_size_bytes={SHARD_BYTES}",
            *([] if arguments.dtype == "float32" else [f"--quantize_{arguments.dtype}=*"]),
            str(arguments.graph),
            str(staging),
            expected=model,
        )
        # The converter writes protobuf maps in an order of its own each time.
        content = json.loads(model.read_text())
        model.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))


if __name__ == "__main__":
    run(main)
