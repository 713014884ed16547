"""Test the measures of how alike two pictures look."""

import numpy as np
import pytest

from workflow_scripts.shared.agreement import (
    agreement,
    drawing_agreement,
    ink_f1,
    mask_agreement,
    mask_iou,
    share_of_grey,
)

pytestmark = pytest.mark.environment("torch")


def cross(shift: int = 0, ink: float = 0.0) -> np.ndarray:
    """A drawing of two crossing lines on white paper, 512 × 512."""
    picture = np.ones((512, 512))
    picture[200 + shift : 208 + shift] = ink
    picture[:, 300 + shift : 308 + shift] = ink
    return picture


def test_a_drawing_agrees_with_itself_at_any_size() -> None:
    same = drawing_agreement(cross(), cross())
    assert same["ssim"] == pytest.approx(1)
    assert same["ink"] == 1
    assert same["tone"] == 1
    assert ink_f1(cross()[::2, ::2], cross()) == 1


def test_a_shift_costs_structure_and_ink_but_hardly_tone() -> None:
    moved = drawing_agreement(cross(16), cross())
    assert moved["ssim"] < 0.9
    assert moved["ink"] < 0.5
    assert moved["tone"] > 0.97
    # A shift of one pixel in 256 is allowed.
    assert ink_f1(cross(2), cross()) == 1


def test_a_soft_pencil_is_grey() -> None:
    assert share_of_grey(cross(ink=0.5)) > 0.02
    assert share_of_grey(cross()) == 0


def test_masks_are_compared_by_their_overlap() -> None:
    left, upper = np.zeros((64, 64)), np.zeros((128, 128))
    left[:, :32] = 1
    upper[:64] = 1
    assert mask_iou(left, upper) == pytest.approx(1 / 3)
    assert mask_iou(np.zeros((64, 64)), np.zeros((64, 64))) == 1
    assert mask_agreement(left, upper)["iou"] == pytest.approx(1 / 3)
    assert mask_agreement(left, left) == {"iou": 1, "ssim": pytest.approx(1)}
    # A mask may be soft: the overlap does not notice, the structure does.
    soft = mask_agreement(0.6 * left, left)
    assert soft["iou"] == 1
    assert soft["ssim"] < 0.95
    assert agreement(left, upper, "saliency") == pytest.approx(1 / 3)
    assert agreement(cross(), cross(), "portrait") == 1
