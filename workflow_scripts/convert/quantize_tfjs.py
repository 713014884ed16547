"""Store a TensorFlow.js model's float32 weights in fewer bits, with the same bytes as tensorflowjs_converter."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.formats.tfjs_model import Specification, read_weights, write_weights
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def quantize(values: NDArray[np.float32], dtype: str) -> tuple[dict[str, str | float], bytes]:
    """Return a weight's `quantization` entry and its stored bytes; dtype is float16, uint16 or uint8.

    Integers divide the range of the whole tensor into equal steps: value = stored * scale + min. If the range holds 0,
    the steps are shifted so that 0 is one of them. The arithmetic is that of tensorflowjs 4.22.0,
    tensorflowjs/quantization.py, and so is every bit of the result.
    """
    if dtype == "float16":
        return {"dtype": dtype}, values.astype(np.float16).tobytes()
    # As tensorflowjs does it: the range in double precision, the division of the float32 tensor in single precision.
    low, high = float(values.min()), float(values.max())
    if low == high:
        return {"dtype": dtype, "min": low, "scale": 1.0}, np.zeros_like(values, dtype).tobytes()
    steps = np.iinfo(dtype).max
    scale = (high - low) / steps
    if low <= 0 <= high:
        low = -float(round((0 - low) / scale)) * scale
        high = steps * scale + low
    stored = np.round((values.clip(low, high) - low) / scale).astype(dtype)
    return {"dtype": dtype, "min": low, "scale": scale}, stored.tobytes()


def quantize_weight(specification: Specification, stored: bytes, dtype: str) -> tuple[Specification, bytes]:
    """Quantize one weight of a float32 model. Integer constants stay as they are."""
    if specification["dtype"] != "float32":
        return specification, stored
    quantization, data = quantize(np.frombuffer(stored, np.float32), dtype)
    return {**specification, "quantization": {**quantization, "original_dtype": "float32"}}, data


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the float32 model")
    parser.add_argument("--dtype", choices=("float16", "uint16", "uint8"), required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for model.json and its shards")
    arguments = parser.parse_args(argv)
    weights = [quantize_weight(*weight, arguments.dtype) for weight in read_weights(arguments.model)]
    with replacing(arguments.output) as staging:
        write_weights(staging, json.loads((arguments.model / "model.json").read_text()), weights)


if __name__ == "__main__":
    run(main)
