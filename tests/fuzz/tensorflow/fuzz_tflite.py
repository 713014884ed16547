""".tflite files before they are shared, with changed bytes: most of all the offsets between their tables."""

import struct
import tempfile
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzzing import SIZES, Watch, damaged, fuzz, instrument, short

instrument("workflow_scripts.formats.tflite_file")

from workflow_scripts.formats.tflite_file import ends, split
from workflow_scripts.shared.failures import Failure

WATCH = Watch()


def converted() -> bytes:
    """A convolution as the converter writes it."""
    random = np.random.default_rng(1)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [1, 4, 4, 3], name="x")
        kernel, bias = random.normal(size=(3, 3, 3, 2)), random.normal(size=2)
        hidden = tf.nn.conv2d(x, tf.constant(kernel.astype(np.float32)), 1, "SAME")
        y = tf.nn.bias_add(hidden, tf.constant(bias.astype(np.float32)), name="y")
        content: bytes = tf.lite.TFLiteConverter.from_session(session, [x], [y]).convert()
    return content


SEED = converted()


@st.composite
def offsets(draw: st.DrawFn) -> bytes:
    """Replace numbers of a FlatBuffer, at multiples of four bytes, by special numbers or by numbers of other places."""
    data = bytearray(SEED)
    for _ in range(draw(st.integers(1, 6))):
        at = 4 * draw(st.integers(0, len(data) // 4 - 1))
        number = draw(SIZES | st.integers(0, len(data)) | st.integers(0, len(data) // 4).map(lambda place: 4 * place))
        data[at : at + 4] = struct.pack("<I", number % 2**32)
    return bytes(data)


@short
@given(offsets() | damaged(SEED))
def test_tflite(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        path.write_bytes(data)
        with WATCH.reading(Path(folder), Failure):
            pieces = split(path)
            assert len(pieces.skeleton) + len(pieces.weights) == len(data)
            ends(path)


if __name__ == "__main__":
    fuzz(test_tflite)
