"""Convert the optimized graph to a .tflite file of one dtype. LiteRT runs it, natively and in the browser."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.formats.frozen_graph import read_graph
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

# isort: split
from tensorflow.lite.python.convert import ConverterError
from tensorflow.lite.python.lite import Optimize, TFLiteConverter
from tensorflow.python.framework.dtypes import float16

DTYPES = ("float32", "float16")


def convert(graph: Path, dtype: str) -> bytes:
    """Return the .tflite file of a frozen graph with input x and output d0, both float32 NHWC.

    float16 is TensorFlow's post-training float16 quantization: weights take half the bytes, and all arithmetic stays in
    float32. Equal graphs give equal bytes: the converter writes a digest of the graph and its own version, which the
    lock file pins, but no date and no path. Raises Failure if the graph cannot be converted.
    """
    try:
        converter = TFLiteConverter.from_frozen_graph(str(graph), ["x"], ["d0"])
        if dtype == "float16":
            converter.optimizations = [Optimize.DEFAULT]
            converter.target_spec.supported_types = [float16]
        model: bytes = converter.convert()
    except (ValueError, ConverterError) as error:
        raise Failure(f"{graph} cannot be converted to {dtype}: {str(error).splitlines()[0]}") from error
    return model


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=Path, required=True, help="frozen graph with input x and output d0")
    parser.add_argument("--dtype", choices=DTYPES, required=True)
    parser.add_argument("--output", type=Path, required=True, help=".tflite file to write")
    arguments = parser.parse_args(argv)
    # A clear refusal first: TensorFlow's own reader would try any other file as a graph in text form.
    read_graph(arguments.graph)
    model = convert(arguments.graph, arguments.dtype)
    with replacing(arguments.output) as staging:
        staging.write_bytes(model)


if __name__ == "__main__":
    run(main)
