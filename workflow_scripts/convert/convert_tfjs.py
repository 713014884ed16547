"""Convert the optimized graph to a TensorFlow.js graph model in float32."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.formats.tfjs_model import SHARD_BYTES, write_model
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.processes import run_tool


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph with output node d0")
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
            str(arguments.graph),
            str(staging),
            expected=model,
        )
        # The converter writes protobuf maps in another order each time.
        write_model(model, json.loads(model.read_text()))


if __name__ == "__main__":
    run(main)
