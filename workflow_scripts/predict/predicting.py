"""What the predict scripts share: their command line, and the file of predictions that they write."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from workflow_scripts.engines.engine import Engine
from workflow_scripts.formats.predictions import Tensors, save_predictions
from workflow_scripts.shared.files import files_in, read_by, sha256


def arguments_of(description: str | None, argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line that all predict scripts in Python share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, required=True, help="the artifact to predict with")
    parser.add_argument("--probes", type=Path, required=True, help="safetensors of make_probe_inputs")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="safetensors to write")
    return parser.parse_args(argv)


def model_files(model: Path) -> list[Path]:
    """Return every file of a model: an IR is two, its graph and its weights."""
    return [model, model.with_suffix(".bin")] if model.suffix == ".xml" else files_in(model)


def write_predictions(arguments: argparse.Namespace, engine: Engine, model_sha256: str | None = None) -> None:
    """Predict each probe and write its d0 under the probe's name.

    The file's metadata say what made it: the engine's package and version, the model's digest and its signature, and
    the digest of every file that was read. `model_sha256` is needed if the model is a folder.
    """
    outputs: Tensors = {}
    for name, probe in sorted(load_file(arguments.probes).items()):
        outputs[name] = np.ascontiguousarray(engine.predict(probe), dtype=np.float32)
        print(f"{name}: d0 from {outputs[name].min():.6f} to {outputs[name].max():.6f}", flush=True)
    metadata = {
        "backend": f"{engine.package} {version(engine.package)}",
        "model": str(arguments.model),
        "model_sha256": model_sha256 or sha256(arguments.model),
        "read": json.dumps(read_by(arguments.output, [*model_files(arguments.model), arguments.probes])),
        "signature": json.dumps(asdict(engine.signature)),
    }
    save_predictions(arguments.output, outputs, metadata)
