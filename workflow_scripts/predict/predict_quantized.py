"""Predict with a quantized TensorFlow.js model in TensorFlow: the model's own graph and the weights that it loads.

This takes a fifth of the time that the model takes in WebAssembly. check_loading proves that TensorFlow.js computes
this graph with these weights, and predict_tfjs that it computes this graph as other engines do (docs/checks.md).
"""

import json
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.json_format import ParseDict, ParseError

from workflow_scripts.engines.tensorflow import open_graph
from workflow_scripts.formats.frozen_graph import GraphDef
from workflow_scripts.formats.tfjs_model import loaded_values, model_digest, read_weights
from workflow_scripts.predict.predicting import arguments_of, write_predictions
from workflow_scripts.shared.failures import Failure, run

# isort: split
from tensorflow.python.framework.tensor_util import make_tensor_proto


def read_graph_model(folder: Path) -> GraphDef:
    """Return a TensorFlow.js model as TensorFlow's graph. Raises Failure unless each constant is a stored weight."""
    weights = {
        specification["name"]: loaded_values(specification, stored) for specification, stored in read_weights(folder)
    }
    try:
        graph = ParseDict(json.loads((folder / "model.json").read_text())["modelTopology"], GraphDef())
    except (ParseError, KeyError) as error:
        raise Failure(f"{folder / 'model.json'} holds no graph of TensorFlow: {error}") from error
    constants = {node.name for node in graph.node if node.op == "Const"}
    if odd := sorted(constants ^ weights.keys()):
        raise Failure(f"{folder / 'model.json'}: {odd[0]} is a constant without values or a weight that nothing reads")
    for node in graph.node:
        if node.op == "Const":
            # model.json leaves out the values: the shards hold them.
            node.attr["value"].tensor.CopyFrom(make_tensor_proto(weights[node.name]))
    return graph


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    engine = open_graph(read_graph_model(arguments.model), arguments.threads)
    write_predictions(arguments, engine, model_digest(arguments.model))


if __name__ == "__main__":
    run(main)
