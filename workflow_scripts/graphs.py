"""Frozen TensorFlow graphs on disk."""

import os
from pathlib import Path

from commands import Failure
from google.protobuf.message import DecodeError

# Read before TensorFlow is imported: graphs are rewritten and checked on the CPU, quietly.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from tensorflow.core.framework.graph_pb2 import GraphDef

__all__ = ["GraphDef", "ends", "read_graph"]


def read_graph(path: Path) -> GraphDef:
    """Parse a binary GraphDef; raise Failure where the file is none."""
    graph = GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise Failure(f"{path} is not a frozen TensorFlow graph: {error}") from error
    return graph


def ends(graph: GraphDef) -> tuple[str, str]:
    """Return the names of the graph's only placeholder and of the only node that nothing consumes."""
    consumed = {name.removeprefix("^").partition(":")[0] for node in graph.node for name in node.input}
    inputs = [node.name for node in graph.node if node.op == "Placeholder"]
    outputs = [node.name for node in graph.node if node.name not in consumed and node.op != "NoOp"]
    if len(inputs) != 1 or len(outputs) != 1:
        raise Failure(f"the graph has inputs {inputs} and outputs {outputs}, expected one of each")
    return inputs[0], outputs[0]
