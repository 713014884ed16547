"""Predict with TensorFlow from a frozen graph."""

from collections.abc import Sequence

import numpy as np
import tensorflow.compat.v1 as tf
from commands import run
from graphs import ends, read_graph
from numpy.typing import NDArray
from predictions import Signature, arguments_of, nchw, nhwc, write_predictions


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    definition = read_graph(arguments.model)
    input_name, output_name = ends(definition)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    x = graph.get_tensor_by_name(f"{input_name}:0")
    d0 = graph.get_tensor_by_name(f"{output_name}:0")
    options = tf.ConfigProto(intra_op_parallelism_threads=arguments.threads, inter_op_parallelism_threads=1)
    with tf.Session(graph=graph, config=options) as session:

        def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
            return nchw(session.run(d0, {x: nhwc(probe)}))

        signature = Signature(input_name, x.shape.as_list(), output_name, d0.shape.as_list(), "NHWC")
        write_predictions(arguments, signature, predict, "tensorflow")


if __name__ == "__main__":
    run(main)
