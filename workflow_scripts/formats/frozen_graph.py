"""Frozen TensorFlow graphs on disk."""

from pathlib import Path

from google.protobuf.message import DecodeError

from workflow_scripts.shared import tensorflow_parts  # noqa: F401
from workflow_scripts.shared.failures import Failure

# isort: split
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

__all__ = ["GraphDef", "NodeDef", "ends", "prune_graph", "read_graph"]


def read_graph(path: Path) -> GraphDef:
    """Parse a binary GraphDef; raise Failure if the file is something else."""
    graph = GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise Failure(f"{path} is not a frozen TensorFlow graph: {error}") from error
    return graph


def ends(graph: GraphDef) -> tuple[str, str]:
    """Return the names of the graph's input and output: its only placeholder, and the only node that no node consumes.

    Raises Failure if there is more than one of either.
    """
    consumed = {name.removeprefix("^").partition(":")[0] for node in graph.node for name in node.input}
    inputs = [node.name for node in graph.node if node.op == "Placeholder"]
    outputs = [node.name for node in graph.node if node.name not in consumed and node.op != "NoOp"]
    if len(inputs) != 1 or len(outputs) != 1:
        raise Failure(f"the graph has inputs {inputs} and outputs {outputs}, expected one of each")
    return inputs[0], outputs[0]


def prune_graph(graph: GraphDef, input_name: str, output_name: str) -> GraphDef:
    """Return the part of the graph that computes `output_name` from `input_name`, without Identity nodes.

    The input is renamed x and the output d0. Raises Failure if a node of that part has a control input, or consumes
    another output than a first one: an inference graph of one input and one output has neither.
    """
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
            if strange := [consumed for consumed in nodes[name].input if consumed not in nodes]:
                raise Failure(
                    f"{name} ({nodes[name].op}) consumes {strange[0]}, which is not the first output of a node"
                )
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
