"""What a backend computed on the probe inputs, with all that tells which function it computed."""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from files import replacing, sha256
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Signature:
    """A model's ends as its backend names them: names, shapes, and NCHW or NHWC."""

    input_name: str
    input_shape: list[int]
    output_name: str
    output_shape: list[int]
    layout: str


def nhwc(x: NDArray[Any]) -> NDArray[Any]:
    """[batch, channels, height, width] to [batch, height, width, channels]."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def nchw(x: NDArray[Any]) -> NDArray[Any]:
    """[batch, height, width, channels] to [batch, channels, height, width]."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def arguments_of(description: str | None, argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line that all Python backends share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, required=True, help="the artifact to predict with")
    parser.add_argument("--probes", type=Path, required=True, help="safetensors of make_probe_inputs")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="safetensors to write")
    return parser.parse_args(argv)


def write_predictions(
    arguments: argparse.Namespace,
    signature: Signature,
    predict: Callable[[NDArray[np.float32]], NDArray[Any]],
    package: str,
) -> None:
    """Run `predict` ([1, 3, H, W] float32 to [1, 1, H, W]) on each probe and write d0 under the probe's name.

    The file's metadata name the backend's package and version, the model's digest and its signature.
    """
    outputs: Tensors = {}
    for name, probe in sorted(load_file(arguments.probes).items()):
        outputs[name] = np.ascontiguousarray(predict(probe), dtype=np.float32)
        print(f"{name}: d0 from {outputs[name].min():.6f} to {outputs[name].max():.6f}", flush=True)
    metadata = {
        "backend": f"{package} {version(package)}",
        "model": str(arguments.model),
        "model_sha256": sha256(arguments.model),
        "signature": json.dumps(asdict(signature)),
    }
    save_predictions(arguments.output, outputs, metadata)


def save_predictions(path: Path, outputs: Tensors, metadata: dict[str, str]) -> None:
    """Write d0 by probe name. The metadata stand under one key: safetensors would write several in any order."""
    with replacing(path) as staging:
        # Not save_file: it writes to a hidden file first, under another name each time, which a killed process leaves.
        staging.write_bytes(save(outputs, {"prediction": json.dumps(metadata, sort_keys=True)}))


def read_predictions(path: Path) -> tuple[Tensors, dict[str, str]]:
    """Return d0 by probe name, and the metadata."""
    with safe_open(path, framework="numpy") as file:
        metadata = json.loads(file.metadata()["prediction"])
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, metadata
