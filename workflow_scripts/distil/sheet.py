"""Contact sheets that show photo, teacher and student side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from workflow_scripts.distil.crops import Crop, Crops, drawn
from workflow_scripts.shared.drawings import draw, preprocess
from workflow_scripts.shared.files import replacing

TILE = 256
MOST_ROWS = 12

Photo = NDArray[np.uint8]
Picture = NDArray[np.float64]


def draw_with(network: nn.Module, photo: Photo, side: int, task: str) -> Picture:
    """Return what a network draws of an RGB photo [height, width, 3] at `side` pixels: [side, side] in [0, 1]."""
    with torch.inference_mode():
        d0 = network(torch.from_numpy(preprocess(photo, side)))
    return draw(d0.numpy(), task)


def teachers_drawing(crop: Crop, side: int, sharpness: float, task: str) -> Picture:
    """Return what a student should draw of a crop at `side` pixels: [side, side] in [0, 1]."""
    return draw(drawn(torch.from_numpy(crop.logits)[None, None], side, sharpness).numpy(), task)


def tile(picture: Photo | Picture) -> Photo:
    """Turn a picture [side, side] in [0, 1], or a photo [side, side, 3] in 0 to 255, into RGB [TILE, TILE, 3]."""
    pixels = np.round(255 * picture).astype(np.uint8) if picture.ndim == 2 else picture.astype(np.uint8)
    kind = Image.Resampling.BOX if len(pixels) > TILE else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(pixels).convert("RGB").resize((TILE, TILE), kind))


def rows(
    crops: Crops, network: nn.Module, sizes: Sequence[int], sharpness: float, task: str
) -> Iterator[list[Photo | Picture]]:
    """Yield the tiles of one crop after another."""
    for number in range(min(MOST_ROWS, crops.count)):
        crop = crops[number]
        photo = crop.photo[..., :3]
        wanted = teachers_drawing(crop, crop.logits.shape[0], sharpness, task)
        yield [photo, wanted, *(draw_with(network, photo, size, task) for size in sizes)]


def draw_sheet(path: Path, crops: Crops, network: nn.Module, sizes: Sequence[int], sharpness: float, task: str) -> None:
    """Write a PNG of at most MOST_ROWS crops, one per row: photo, teacher's drawing, student's drawing at each size."""
    lines = [
        np.concatenate([tile(picture) for picture in row], axis=1)
        for row in rows(crops, network, sizes, sharpness, task)
    ]
    with replacing(path) as staging:
        Image.fromarray(np.concatenate(lines, axis=0)).save(staging, format="PNG", optimize=True)
