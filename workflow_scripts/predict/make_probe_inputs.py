"""Make the inputs that every backend predicts on: real photos, and images that break naive preprocessing."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from workflow_scripts.predict.probe_photos import probe_photos
from workflow_scripts.shared.drawings import preprocess
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="safetensors with one [1, 3, H, W] per probe")
    arguments = parser.parse_args(argv)
    probes: dict[str, NDArray[np.float32]] = {
        name: preprocess(photo, arguments.resolution) for name, photo in probe_photos(arguments.resolution).items()
    }
    with replacing(arguments.output) as staging:
        staging.write_bytes(save(probes))


if __name__ == "__main__":
    run(main)
