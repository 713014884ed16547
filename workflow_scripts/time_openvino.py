"""Draw frames with OpenVINO on the CPU, in FP32, one for each line read."""

from collections.abc import Sequence

import numpy as np
import openvino
from commands import run
from numpy.typing import NDArray
from timed_frames import answer_frames, arguments_of


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    core = openvino.Core()
    # Newer processors would otherwise compute in bfloat16.
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": arguments.threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    model = core.compile_model(core.read_model(arguments.model), "CPU", options)
    x, d0 = model.input(), model.output()

    def predict(probe: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = model({x: probe})[d0]
        return output

    answer_frames(arguments, predict, "openvino")


if __name__ == "__main__":
    run(main)
