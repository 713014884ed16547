"""Convert the optimized graph to a TensorFlow.js graph model in float32."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.convert.tfjs_converter import convert_frozen_graph
from workflow_scripts.formats.frozen_graph import read_graph
from workflow_scripts.formats.tfjs_model import SHARD_BYTES, write_model
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph with output node d0")
    parser.add_argument("--output", type=Path, required=True, help="folder for model.json and its shards")
    arguments = parser.parse_args(argv)
    read_graph(arguments.graph)
    with replacing(arguments.output) as staging:
        model = staging / "model.json"
        convert_frozen_graph(arguments.graph, "d0", staging, SHARD_BYTES)
        # The converter writes protobuf maps in another order each time.
        write_model(model, json.loads(model.read_text()))


if __name__ == "__main__":
    run(main)
