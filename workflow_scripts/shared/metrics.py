"""Measure how far a backend's output is from PyTorch's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from workflow_scripts.shared.drawings import draw
from workflow_scripts.shared.psnr import psnr_db


@dataclass(frozen=True)
class Difference:
    """How two outputs differ: |Δ| of d0 itself, and PSNR and SSIM of the pictures drawn from them."""

    max_abs: float
    mean_abs: float
    p99_abs: float
    drawing_psnr_db: float
    drawing_ssim: float


def deviation(found: NDArray[Any], expected: NDArray[Any]) -> dict[str, float]:
    """Return max_abs, mean_abs and p99_abs of the difference of two d0 [1, 1, height, width] without NaN."""
    delta = np.abs(found.astype(np.float64) - expected)
    return {
        "max_abs": float(delta.max()),
        "mean_abs": float(delta.mean()),
        "p99_abs": float(np.quantile(delta, 0.99)),
    }


def compare(found: NDArray[Any], expected: NDArray[Any], task: str) -> Difference:
    """Compare two outputs d0 [1, 1, height, width] in [0, 1]. Neither may hold NaN."""
    drawn, reference = draw(found, task), draw(expected, task)
    return Difference(
        **deviation(found, expected),
        drawing_psnr_db=psnr_db(drawn, reference),
        drawing_ssim=float(structural_similarity(drawn, reference, data_range=1.0)),
    )
