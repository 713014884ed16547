"""Write the photos that an int8 model is judged on, as network inputs. None is a probe of the parity check."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save_file

from workflow_scripts.compact.calibration_photos import calibration_inputs, checking_inputs
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="safetensors: each input [1, 3, side, side]")
    arguments = parser.parse_args(argv)
    # LiteRT finds the scales of the maps as it computes, so nothing is calibrated, and both sets can judge.
    inputs = checking_inputs(arguments.resolution)
    inputs |= {f"other {name}": x for name, x in calibration_inputs(arguments.resolution).items()}
    with replacing(arguments.output) as staging:
        save_file(inputs, staging)


if __name__ == "__main__":
    run(main)
