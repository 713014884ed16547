"""A damaged or misleading model.json or shard is refused in one line, whatever it says."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workflow_scripts.formats.tfjs_model import SHARD_BYTES, loaded_values, read_weights
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("tensorflow")

Model = dict[str, Any]
SHARD = "group1-shard1of1.bin"


def write(folder: Path, change: Callable[[Model], object] = lambda _: None) -> Path:
    """Write a model of one kernel and its size, with one change."""
    folder.mkdir(exist_ok=True)
    weights = [
        {"name": "kernel", "shape": [2, 2, 1, 3], "dtype": "float32"},
        {"name": "size", "shape": [2], "dtype": "int32"},
    ]
    (folder / SHARD).write_bytes(bytes(range(56)))
    model = {"weightsManifest": [{"paths": [SHARD], "weights": weights}]}
    change(model)
    (folder / "model.json").write_text(json.dumps(model))
    return folder


def group(model: Model) -> Any:
    return model["weightsManifest"][0]


def kernel(model: Model) -> Any:
    return group(model)["weights"][0]


def test_weights_are_read_in_order(tmp_path: Path) -> None:
    weights = read_weights(write(tmp_path / "model"))
    assert [(spec["name"], data) for spec, data in weights] == [
        ("kernel", bytes(range(48))),
        ("size", bytes(range(48, 56))),
    ]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_integers_become_the_weights_that_tensorflow_js_computes_with(dtype: str) -> None:
    stored = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    entry = {"dtype": dtype, "scale": 0.1234567890123, "min": -7.7}
    found = loaded_values(
        {"name": "w", "shape": [2, stored.size // 2], "dtype": "float32", "quantization": entry}, stored.tobytes()
    )
    assert (found.dtype, found.shape) == (np.float32, (2, stored.size // 2))
    # Python's floats are JavaScript's numbers; struct rounds them as a Float32Array does.
    expected = b"".join(struct.pack("<f", number * 0.1234567890123 + -7.7) for number in range(stored.size))
    assert found.tobytes() == expected
    # In single precision, other weights would come out.
    assert found.tobytes() != (stored * np.float32(0.1234567890123) + np.float32(-7.7)).astype(np.float32).tobytes()


def test_other_weights_become_what_their_bytes_say() -> None:
    halves = np.array([0.1, -65504, 6e-8], np.float16)
    entry = {"name": "w", "shape": [3], "dtype": "float32", "quantization": {"dtype": "float16"}}
    assert loaded_values(entry, halves.tobytes()).tolist() == halves.astype(float).tolist()
    sizes = np.array([64, 96], np.int32)
    assert loaded_values({"name": "size", "shape": [2], "dtype": "int32"}, sizes.tobytes()).tolist() == [64, 96]
    with pytest.raises(Failure, match="size is quantized, but int32 and not float32"):
        loaded_values({"name": "size", "shape": [2], "dtype": "int32", "quantization": {"dtype": "uint8"}}, b"ab")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: group(m).update(paths=["../secret"]), "a shard is not a file beside it"),
        (lambda m: group(m).update(paths=["/etc/passwd"]), "a shard is not a file beside it"),
        (lambda m: group(m).update(paths=[".."]), "a shard is not a file beside it"),
        (lambda m: group(m).update(paths=[f"{SHARD}\n"]), "a shard is not a file beside it"),
        (lambda m: group(m).update(paths=[None]), "a shard is not a file beside it"),
        (lambda m: group(m).update(paths=SHARD), "a shard is not a file beside it"),
        (lambda m: group(m).update(paths=[SHARD] * 1_000_000), f"names {SHARD} twice"),
        (lambda m: kernel(m).update(shape=[-2, -2, 1, 3]), "the shape of 'kernel' is not a list of sizes"),
        (lambda m: kernel(m).update(shape=[2.0, 2, 1, 3]), "the shape of 'kernel' is not a list of sizes"),
        (lambda m: kernel(m).update(shape=[True, 12]), "the shape of 'kernel' is not a list of sizes"),
        (lambda m: kernel(m).update(shape="2213"), "the shape of 'kernel' is not a list of sizes"),
        (lambda m: kernel(m).update(shape=[2**62] * 8), "the manifest describes"),
        (lambda m: kernel(m).update(shape=[2, 2, 1, 4]), "hold 56 bytes, but the manifest describes 72"),
        (lambda m: kernel(m).update(dtype="string"), "KeyError: 'string'"),
        (lambda m: kernel(m).update(quantization="uint8"), "AttributeError"),
        *(
            (lambda m, entry=entry: kernel(m).update(quantization=entry), "'kernel' has no finite scale and min")
            for entry in ({"scale": 0.1}, {"min": 1}, {"scale": "1", "min": 1}, {"scale": 1, "min": float("nan")})
        ),
        (lambda m: kernel(m).update(name={"a": 1}), "a weight has no name"),
        (lambda m: kernel(m).pop("shape"), "KeyError: 'shape'"),
        (lambda m: group(m).pop("weights"), "KeyError: 'weights'"),
        (lambda m: m.update(weightsManifest=7), "TypeError"),
        (lambda m: m.clear(), "KeyError: 'weightsManifest'"),
    ],
)
def test_manifest_that_misleads_is_refused(tmp_path: Path, change: Callable[[Model], object], message: str) -> None:
    (tmp_path / "secret").write_bytes(bytes(56))
    with pytest.raises(Failure) as refused:
        read_weights(write(tmp_path / "model", change))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("text", ["", "{", "null", "\0", "[" * 100_000, '{"weightsManifest": NaN}', "\udcff"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path / "model")
    (folder / "model.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(Failure, match=r"is damaged or not a TensorFlow.js graph model"):
        read_weights(folder)


def test_shard_is_measured_before_it_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    with (folder / SHARD).open("wb") as file:
        # A sparse file: it takes no room on the disk, but reading all of it would take more memory than there is.
        file.truncate(2**42)
    with pytest.raises(Failure, match=f"is larger than a shard's {SHARD_BYTES} bytes"):
        read_weights(folder)
