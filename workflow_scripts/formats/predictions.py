"""The file of predictions: what a backend computed from the probe inputs, and which function computed it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from workflow_scripts.shared.files import replacing

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Signature:
    """A model's input and output as its backend reports them: names, shapes, and the layout, NCHW or NHWC."""

    input_name: str
    input_shape: list[int]
    output_name: str
    output_shape: list[int]
    layout: str


def save_predictions(path: Path, outputs: Tensors, metadata: dict[str, str]) -> None:
    """Write d0 by probe name. All metadata are under one key, because safetensors writes several keys in any order."""
    with replacing(path) as staging:
        # Not save_file: it writes a hidden file first, under a random name, and a killed process would leave it.
        staging.write_bytes(save(outputs, {"prediction": json.dumps(metadata, sort_keys=True)}))


def read_predictions(path: Path) -> tuple[Tensors, dict[str, str]]:
    """Return d0 by probe name, and the metadata."""
    with safe_open(path, framework="numpy") as file:
        metadata = json.loads(file.metadata()["prediction"])
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, metadata
