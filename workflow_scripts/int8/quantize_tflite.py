"""Write the .tflite file of one resolution with the convolutions of plan_int8 in int8."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.int8.layers import in_int8
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help=".tflite file in float32")
    parser.add_argument(
        "--plan", type=Path, required=True, help="JSON of plan_int8, for any resolution of this network"
    )
    parser.add_argument("--output", type=Path, required=True, help=".tflite file to write")
    arguments = parser.parse_args(argv)
    layers = json.loads(arguments.plan.read_text())["layers"]
    model = in_int8(arguments.model.read_bytes(), layers)
    with replacing(arguments.output) as staging:
        staging.write_bytes(model)


if __name__ == "__main__":
    run(main)
