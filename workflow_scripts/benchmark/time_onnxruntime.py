"""Draw frames with ONNX Runtime on the CPU: one frame for each line on standard input."""

from collections.abc import Sequence

from workflow_scripts.benchmark.timed_frames import answer_frames, arguments_of
from workflow_scripts.engines.onnxruntime import open_model
from workflow_scripts.shared.failures import run


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    answer_frames(arguments, open_model(arguments.model, arguments.threads))


if __name__ == "__main__":
    run(main)
