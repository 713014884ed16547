"""The TensorFlow.js converter, called inside this process."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.processes import ENVIRONMENT
from workflow_scripts.shared.tensorflow_parts import import_whole

# The converter imports these for other formats than frozen graphs. With what they require they would take 0.9 GB, so
# envs/tensorflow.overrides leaves them out, and empty modules stand in for them.
UNUSED = ("jax", "jax.experimental", "jax.experimental.jax2tf", "tensorflow_decision_forests")


def load_converter() -> Callable[..., None]:
    """Return the converter's function for frozen graphs, which takes what its command line takes."""
    # Read when TensorFlow is imported, as it is below.
    os.environ.update(ENVIRONMENT)
    import_whole()
    for name in UNUSED:
        module = sys.modules.setdefault(name, ModuleType(name))
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_frozen_model

    convert: Callable[..., None] = convert_tf_frozen_model
    return convert


def convert_frozen_graph(graph: Path, output_name: str, folder: Path, shard_bytes: int) -> None:
    """Write a frozen graph as a TensorFlow.js graph model: `folder`/model.json and its weight shards.

    Raises Failure if the converter refuses the graph, as it does if TensorFlow.js lacks one of its operations.
    """
    try:
        load_converter()(str(graph), output_name, str(folder), weight_shard_size_bytes=shard_bytes)
    except ValueError as error:
        raise Failure(f"TensorFlow.js' converter refuses {graph}: {' '.join(str(error).split())}") from error
