"""Convert the frozen graph to TensorFlow.js as one would by hand: with the converter alone, without our rewrites."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.convert.tfjs_converter import convert_frozen_graph
from workflow_scripts.formats.frozen_graph import ends, read_graph
from workflow_scripts.formats.tfjs_model import SHARD_BYTES
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph of openvino2tensorflow")
    parser.add_argument("--output", type=Path, required=True, help="folder for model.json and its shards")
    arguments = parser.parse_args(argv)
    _, output_name = ends(read_graph(arguments.graph))
    with replacing(arguments.output) as staging:
        convert_frozen_graph(arguments.graph, output_name, staging, SHARD_BYTES)


if __name__ == "__main__":
    run(main)
