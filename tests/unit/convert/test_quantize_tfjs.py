import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workflow_scripts.convert.quantize_tfjs import main
from workflow_scripts.formats.tfjs_model import SHARD_BYTES, read_weights, write_weights

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
RANDOM = np.random.default_rng(5)
# More than one shard in float32; a range without 0; a range that starts at 0; a single value.
WEIGHTS: dict[str, NDArray[Any]] = {
    "kernel": RANDOM.normal(0, 0.05, (3, 3, 3, 40_000)).astype(np.float32),
    "axis": np.array(-3, np.int32),
    "positive": RANDOM.uniform(1, 2, 1000).astype(np.float32),
    "from_zero": np.linspace(0, 7, 300, dtype=np.float32),
    "constant": np.full(8, 0.3, np.float32),
}
STEPS = {"float16": 2**11, "uint16": 2**16 - 1, "uint8": 2**8 - 1}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float32 model, and that model quantized to each dtype."""
    folder = tmp_path_factory.mktemp("tfjs")
    weights = [
        ({"name": name, "shape": list(values.shape), "dtype": values.dtype.name}, values.tobytes())
        for name, values in WEIGHTS.items()
    ]
    write_weights(folder / "float32", {"modelTopology": {"node": []}}, weights)
    for dtype in STEPS:
        main(arguments(folder / "float32", dtype, folder / dtype))
    return folder


def arguments(model: Path, dtype: str, output: Path) -> list[str]:
    return ["--model", str(model), "--dtype", dtype, "--output", str(output)]


def dequantized(folder: Path) -> dict[str, NDArray[np.float64]]:
    """The weights as the TensorFlow.js format defines them: scale × value + min."""
    values = {}
    for specification, stored in read_weights(folder):
        quantization = specification.get("quantization", {"dtype": specification["dtype"]})
        raw = np.frombuffer(stored, quantization["dtype"]).reshape(specification["shape"]).astype(np.float64)
        values[specification["name"]] = raw * quantization.get("scale", 1) + quantization.get("min", 0)
    return values


@pytest.mark.parametrize("dtype", STEPS)
def test_weights_are_those_of_the_model_within_a_step(models: Path, dtype: str) -> None:
    found = dequantized(models / dtype)
    assert list(found) == list(WEIGHTS)
    assert found["axis"] == -3
    for name in ("kernel", "positive", "from_zero"):
        expected = WEIGHTS[name]
        # Float16 rounds relative to the value, and the integers round relative to the range. Moving the range so that
        # 0 is exactly one step costs another half step.
        span = np.abs(expected).max() if dtype == "float16" else np.ptp(expected)
        assert 0 < np.abs(found[name] - expected).max() <= span / STEPS[dtype] * 1.01
    if dtype != "float16":
        assert np.array_equal(found["constant"].astype(np.float32), WEIGHTS["constant"])


@pytest.mark.parametrize("dtype", ["uint16", "uint8"])
def test_zero_stays_zero(models: Path, dtype: str) -> None:
    specification = read_weights(models / dtype)[0][0]["quantization"]
    steps = -specification["min"] / specification["scale"]
    assert steps == pytest.approx(round(steps), abs=1e-6)


def test_half_the_width_is_half_the_bytes_in_shards_of_4_mib(models: Path) -> None:
    def sizes(dtype: str) -> list[int]:
        (group,) = json.loads((models / dtype / "model.json").read_text())["weightsManifest"]
        return [(models / dtype / path).stat().st_size for path in group["paths"]]

    total = sum(values.nbytes for values in WEIGHTS.values()) - 4
    assert sizes("float32") == [SHARD_BYTES, total + 4 - SHARD_BYTES]
    assert sizes("uint16") == sizes("float16") == [total // 2 + 4]
    assert sizes("uint8") == [total // 4 + 4]


def test_two_runs_give_equal_bytes(models: Path, tmp_path: Path) -> None:
    main(arguments(models / "float32", "uint8", tmp_path / "uint8"))
    first, again = (
        {path.name: path.read_bytes() for path in (folder / "uint8").iterdir()} for folder in (models, tmp_path)
    )
    assert first == again


def test_a_missing_shard_leaves_the_old_model(models: Path, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "float32").mkdir()
    (tmp_path / "float32" / "model.json").write_bytes((models / "float32" / "model.json").read_bytes())
    (tmp_path / "uint8").mkdir()
    (tmp_path / "uint8" / "model.json").write_text("good")
    message = refusal(main, *arguments(tmp_path / "float32", "uint8", tmp_path / "uint8"))
    assert message.endswith("float32/group1-shard1of2.bin is missing")
    assert (tmp_path / "uint8" / "model.json").read_text() == "good"
