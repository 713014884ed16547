"""The photos that every backend draws: real ones, and images that break naive preprocessing."""

import numpy as np
from skimage import data

from workflow_scripts.shared.drawings import Pixels

NOISE_SEED = 20200509


def saturated(size: int) -> Pixels:
    """Return vertical bars of the eight colours whose channels are all 0 or 255."""
    bar = np.arange(size) * 8 // size
    row = np.stack([(bar >> bit & 1) * 255 for bit in range(3)], axis=-1)
    return np.broadcast_to(row, (size, size, 3)).astype(np.uint8)


def probe_photos(resolution: int) -> dict[str, Pixels]:
    """Return RGB photos [height, width, 3] by name. The real ones are part of scikit-image and free to use."""
    noise = np.random.default_rng(NOISE_SEED).integers(0, 256, (resolution, resolution, 3))
    return {
        "astronaut": data.astronaut(),
        "chelsea": data.chelsea(),
        "noise": noise.astype(np.uint8),
        "black": np.zeros((resolution, resolution, 3), np.uint8),
        "saturated": saturated(resolution),
    }
