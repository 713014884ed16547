"""The losses of a student: how far its pixels, edges, local structure and tone are from the teacher's."""

import torch
import torch.nn.functional as F
from torch import Tensor

# The constants of structural similarity for pictures in [0, 1] (Wang et al. 2004, doi:10.1109/TIP.2003.819861).
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


def smoothed(x: Tensor) -> Tensor:
    """Blur [batch, 1, height, width] with a 3 × 3 binomial kernel."""
    line = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype, device=x.device)
    kernel = (line[:, None] * line[None, :])[None, None]
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel)


def structure_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Return 1 - SSIM of two slightly blurred pictures, [batch, 1, height, width] in [0, 1], in 7 × 7 windows."""
    a, b = smoothed(found), smoothed(wanted)
    mean_a, mean_b = F.avg_pool2d(a, 7, 1), F.avg_pool2d(b, 7, 1)
    variance_a = F.avg_pool2d(a * a, 7, 1) - mean_a**2
    variance_b = F.avg_pool2d(b * b, 7, 1) - mean_b**2
    covariance = F.avg_pool2d(a * b, 7, 1) - mean_a * mean_b
    similarity = ((2 * mean_a * mean_b + SSIM_C1) * (2 * covariance + SSIM_C2)) / (
        (mean_a**2 + mean_b**2 + SSIM_C1) * (variance_a + variance_b + SSIM_C2)
    )
    return 1 - similarity.mean()


def edge_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean |difference| of the slopes to the right and downwards, which rewards crisp lines."""
    across = (found.diff(dim=3) - wanted.diff(dim=3)).abs().mean()
    down = (found.diff(dim=2) - wanted.diff(dim=2)).abs().mean()
    return across + down


def student_loss(logits: Tensor, sides: list[Tensor], wanted: Tensor) -> Tensor:
    """Return the loss of one batch, a scalar.

    `logits` are d0 before its sigmoid. `sides` are the side outputs before theirs. Each is [batch, 1, height, width] of
    its own size. `wanted` is the teacher's d0 in [0, 1]. Every side output learns the picture too, at its own size, as
    in the network's paper (arXiv:2005.09007).
    """
    found = torch.sigmoid(logits)
    # Ink and its edges are a small part of a drawing, but they are all that people see in it.
    near_ink = F.max_pool2d(wanted, 3, 1, 1)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, wanted, weight=1 + 2 * near_ink)
    tone = (F.avg_pool2d(found, 16, 8, ceil_mode=True) - F.avg_pool2d(wanted, 16, 8, ceil_mode=True)).abs().mean()
    total = (
        cross_entropy
        + (found - wanted).abs().mean()
        + edge_loss(found, wanted)
        + 0.5 * structure_loss(found, wanted)
        + tone
    )
    for side in sides:
        target = F.adaptive_avg_pool2d(wanted, (side.shape[-2], side.shape[-1]))
        total = total + 0.1 * F.binary_cross_entropy_with_logits(side, target)
    return total
