"""Convert the optimized graph to a float32 .tflite file."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from commands import run
from files import replacing
from tensorflow.compat.v1.lite import TFLiteConverter


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph with input x and output d0")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    converter = TFLiteConverter.from_frozen_graph(str(arguments.graph), ["x"], ["d0"])
    with replacing(arguments.output) as staging:
        staging.write_bytes(converter.convert())


if __name__ == "__main__":
    run(main)
