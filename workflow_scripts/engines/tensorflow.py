"""TensorFlow on the CPU."""

from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from numpy.typing import NDArray

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.frozen_graph import ends, read_graph
from workflow_scripts.formats.predictions import Signature
from workflow_scripts.shared.layouts import nchw, nhwc


def open_model(model: Path, threads: int) -> Engine:
    """Open a frozen graph of one input and one output. Its session stays open until the process ends."""
    definition = read_graph(model)
    input_name, output_name = ends(definition)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    x = graph.get_tensor_by_name(f"{input_name}:0")
    d0 = graph.get_tensor_by_name(f"{output_name}:0")
    options = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
    session = tf.Session(graph=graph, config=options)

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        return nchw(session.run(d0, {x: nhwc(probe)}))

    signature = Signature(input_name, x.shape.as_list(), output_name, d0.shape.as_list(), "NHWC")
    return Engine("tensorflow-cpu", signature, predict)
