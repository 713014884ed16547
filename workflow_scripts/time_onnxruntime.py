"""Draw frames with ONNX Runtime on the CPU, one for each line read."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from commands import run
from numpy.typing import NDArray
from timed_frames import answer_frames, arguments_of


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    (x,), (d0,) = session.get_inputs(), session.get_outputs()

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = session.run([d0.name], {x.name: probe})[0]
        return output

    answer_frames(arguments, predict, "onnxruntime")


if __name__ == "__main__":
    run(main)
