"""Make the inputs that every backend predicts on: real photos and what breaks naive preprocessing."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from commands import run
from files import replacing
from images import Pixels, preprocess
from numpy.typing import NDArray
from safetensors.numpy import save
from skimage import data

NOISE_SEED = 20200509


def saturated(size: int) -> Pixels:
    """Return vertical bars of the eight colours whose channels are all 0 or 255."""
    bar = np.arange(size) * 8 // size
    row = np.stack([(bar >> bit & 1) * 255 for bit in range(3)], axis=-1)
    return np.broadcast_to(row, (size, size, 3)).astype(np.uint8)


def probe_photos(resolution: int) -> dict[str, Pixels]:
    """Return RGB photos [height, width, 3] by name. The real ones ship with scikit-image, free of restrictions."""
    noise = np.random.default_rng(NOISE_SEED).integers(0, 256, (resolution, resolution, 3))
    return {
        "astronaut": data.astronaut(),
        "chelsea": data.chelsea(),
        "noise": noise.astype(np.uint8),
        "black": np.zeros((resolution, resolution, 3), np.uint8),
        "saturated": saturated(resolution),
    }


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="safetensors, [1, 3, H, W] a probe")
    arguments = parser.parse_args(argv)
    probes: dict[str, NDArray[np.float32]] = {
        name: preprocess(photo, arguments.resolution) for name, photo in probe_photos(arguments.resolution).items()
    }
    with replacing(arguments.output) as staging:
        staging.write_bytes(save(probes))


if __name__ == "__main__":
    run(main)
