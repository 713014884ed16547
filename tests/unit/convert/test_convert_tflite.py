import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema

from workflow_scripts.convert.convert_tflite import DTYPES, main
from workflow_scripts.convert.rewrite_graph import rewrite_graph
from workflow_scripts.formats.tflite_file import ends, read_constants

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
RANDOM = np.random.default_rng(5)
KERNEL = RANDOM.normal(0, 0.5, (3, 3, 3, 16)).astype(np.float32)
BIAS = RANDOM.normal(0, 0.5, 16).astype(np.float32)
SIDE = RANDOM.normal(0, 0.5, (3, 3, 16, 1)).astype(np.float32)
SIDE_BIAS = np.array([0.25], np.float32)
X = RANDOM.normal(size=(1, 8, 6, 3)).astype(np.float32)


def write_graph(path: Path) -> NDArray[np.float32]:
    """Write a network with the operators of the real ones. Return what TensorFlow computes from X."""
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x = tf.placeholder(tf.float32, X.shape, name="x")
        hidden = tf.nn.conv2d(x, tf.constant(KERNEL), 1, "SAME", dilations=2)
        hidden = tf.nn.relu(tf.nn.bias_add(hidden, tf.constant(BIAS)))
        half = tf.nn.max_pool2d(hidden, 2, 2, "VALID")
        hidden += tf.image.resize_bilinear(half, (8, 6), half_pixel_centers=True)
        side = tf.nn.bias_add(tf.nn.conv2d(hidden, tf.constant(SIDE), 1, "SAME"), tf.constant(SIDE_BIAS))
        output: NDArray[np.float32] = session.run(tf.sigmoid(side, name="d0"), {x: X})
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return output


def arguments(graph: Path, dtype: str, output: Path) -> list[str]:
    return ["--graph", str(graph), "--dtype", dtype, "--output", str(output)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph, what TensorFlow computes with it, and its .tflite file in each dtype."""
    folder = tmp_path_factory.mktemp("tflite")
    np.save(folder / "expected.npy", write_graph(folder / "model.pb"))
    for dtype in DTYPES:
        main(arguments(folder / "model.pb", dtype, folder / f"{dtype}.tflite"))
    return folder


@pytest.mark.parametrize(("dtype", "error"), [("float32", 1e-6), ("float16", 2e-3)])
def test_computes_what_the_graph_computes(models: Path, dtype: str, error: float) -> None:
    interpreter = tf.lite.Interpreter(str(models / f"{dtype}.tflite"))
    interpreter.allocate_tensors()
    ((x,), (d0,)) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(x["index"], X)
    interpreter.invoke()
    expected = np.load(models / "expected.npy")
    assert expected.std() > 0.05
    assert np.abs(interpreter.get_tensor(d0["index"]) - expected).max() < error


@pytest.mark.parametrize(("dtype", "stored"), [("float32", np.float32), ("float16", np.float16)])
def test_weights_are_those_of_the_graph_rounded_to_the_dtype(
    models: Path, dtype: str, stored: type[np.floating]
) -> None:
    data, constants = read_constants(models / f"{dtype}.tflite")
    found = sorted(data[constant.offset :][: constant.bytes] for constant in constants)
    # Kernels are HWIO in TensorFlow and OHWI in LiteRT.
    weights = [KERNEL.transpose(3, 0, 1, 2), BIAS, SIDE.transpose(3, 0, 1, 2), SIDE_BIAS]
    assert found == sorted(weight.astype(stored).tobytes() for weight in weights)
    assert sum(constant.elements for constant in constants) == sum(weight.size for weight in weights)


def test_ends_keep_names_and_layout(models: Path) -> None:
    for dtype in DTYPES:
        assert ends(models / f"{dtype}.tflite") == {
            "input": {"name": "x", "shape": [1, 8, 6, 3]},
            "output": {"name": "d0", "shape": [1, 8, 6, 1]},
        }


@pytest.mark.parametrize("dtype", DTYPES)
def test_another_process_gives_equal_bytes(models: Path, tmp_path: Path, dtype: str) -> None:
    again = tmp_path / f"{dtype}.tflite"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "workflow_scripts.convert.convert_tflite",
            *arguments(models / "model.pb", dtype, again),
        ],
        check=True,
    )
    assert again.read_bytes() == (models / f"{dtype}.tflite").read_bytes()


def test_what_is_no_graph_leaves_the_old_file(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "model.pb").write_text("not a graph")
    (tmp_path / "float32.tflite").write_text("good")
    message = refusal(main, *arguments(tmp_path / "model.pb", "float32", tmp_path / "float32.tflite"))
    assert f"{tmp_path}/model.pb" in message
    assert (tmp_path / "float32.tflite").read_text() == "good"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["float32.tflite", "model.pb"]


@pytest.mark.parametrize(("name", "problem"), [("other", "d0"), ("d0", "MatrixInverse")])
def test_a_graph_that_litert_cannot_run_is_named(tmp_path: Path, refusal: Refusal, name: str, problem: str) -> None:
    with tf.Graph().as_default() as graph:
        tf.raw_ops.MatrixInverse(input=tf.placeholder(tf.float32, [1, 4, 4], name="x"), name=name)
    (tmp_path / "model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    message = refusal(main, *arguments(tmp_path / "model.pb", "float32", tmp_path / "float32.tflite"))
    assert f"{tmp_path}/model.pb cannot be converted to float32: " in message
    assert problem in message
    assert not (tmp_path / "float32.tflite").exists()


def test_the_skip_connection_is_convolved_right_before_the_sum(tmp_path: Path) -> None:
    """LiteRT.js' memory at 1024 depends on that order."""
    with tf.Graph().as_default() as graph, tf.Session():
        x = tf.placeholder(tf.float32, (1, 32, 32, 3), name="x")

        def convolved(x: Any, channels: int) -> Any:
            kernel = tf.constant(RANDOM.normal(0, 0.3, (3, 3, int(x.shape[3]), channels)).astype(np.float32))
            bias = tf.constant(RANDOM.normal(0, 0.3, channels).astype(np.float32))
            return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias))

        # As openvino2tensorflow names its nodes.
        with tf.name_scope("model"):
            skip = convolved(x, 8)
            deep = convolved(convolved(tf.nn.max_pool2d(skip, 2, 2, "VALID"), 8), 8)
            up = tf.image.resize_bilinear(deep, (32, 32), half_pixel_centers=True)
            joined = convolved(tf.concat([up, skip], 3), 8)
        tf.sigmoid(joined, name="d0")
    rewritten = rewrite_graph(graph.as_graph_def())
    (tmp_path / "model.pb").write_bytes(rewritten.SerializeToString())
    main(arguments(tmp_path / "model.pb", "float32", tmp_path / "float32.tflite"))
    root = schema.Model.GetRootAs((tmp_path / "float32.tflite").read_bytes(), 0)
    subgraph = root.Subgraphs(0)
    operators = [subgraph.Operators(index) for index in range(subgraph.OperatorsLength())]
    codes = [root.OperatorCodes(operator.OpcodeIndex()).BuiltinCode() for operator in operators]
    total = codes.index(schema.BuiltinOperator.ADD)
    assert codes[total - 3 : total] == [
        schema.BuiltinOperator.RESIZE_BILINEAR,
        schema.BuiltinOperator.CONV_2D,
        schema.BuiltinOperator.CONV_2D,
    ]
    # The first convolution's output is the skip connection, and the one right before the sum reads it.
    assert operators[total - 1].Inputs(0) == operators[0].Outputs(0)
