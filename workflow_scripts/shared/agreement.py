"""How alike two drawings or masks are to look at, as against how near their numbers are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.metrics import structural_similarity

Picture = NDArray[np.floating[Any]]

# Drawings are compared at this size, so that measures of drawings of all resolutions can be set side by side.
SIDE = 256
# A pixel is ink or inside a mask beyond this.
HALF = 0.5
# Neither paper nor ink: a soft pencil has much of it.
GREY = (0.2, 0.8)


def reduced(picture: Picture) -> NDArray[np.float64]:
    """Return a picture [height, width] in [0, 1] at SIDE × SIDE pixels, each the mean of those that it covers."""
    image = Image.fromarray(picture.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(image).astype(np.float64)


def share_of_grey(drawing: Picture) -> float:
    """Return the share of a drawing's pixels that are neither paper nor ink, at SIDE × SIDE."""
    small = reduced(drawing)
    return float(((small > GREY[0]) & (small < GREY[1])).mean())


def ink_f1(found: Picture, wanted: Picture) -> float:
    """Return the F1 score of one drawing's ink against another's, with a pixel's slack; 1 if neither has any.

    Both are dark lines on white, [height, width] in [0, 1], reduced to SIDE × SIDE.
    """
    a, b = reduced(found) < HALF, reduced(wanted) < HALF
    if not a.any() and not b.any():
        return 1.0
    near_a, near_b = ndimage.binary_dilation(a), ndimage.binary_dilation(b)
    precision = (a & near_b).sum() / max(1, a.sum())
    recall = (b & near_a).sum() / max(1, b.sum())
    return float(2 * precision * recall / max(1e-9, precision + recall))


def mask_iou(found: Picture, wanted: Picture) -> float:
    """Return the intersection of two masks over their union, both reduced to SIDE × SIDE; 1 if both are empty."""
    a, b = reduced(found) > HALF, reduced(wanted) > HALF
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


def structure(found: Picture, wanted: Picture) -> float:
    """Return the structural similarity of two pictures, reduced to SIDE × SIDE and blurred by one pixel."""
    a, b = (ndimage.gaussian_filter(reduced(picture), 1) for picture in (found, wanted))
    return float(structural_similarity(a, b, data_range=1.0))


def mask_agreement(found: Picture, wanted: Picture) -> dict[str, float]:
    """Compare two masks, [height, width] in [0, 1]: iou is their overlap, ssim their structure with its soft edges."""
    return {"iou": mask_iou(found, wanted), "ssim": structure(found, wanted)}


def drawing_agreement(found: Picture, wanted: Picture) -> dict[str, float]:
    """Compare two drawings, dark lines on white, [height, width] in [0, 1].

    ssim: structural similarity after a blur of one pixel. ink: F1 of the ink. tone: 1 - mean |difference| after a blur
    of six pixels: how dark hair, clothes and skin are. grey: the first's share of grey pixels over the second's, above
    1 for a softer pencil.
    """
    wide_a, wide_b = (ndimage.gaussian_filter(reduced(picture), 6) for picture in (found, wanted))
    return {
        "ssim": structure(found, wanted),
        "ink": ink_f1(found, wanted),
        "tone": float(1 - np.abs(wide_a - wide_b).mean()),
        "grey": share_of_grey(found) / max(1e-9, share_of_grey(wanted)),
    }


def agreement(found: Picture, wanted: Picture, task: str) -> float:
    """Return one figure, 0 to 1, for how alike two pictures are: IoU of masks, ink F1 of portraits."""
    return mask_iou(found, wanted) if task == "saliency" else ink_f1(found, wanted)
