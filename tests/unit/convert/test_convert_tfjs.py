import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from numpy.typing import NDArray

from tests.support.folders import visible
from workflow_scripts.convert.convert_tfjs import SHARD_BYTES, main

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
# Large enough for more than one shard in float32.
KERNEL = np.random.default_rng(5).normal(0, 0.05, (3, 3, 3, 40_000)).astype(np.float32)
BIAS = np.random.default_rng(7).normal(0, 0.05, 40_000).astype(np.float32)
SIDE = np.random.default_rng(6).normal(0, 0.05, (2, 2, 40_000, 1)).astype(np.float32)
WEIGHTS = (KERNEL, BIAS, SIDE)
FOLDERS = ("float32", "again")


def write_graph(path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [1, 2, 2, 3], name="x")
        hidden = tf.nn.conv2d(x, tf.constant(KERNEL, name="kernel"), 1, "SAME")
        hidden = tf.nn.relu(tf.nn.bias_add(hidden, tf.constant(BIAS, name="bias")))
        tf.sigmoid(tf.nn.conv2d(hidden, tf.constant(SIDE, name="side"), 1, "SAME"), name="d0")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def arguments(graph: Path, output: Path) -> list[str]:
    return ["--graph", str(graph), "--output", str(output)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model twice, converted by two separate processes."""
    folder = tmp_path_factory.mktemp("tfjs")
    write_graph(folder / "model.pb")
    for name in FOLDERS:
        command = [sys.executable, "-m", main.__module__, *arguments(folder / "model.pb", folder / name)]
        subprocess.run(command, check=True)
    return folder


def stored(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """The model and its weights by name."""
    model = json.loads((folder / "model.json").read_text())
    (group,) = model["weightsManifest"]
    data = b"".join((folder / path).read_bytes() for path in group["paths"])
    weights: dict[str, NDArray[np.float32]] = {}
    for spec in group["weights"]:
        count = 4 * int(np.prod(spec["shape"]))
        weights[spec["name"]] = np.frombuffer(data[:count], np.float32).reshape(spec["shape"])
        data = data[count:]
    assert data == b""
    return model, weights


def test_weights_are_those_of_the_graph(models: Path) -> None:
    _, weights = stored(models / "float32")
    by_size = {values.size: values for values in weights.values()}
    for expected in WEIGHTS:
        assert np.array_equal(by_size[expected.size].reshape(expected.shape), expected)


def test_shards_are_cut_at_4_mib(models: Path) -> None:
    paths = json.loads((models / "float32" / "model.json").read_text())["weightsManifest"][0]["paths"]
    sizes = [(models / "float32" / path).stat().st_size for path in paths]
    assert sizes == [SHARD_BYTES, sum(values.nbytes for values in WEIGHTS) - SHARD_BYTES]


def test_ends_keep_their_names_and_the_convolutions_are_fused(models: Path) -> None:
    model, _ = stored(models / "float32")
    assert list(model["signature"]["outputs"]) == ["d0"]
    operators = [(node["name"], node["op"]) for node in model["modelTopology"]["node"] if node["op"] != "Const"]
    assert ("x", "Placeholder") in operators
    assert ("d0", "Sigmoid") in operators
    assert [op for _, op in operators if op not in ("Placeholder", "Sigmoid")] == ["_FusedConv2D", "Conv2D"]


def test_keys_are_in_canonical_order(models: Path) -> None:
    text = (models / "float32" / "model.json").read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def test_two_runs_give_equal_bytes(models: Path) -> None:
    first, again = ({f.name: f.read_bytes() for f in visible(models / n)} for n in ("float32", "again"))
    assert first == again
    assert len(first) == 3


def test_nothing_else_is_left(models: Path) -> None:
    assert sorted(path.name for path in models.iterdir()) == sorted([*FOLDERS, "model.pb"])


def test_what_is_no_graph_leaves_the_old_model(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "model.pb").write_text("not a graph")
    (tmp_path / "float32").mkdir()
    (tmp_path / "float32" / "model.json").write_text("good")
    message = refusal(main, *arguments(tmp_path / "model.pb", tmp_path / "float32"))
    assert f"{tmp_path}/model.pb is not a frozen TensorFlow graph" in message
    assert (tmp_path / "float32" / "model.json").read_text() == "good"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["float32", "model.pb"]


def test_a_graph_that_tensorflow_js_cannot_run_is_named(tmp_path: Path, refusal: Refusal) -> None:
    with tf.Graph().as_default() as graph:
        tf.raw_ops.MatrixInverse(input=tf.placeholder(tf.float32, [1, 4, 4], name="x"), name="d0")
    (tmp_path / "model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    message = refusal(main, *arguments(tmp_path / "model.pb", tmp_path / "float32"))
    assert "TensorFlow.js' converter refuses" in message
    assert "MatrixInverse" in message
    assert [path.name for path in tmp_path.iterdir()] == ["model.pb"]
