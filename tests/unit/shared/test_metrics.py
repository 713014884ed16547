import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter  # type: ignore[import-untyped]
from skimage.metrics import peak_signal_noise_ratio

from workflow_scripts.shared.metrics import compare

pytestmark = pytest.mark.environment("torch")

RNG = np.random.default_rng(11)
EXPECTED = RNG.uniform(0, 1, (1, 1, 40, 48)).astype(np.float32)


def drawn(d0: NDArray[np.float32]) -> NDArray[np.float64]:
    picture = d0[0, 0].astype(np.float64)
    stretched: NDArray[np.float64] = (picture - picture.min()) / (picture.max() - picture.min())
    return stretched


def ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Wang et al. 2004, equation 13, over 7×7 uniform windows with sample covariances, borders left out."""
    c1, c2, samples = 0.01**2, 0.03**2, 49

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        averaged: NDArray[np.float64] = uniform_filter(values, 7)[3:-3, 3:-3]
        return averaged

    ma, mb, unbiased = mean(a), mean(b), samples / (samples - 1)
    va, vb = unbiased * (mean(a * a) - ma * ma), unbiased * (mean(b * b) - mb * mb)
    covariance = unbiased * (mean(a * b) - ma * mb)
    return float(np.mean((2 * ma * mb + c1) * (2 * covariance + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))))


def test_figures_are_those_of_the_formulas() -> None:
    found = np.clip(EXPECTED + RNG.normal(0, 0.05, EXPECTED.shape), 0, 1).astype(np.float32)
    difference = compare(found, EXPECTED, "saliency")
    # Sorted, so that this test counts the quantile and does not compute it like the script.
    delta = np.sort(np.abs(found.astype(np.float64) - EXPECTED).ravel())
    rank = 0.99 * (delta.size - 1)
    low = int(rank)
    assert difference.max_abs == pytest.approx(delta[-1])
    assert difference.mean_abs == pytest.approx(delta.sum() / delta.size)
    assert difference.p99_abs == pytest.approx(delta[low] + (rank - low) * (delta[low + 1] - delta[low]))
    pictures = drawn(EXPECTED), drawn(found)
    assert difference.drawing_psnr_db == pytest.approx(peak_signal_noise_ratio(*pictures, data_range=1))
    assert difference.drawing_ssim == pytest.approx(ssim(*pictures))
    assert difference.drawing_ssim < 0.999


def test_equal_outputs_have_no_difference() -> None:
    difference = compare(EXPECTED.copy(), EXPECTED, "portrait")
    assert (difference.max_abs, difference.mean_abs, difference.p99_abs) == (0, 0, 0)
    assert difference.drawing_psnr_db == 200
    assert difference.drawing_ssim == pytest.approx(1)


def test_one_flipped_value_shows_in_the_maximum_alone() -> None:
    found = EXPECTED.copy()
    found[0, 0, 5, 5] = 1 - found[0, 0, 5, 5]
    difference = compare(found, EXPECTED, "portrait")
    assert difference.max_abs == pytest.approx(abs(1 - 2 * float(EXPECTED[0, 0, 5, 5])), abs=1e-6)
    assert difference.p99_abs == 0
    assert difference.drawing_psnr_db < 200


def test_errors_do_not_depend_on_the_task() -> None:
    found = (EXPECTED * 0.9).astype(np.float32)
    portrait, saliency = compare(found, EXPECTED, "portrait"), compare(found, EXPECTED, "saliency")
    assert portrait.max_abs == saliency.max_abs
    assert portrait.drawing_psnr_db == pytest.approx(saliency.drawing_psnr_db)


def test_two_blank_outputs_compare_without_nan() -> None:
    blank = np.full((1, 1, 32, 32), 0.25, np.float32)
    difference = compare(blank, (blank + 0.5).astype(np.float32), "portrait")
    assert difference.max_abs == pytest.approx(0.5)
    assert np.isfinite([difference.drawing_psnr_db, difference.drawing_ssim]).all()
