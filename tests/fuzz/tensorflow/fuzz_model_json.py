"""Graph models of TensorFlow.js before they are shared, with changed values in model.json and changed shards."""

import json
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzzing import HOSTILE_TEXTS, Watch, changed, damaged, fuzz, instrument, short

instrument("workflow_scripts.formats.tfjs_model")

from workflow_scripts.formats.tfjs_model import read_weights
from workflow_scripts.shared.failures import Failure

WATCH = Watch()
SHARDS = {f"group1-shard{number}of2.bin": bytes(range(64)) for number in (1, 2)}
WEIGHTS: list[dict[str, Any]] = [
    {"name": "kernel", "shape": [2, 2, 1, 4], "dtype": "float32"},
    {"name": "size", "shape": [2], "dtype": "int32"},
    {
        "name": "half",
        "shape": [3, 4],
        "dtype": "float32",
        "quantization": {"dtype": "float16", "original_dtype": "float32"},
    },
    {
        "name": "small",
        "shape": [16],
        "dtype": "float32",
        "quantization": {"dtype": "uint16", "min": -1.5, "scale": 0.5, "original_dtype": "float32"},
    },
]
MODEL = {
    "format": "graph-model",
    "modelTopology": {"node": []},
    "weightsManifest": [{"paths": list(SHARDS), "weights": WEIGHTS}],
}


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Make a model.json with other values or other bytes, but without line ends that json.dumps would not write."""
    text = json.dumps(draw(changed(deepcopy(MODEL)))).encode()
    return draw(damaged(text, 2))


@short
@given(texts(), st.sampled_from([*SHARDS.values(), b"", bytes(5_000_000)]), st.sampled_from([None, *HOSTILE_TEXTS[:4]]))
def test_model_json(text: bytes, shard: bytes, path: str | None) -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "model")
        folder.mkdir()
        # A path that leads out of the folder would find this file.
        Path(parent, "passwd").write_bytes(bytes(64))
        if path is not None:
            text = text.replace(b"group1-shard2of2.bin", path.encode())
        for name in SHARDS:
            (folder / name).write_bytes(shard if name == "group1-shard1of2.bin" else SHARDS[name])
        (folder / "model.json").write_bytes(text)
        with WATCH.reading(Path(parent), Failure):
            weights = read_weights(folder)
            assert sum(len(data) for _, data in weights) <= len(shard) + 64


if __name__ == "__main__":
    fuzz(test_model_json)
