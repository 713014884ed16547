from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from numpy.typing import NDArray

from workflow_scripts.convert.optimize_graph import main
from workflow_scripts.convert.rewrite_graph import rewrite_graph
from workflow_scripts.formats.frozen_graph import GraphDef, ends, read_graph
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
# Native dilations and SAME padding add the same products in another order.
ROUNDING = 1e-6
X = np.random.default_rng(8).normal(size=(1, 6, 6, 3)).astype(np.float32)


def padded(hidden: Any, amount: int) -> Any:
    return tf.pad(hidden, [[0, 0], [amount, amount], [amount, amount], [0, 0]])


def dilated(hidden: Any, kernel: Any, by: int, fill: int) -> Any:
    """Add a dilated convolution made with space-to-batch. `fill` completes the last block."""
    phases = tf.space_to_batch_nd(padded(hidden, by), [by, by], [[0, fill], [0, fill]])
    convolved = tf.nn.conv2d(phases, kernel, 1, "VALID")
    return tf.batch_to_space_nd(convolved, [by, by], [[0, fill], [0, fill]])


def frozen() -> GraphDef:
    """Return a graph like openvino2tensorflow's: copies, explicit pads, space-to-batch, plain adds, unused nodes."""
    random = np.random.default_rng(1)

    def constant(name: str, *shape: int) -> Any:
        return tf.constant(random.normal(0, 0.4, shape).astype(np.float32), name=name)

    with tf.Graph().as_default() as graph:
        hidden = tf.placeholder(tf.float32, [1, 6, 6, 3], name="inputs")
        for index in range(3):
            hidden = tf.identity(hidden, name=f"copy{index}")
        read = tf.identity(tf.identity(constant("kernel", 3, 3, 3, 4), name="read0"), name="read1")
        hidden = tf.nn.conv2d(padded(hidden, 1), read, 1, "VALID")
        hidden = first = tf.nn.relu(tf.raw_ops.AddV2(x=hidden, y=constant("bias", 4)))
        for by, fill in ((2, 0), (4, 2)):
            hidden = dilated(hidden, constant(f"dilated{by}", 3, 3, 4, 4), by, fill)
            hidden = tf.nn.relu(tf.raw_ops.AddV2(x=hidden, y=constant(f"bias{by}", 4)))
        # The sum with a skip connection is not a bias.
        hidden = tf.identity(tf.raw_ops.AddV2(x=hidden, y=first, name="sum"), name="between")
        hidden = tf.nn.conv2d(hidden, constant("side", 1, 1, 4, 1), 1, "VALID")
        output = tf.identity(tf.sigmoid(hidden), name="copy_of_output")
        tf.identity(output, name="Identity")
        weights = tf.constant(np.ones((64, 64), np.float32), name="unused")
        with tf.control_dependencies([weights]):
            tf.no_op(name="init")
    definition: GraphDef = graph.as_graph_def()
    return definition


def predict(graph: GraphDef, x: NDArray[np.float32] = X) -> NDArray[np.float32]:
    given, wanted = ends(graph)
    with tf.Graph().as_default() as loaded:
        tf.import_graph_def(graph, name="")
    with tf.Session(graph=loaded) as session:
        output: NDArray[np.float32] = session.run(f"{wanted}:0", {f"{given}:0": x})
    return output


def test_the_optimized_graph_computes_what_the_frozen_graph_computes() -> None:
    output = predict(rewrite_graph(frozen()))
    assert output.shape == (1, 6, 6, 1)
    assert output.std() > 0.01
    assert np.abs(output - predict(frozen())).max() <= ROUNDING


@pytest.mark.parametrize("name", ["kernel", "dilated2", "dilated4", "bias4", "side"])
def test_one_changed_weight_shows(name: str) -> None:
    optimized = rewrite_graph(frozen())
    kernel = next(node for node in optimized.node if node.name == name)
    values = tf.make_ndarray(kernel.attr["value"].tensor).copy()
    values[..., 0] += 0.5
    kernel.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    assert np.abs(predict(optimized) - predict(frozen())).max() > ROUNDING


def test_detours_copies_and_unused_nodes_are_gone_and_the_ends_are_named() -> None:
    graph = frozen()
    optimized = rewrite_graph(graph)
    assert ends(optimized) == ("x", "d0")
    operators = Counter(node.op for node in optimized.node if node.op != "Const")
    # One of the convolutions has no bias in the frozen graph.
    assert operators == {"Placeholder": 1, "Conv2D": 4, "BiasAdd": 4, "Relu": 3, "AddV2": 1, "Sigmoid": 1}
    convolutions = [node for node in optimized.node if node.op == "Conv2D"]
    assert [list(node.attr["dilations"].list.i)[1:3] for node in convolutions] == [[1, 1], [2, 2], [4, 4], [1, 1]]
    assert {"unused", "init", "inputs"}.isdisjoint(node.name for node in optimized.node)
    assert optimized.versions == graph.versions
    assert ends(graph) == ("inputs", "Identity")


def test_optimizing_again_changes_nothing() -> None:
    once = rewrite_graph(frozen())
    assert rewrite_graph(once) == once


def test_equal_graphs_are_equal_bytes(tmp_path: Path) -> None:
    (tmp_path / "frozen.pb").write_bytes(frozen().SerializeToString())
    for name in ("a.pb", "b.pb"):
        main(["--graph", str(tmp_path / "frozen.pb"), "--output", str(tmp_path / name)])
    assert (tmp_path / "a.pb").read_bytes() == (tmp_path / "b.pb").read_bytes()
    assert np.abs(predict(read_graph(tmp_path / "a.pb")) - predict(frozen())).max() <= ROUNDING


def changed(name: str, values: Any) -> GraphDef:
    """Return the frozen graph with another value in the last constant that the named node reads."""
    graph = frozen()
    nodes = {node.name: node for node in graph.node}
    constant = nodes[nodes[name].input[len(nodes[name].input) - 1]]
    constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    return graph


def named(op: str) -> list[str]:
    return [node.name for node in frozen().node if node.op == op]


def test_a_pad_that_is_not_the_same_padding_is_refused_by_name() -> None:
    pad = named("Pad")[0]
    with pytest.raises(Failure, match=rf"^{pad} \(Pad by .*\) is not the SAME padding of Conv2D$"):
        rewrite_graph(changed(pad, np.array([[0, 0], [2, 0], [1, 1], [0, 0]], np.int32)))


def test_a_crop_that_is_not_the_fill_is_refused_by_name() -> None:
    last = named("BatchToSpaceND")[1]
    with pytest.raises(Failure, match=r"is not a dilated convolution in disguise$"):
        rewrite_graph(changed(last, np.array([[1, 1], [0, 2]], np.int32)))


def test_a_bias_of_another_shape_is_refused_by_name() -> None:
    add = named("AddV2")[0]
    with pytest.raises(Failure, match=rf"^{add} \(AddV2\) adds a constant of shape \(1,\) to a convolution$"):
        rewrite_graph(changed(add, np.array([0.5], np.float32)))


def with_ends(inputs: int, outputs: int) -> GraphDef:
    with tf.Graph().as_default() as graph:
        given = [tf.placeholder(tf.float32, [2], name=f"in{index}") for index in range(inputs)]
        total = tf.add_n(given, name="sum") if given else tf.constant([1.0, 2.0], name="sum")
        for index in range(outputs):
            tf.negative(total, name=f"out{index}")
    definition: GraphDef = graph.as_graph_def()
    return definition


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 2), (2, 1), (0, 1)])
def test_any_but_one_input_and_one_output_is_refused(
    tmp_path: Path, refusal: Refusal, inputs: int, outputs: int
) -> None:
    (tmp_path / "frozen.pb").write_bytes(with_ends(inputs, outputs).SerializeToString())
    message = refusal(main, "--graph", tmp_path / "frozen.pb", "--output", tmp_path / "model.pb")
    for index in range(inputs):
        assert f"'in{index}'" in message
    for index in range(outputs):
        assert f"'out{index}'" in message
    assert "expected one of each" in message
    assert [file.name for file in tmp_path.iterdir()] == ["frozen.pb"]


def test_an_empty_graph_is_refused() -> None:
    with pytest.raises(Failure, match="expected one of each"):
        rewrite_graph(GraphDef())


def test_what_is_no_graph_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "frozen.pb").write_text("not a protobuf")
    message = refusal(main, "--graph", tmp_path / "frozen.pb", "--output", tmp_path / "model.pb")
    assert f"{tmp_path / 'frozen.pb'} is not a frozen TensorFlow graph" in message
