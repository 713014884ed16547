"""Make a .tflite file of one dense matrix product: its speed is the best that LiteRT.js reaches on a machine."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

SEED = 1


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, required=True, help="rows and columns of both factors")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    shape = (arguments.side, arguments.side)
    weights = tf.constant(np.random.default_rng(SEED).uniform(-1, 1, shape).astype(np.float32))
    product = tf.function(lambda x: tf.matmul(x, weights), input_signature=[tf.TensorSpec(shape, tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([product.get_concrete_function()])
    with replacing(arguments.output) as staging:
        staging.write_bytes(converter.convert())


if __name__ == "__main__":
    run(main)
