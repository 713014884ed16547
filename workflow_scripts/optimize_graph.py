"""Prune the frozen graph to what computes d0 from x, and give both ends their names."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from commands import run
from files import replacing
from graphs import GraphDef, ends, read_graph


def optimize_graph(graph: GraphDef) -> GraphDef:
    """Return the same function without unused and Identity nodes; input x, output d0, both NHWC.

    Raises Failure unless the graph has one input and one output.
    """
    input_name, output_name = ends(graph)
    nodes = {node.name: node for node in graph.node}

    def source(name: str) -> str:
        while nodes[name].op == "Identity":
            name = nodes[name].input[0]
        return name

    names = {input_name: "x", source(output_name): "d0"}
    reached: set[str] = set()
    frontier = [source(output_name)]
    while frontier:
        name = frontier.pop()
        if name not in reached:
            reached.add(name)
            frontier.extend(source(consumed) for consumed in nodes[name].input)
    pruned = GraphDef(versions=graph.versions)
    for node in graph.node:
        if node.name in reached:
            kept = pruned.node.add()
            kept.CopyFrom(node)
            kept.name = names.get(node.name, node.name)
            sources = [source(consumed) for consumed in node.input]
            kept.input[:] = [names.get(name, name) for name in sources]
    return pruned


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph of freeze_graph")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    optimized = optimize_graph(read_graph(arguments.graph))
    with replacing(arguments.output) as staging:
        staging.write_bytes(optimized.SerializeToString(deterministic=True))


if __name__ == "__main__":
    run(main)
