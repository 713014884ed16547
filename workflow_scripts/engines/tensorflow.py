"""TensorFlow on the CPU."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.frozen_graph import GraphDef, ends, read_graph
from workflow_scripts.formats.predictions import Signature
from workflow_scripts.shared.layouts import nchw, nhwc

# isort: split
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.python.client.session import Session
from tensorflow.python.framework.importer import import_graph_def
from tensorflow.python.framework.ops import Graph


def open_model(model: Path, threads: int) -> Engine:
    """Open a frozen graph of one input and one output. Its session stays open until the process ends."""
    return open_graph(read_graph(model), threads)


def open_graph(definition: GraphDef, threads: int) -> Engine:
    """Open a graph that is in memory, as `open_model` opens one on disk."""
    input_name, output_name = ends(definition)
    graph = Graph()
    with graph.as_default():
        import_graph_def(definition, name="")
    x = graph.get_tensor_by_name(f"{input_name}:0")
    d0 = graph.get_tensor_by_name(f"{output_name}:0")
    options = ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
    session = Session(graph=graph, config=options)

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        return nchw(session.run(d0, {x: nhwc(probe)}))

    signature = Signature(input_name, x.shape.as_list(), output_name, d0.shape.as_list(), "NHWC")
    return Engine("tensorflow-cpu", signature, predict)
