"""The peak signal-to-noise ratio of two pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Reported for equal pictures, because their PSNR is infinite. float32 cannot reach it with different pictures.
PSNR_CEILING_DB = 200.0


def psnr_db(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the peak signal-to-noise ratio of two pictures in [0, 1], in dB, at most PSNR_CEILING_DB."""
    error = float(np.mean(np.square(a.astype(np.float64) - b)))
    return min(PSNR_CEILING_DB, float(-10 * np.log10(error))) if error > 0 else PSNR_CEILING_DB
