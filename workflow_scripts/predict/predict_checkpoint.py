"""Predict with the ONNX file that was brought, as it is, at the size that it declares."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from workflow_scripts.engines.engine import Engine
from workflow_scripts.engines.onnxruntime import ERRORS, open_model
from workflow_scripts.predict.predicting import write_predictions
from workflow_scripts.predict.probe_photos import probe_photos
from workflow_scripts.shared.drawings import preprocess
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

# The side of the inputs of a file that takes any: the public saliency networks were trained at it.
SIDE = 320


def probes_of(sides: Sequence[int] | None) -> dict[str, NDArray[np.float32]]:
    """Return the probe inputs [1, 3, height, width] by name; a file that is not square sees the photos' upper left."""
    height, width = sides or (SIDE, SIDE)
    side = max(height, width)
    return {
        name: np.ascontiguousarray(preprocess(photo, side)[:, :, :height, :width])
        for name, photo in probe_photos(side).items()
    }


def as_d0(engine: Engine, source: dict[str, Any]) -> Engine:
    """Return the file as other engines are: one image in float32 in, d0 out."""
    kind = np.dtype(source["input"]["type"])

    def predict(probe: NDArray[np.float32]) -> NDArray[Any]:
        batch = np.repeat(probe, source["input"]["batch"] or 1, axis=0).astype(kind)
        output = engine.predict(batch)[:1].astype(np.float32)
        return 1 / (1 + np.exp(-output)) if source["logits"] else output

    return replace(engine, predict=predict)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the ONNX file")
    parser.add_argument("--source", type=Path, required=True, help="how read_checkpoint read it")
    parser.add_argument("--probes", type=Path, required=True, help="safetensors to write: the inputs")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="safetensors to write: d0 of each")
    arguments = parser.parse_args(argv)
    source = json.loads(arguments.source.read_text())
    with replacing(arguments.probes) as staging:
        staging.write_bytes(save(probes_of(source["input"]["sides"])))
    try:
        engine = open_model(arguments.model, arguments.threads, source["output"])
        write_predictions(arguments, as_d0(engine, source))
    except ERRORS as error:
        why = " ".join(str(error).split())[:300]
        raise Failure(
            f"ONNX Runtime cannot run {arguments.model}, so nothing can be compared with it: {why}"
        ) from error


if __name__ == "__main__":
    run(main)
