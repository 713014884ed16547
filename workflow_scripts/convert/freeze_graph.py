"""Rebuild the IR as one frozen NHWC TensorFlow graph."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.processes import run_tool


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ir", type=Path, required=True, help="model.xml, its model.bin beside it")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.output.parent) as folder:
        graph = Path(folder, "model_float32.pb")
        run_tool(
            "openvino2tensorflow",
            f"--model_path={arguments.ir}",
            f"--model_output_path={folder}",
            # Never --output_saved_model: its Keras metadata takes ten times as long and meets protobuf's limit of 2 GB.
            "--output_pb",
            "--non_verbose",
            expected=graph,
        )
        with replacing(arguments.output) as staging:
            graph.rename(staging)


if __name__ == "__main__":
    run(main)
