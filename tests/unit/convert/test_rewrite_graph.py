"""Test each rewrite on small random graphs. TensorFlow itself computes what the rewritten graph must also compute."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.convert.rewrite_graph import rewrite_graph
from workflow_scripts.formats.frozen_graph import GraphDef, ends
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("tensorflow")

# The rewritten graph adds the same products in another order.
ROUNDING = 2e-5
Build = Callable[[Any, np.random.Generator], Any]
# A new session starts for each example. That takes far longer than the computation.
few = settings(max_examples=12, deadline=None, derandomize=True)


def weights(random: np.random.Generator, *shape: int) -> Any:
    return tf.constant(random.normal(0, 0.4, shape).astype(np.float32))


def convolved(hidden: Any, random: np.random.Generator, channels: int, kernel: int = 3) -> Any:
    """Add a convolution with a bias, as openvino2tensorflow writes it."""
    edge = kernel // 2
    padded = tf.pad(hidden, [[0, 0], [edge, edge], [edge, edge], [0, 0]]) if edge else hidden
    plain = tf.nn.conv2d(padded, weights(random, kernel, kernel, int(hidden.shape[3]), channels), 1, "VALID")
    return tf.raw_ops.AddV2(x=plain, y=weights(random, channels))


def graph_of(build: Build, size: tuple[int, int], seed: int = 1, channels: int = 3) -> GraphDef:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [1, *size, channels], name="inputs")
        tf.identity(build(x, np.random.default_rng(seed)), name="out")
    definition: GraphDef = graph.as_graph_def()
    return definition


def predict(graph: GraphDef) -> Any:
    given_name, wanted = ends(graph)
    with tf.Graph().as_default() as loaded:
        tf.import_graph_def(graph, name="")
    shape = loaded.get_tensor_by_name(f"{given_name}:0").shape.as_list()
    x = np.random.default_rng(9).normal(size=shape).astype(np.float32)
    with tf.Session(graph=loaded) as session:
        return session.run(f"{wanted}:0", {f"{given_name}:0": x})


def rewritten(graph: GraphDef) -> Counter[str]:
    """Rewrite the graph, check that it computes the same, and count its operations."""
    optimized = rewrite_graph(graph)
    before = predict(graph)
    assert before.std() > 1e-3
    assert np.abs(predict(optimized) - before).max() <= ROUNDING * max(1, np.abs(before).max())
    return Counter(node.op for node in optimized.node if node.op != "Const")


sizes = st.tuples(st.integers(5, 14), st.integers(5, 14))


@few
@given(
    size=sizes, dilation=st.sampled_from([1, 2, 3, 4, 8]), kernel=st.sampled_from([1, 3, 5]), seed=st.integers(0, 99)
)
def test_a_padded_dilated_convolution_becomes_one_operation(
    size: tuple[int, int], dilation: int, kernel: int, seed: int
) -> None:
    def build(x: Any, random: np.random.Generator) -> Any:
        edge = dilation * (kernel // 2)
        values = weights(random, kernel, kernel, 3, 4)
        hidden = tf.pad(x, [[0, 0], [edge, edge], [edge, edge], [0, 0]]) if edge else x
        if dilation > 1:
            fill = [[0, -(length + 2 * edge) % dilation] for length in size]
            phases = tf.space_to_batch_nd(hidden, [dilation, dilation], fill)
            hidden = tf.batch_to_space_nd(tf.nn.conv2d(phases, values, 1, "VALID"), [dilation, dilation], fill)
        else:
            hidden = tf.nn.conv2d(hidden, values, 1, "VALID")
        return tf.nn.relu(tf.raw_ops.AddV2(x=hidden, y=weights(random, 4)))

    assert rewritten(graph_of(build, size, seed)) == {"Placeholder": 1, "Conv2D": 1, "BiasAdd": 1, "Relu": 1}


@few
@given(
    size=sizes,
    branches=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=4),
    mixed=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_mixing_after_upsampling_becomes_a_sum(
    size: tuple[int, int], branches: list[tuple[int, int, int]], mixed: int, seed: int
) -> None:
    def build(x: Any, random: np.random.Generator) -> Any:
        parts = [convolved(x, random, channels=2)]
        for channels, height, width in branches:
            small = tf.raw_ops.ResizeBilinear(images=x, size=[height, width], half_pixel_centers=True)
            side = convolved(small, random, channels)
            parts.append(tf.raw_ops.ResizeBilinear(images=side, size=list(size), half_pixel_centers=True))
        return tf.sigmoid(convolved(tf.concat(parts, -1), random, mixed, kernel=1))

    operations = rewritten(graph_of(build, size, seed))
    assert operations["Conv2D"] == operations["BiasAdd"] == 1 + len(branches)
    assert operations["AddV2"] == len(branches)
    assert "ConcatV2" not in operations


@few
@given(size=sizes, first=st.integers(1, 6), second=st.integers(1, 6), out=st.integers(1, 6), seed=st.integers(0, 99))
def test_a_joined_convolution_is_split_where_the_sum_is_smaller(
    size: tuple[int, int], first: int, second: int, out: int, seed: int
) -> None:
    def build(x: Any, random: np.random.Generator) -> Any:
        parts = [tf.nn.relu(convolved(x, random, channels)) for channels in (first, second)]
        return tf.nn.relu(convolved(tf.concat(parts, 3), random, out))

    operations = rewritten(graph_of(build, size, seed))
    if first + second >= 2 * out:
        assert (operations["Conv2D"], operations["AddV2"], operations["ConcatV2"]) == (4, 1, 0)
    else:
        assert (operations["Conv2D"], operations["AddV2"], operations["ConcatV2"]) == (3, 0, 1)


def biases(graph: GraphDef) -> list[Any]:
    """Return the biases of the rewritten graph's convolutions."""
    nodes = {node.name: node for node in rewrite_graph(graph).node}
    return [
        tf.make_ndarray(nodes[node.input[1]].attr["value"].tensor) for node in nodes.values() if node.op == "BiasAdd"
    ]


@pytest.mark.parametrize("written", [False, True])
def test_a_bias_of_zeros_is_kept_or_added_so_that_converters_fuse(written: bool) -> None:
    def build(x: Any, random: np.random.Generator) -> Any:
        for channels in (4, 3):
            x = tf.nn.conv2d(x, weights(random, 3, 3, int(x.shape[3]), channels), 1, "SAME")
            if written:
                x = tf.raw_ops.AddV2(x=x, y=tf.constant(np.zeros(channels, np.float32)))
            x = tf.nn.relu(x)
        return x

    graph = graph_of(build, (6, 6))
    assert rewritten(graph) == {"Placeholder": 1, "Conv2D": 2, "BiasAdd": 2, "Relu": 2}
    # TensorFlow's optimizer would drop zeros. Beside any activation this rounds away.
    assert [bias.tolist() for bias in biases(graph)] == [pytest.approx([1e-30] * 4), pytest.approx([1e-30] * 3)]
    again = rewrite_graph(graph)
    assert rewrite_graph(again) == again


def test_side_outputs_without_a_bias_and_with_one_kernel_are_mixed() -> None:
    def build(x: Any, random: np.random.Generator) -> Any:
        kernel = weights(random, 3, 3, 3, 1)
        small = tf.raw_ops.ResizeBilinear(images=x, size=[3, 3], half_pixel_centers=True)
        side = tf.nn.conv2d(small, kernel, 1, "SAME")
        large = tf.raw_ops.ResizeBilinear(images=side, size=[6, 6], half_pixel_centers=True)
        joined = tf.concat([tf.nn.conv2d(x, kernel, 1, "SAME"), large], -1)
        return tf.sigmoid(tf.nn.conv2d(joined, weights(random, 1, 1, 2, 1), 1, "VALID"))

    operations = rewritten(graph_of(build, (6, 6)))
    # A kernel that two convolutions read is mixed once for each.
    assert operations["Conv2D"] == operations["BiasAdd"] == 2
    assert "ConcatV2" not in operations


def test_equal_sizes_are_read_from_one_constant_and_equal_weights_stay_apart() -> None:
    def build(x: Any, _: np.random.Generator) -> Any:
        for _ in range(2):
            x = tf.raw_ops.ResizeBilinear(images=x, size=[7, 5], half_pixel_centers=True)
            x = convolved(x, np.random.default_rng(0), 3)
        return x

    optimized = rewrite_graph(graph_of(build, (6, 6)))
    constants = [tf.make_ndarray(node.attr["value"].tensor) for node in optimized.node if node.op == "Const"]
    assert [value.tolist() for value in constants if value.dtype == np.int32] == [[7, 5]]
    assert sorted(value.ndim for value in constants if value.dtype == np.float32) == [1, 1, 4, 4]


def mixing(branch: Callable[[Any, np.random.Generator], Any]) -> GraphDef:
    """Return a graph of two side outputs mixed by a 1×1 convolution. `branch` makes one of them."""

    def build(x: Any, random: np.random.Generator) -> Any:
        return convolved(tf.concat([convolved(x, random, 1), branch(x, random)], -1), random, 1, kernel=1)

    return graph_of(build, (6, 6))


@pytest.mark.parametrize(
    ("branch", "problem"),
    [
        # max(0, x) does not commute with mixing.
        (lambda x, random: tf.nn.relu(convolved(x, random, 1), name="late"), r"^late \(Relu\) is not the output of"),
        (lambda x, random: tf.raw_ops.MaxPool(input=x, ksize=[1] * 4, strides=[1] * 4, padding="SAME", name="pool"),
         r"^pool \(MaxPool\) is not the output of a convolution"),
    ],
)  # fmt: skip
def test_a_branch_that_is_not_linear_is_refused_by_name(branch: Any, problem: str) -> None:
    with pytest.raises(Failure, match=problem):
        rewrite_graph(mixing(branch))


def test_a_side_output_that_something_else_reads_is_refused_by_name() -> None:
    def build(x: Any, random: np.random.Generator) -> Any:
        side = tf.identity(convolved(x, random, 1))
        output = convolved(tf.concat([side, convolved(x, random, 1)], -1), random, 1, kernel=1)
        return output + tf.nn.relu(side)

    with pytest.raises(Failure, match=r"\(BiasAdd\) is not the output of .*, upsampled and mixed once$"):
        rewrite_graph(graph_of(build, (6, 6)))


def test_an_unknown_operation_into_a_joined_convolution_is_refused_by_name() -> None:
    def build(x: Any, random: np.random.Generator) -> Any:
        parts = [tf.nn.relu(convolved(x, random, 2)), tf.math.square(x, name="squared")]
        joined = tf.concat([parts[1], parts[0]], 3)
        return convolved(joined, random, 1)

    with pytest.raises(Failure, match=r"^squared \(Square\) is no operation of a U²-Net$"):
        rewrite_graph(graph_of(build, (6, 6)))
