"""Rewrite the frozen graph into fewer, faster operations, prune it, and name its input x and its output d0."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.convert.rewrite_graph import rewrite_graph
from workflow_scripts.formats.frozen_graph import read_graph
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph of freeze_graph")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    optimized = rewrite_graph(read_graph(arguments.graph))
    with replacing(arguments.output) as staging:
        staging.write_bytes(optimized.SerializeToString(deterministic=True))


if __name__ == "__main__":
    run(main)
