"""From photo to network input and from network output to drawing, as the reference implementation does it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]

# ImageNet statistics, which the reference implementation subtracts and divides by (RGB, range 0 to 1).
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
STANDARD_DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)


def resize(channel: Floats | Pixels, height: int, width: int) -> NDArray[np.float32]:
    """Resize one [height, width] channel with a triangle filter, which is wider when it shrinks. Nothing is rounded."""
    image = Image.fromarray(channel.astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def preprocess(photo: Pixels, resolution: int) -> NDArray[np.float32]:
    """Turn an RGB photo [height, width, 3] into a network input [1, 3, resolution, resolution].

    The photo is resized to a square, divided by its own maximum, and then normalised. An all-black photo has the
    maximum 0 and is not divided.
    """
    channels = [resize(photo[..., c], resolution, resolution) for c in range(3)]
    image = np.stack(channels, axis=-1)
    maximum = image.max()
    if maximum > 0:
        image = image / maximum
    normalised = ((image - MEAN) / STANDARD_DEVIATION).astype(np.float32)
    # safetensors stores the memory as it is, so a transposed view would be read back in the wrong order.
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[np.newaxis])


def unnormalise(x: Floats) -> Pixels:
    """Turn a network input [1, 3, height, width] back into RGB pixels [height, width, 3]."""
    image = x[0].transpose(1, 2, 0) * STANDARD_DEVIATION + MEAN
    pixels: Pixels = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
    return pixels


def draw(d0: Floats, task: str) -> NDArray[np.float64]:
    """Turn d0 [1, 1, height, width] into the picture that is shown: [height, width] in [0, 1].

    Portrait: dark lines on white paper, 1 - d0. Drawing: the same from a network that outputs it so, d0. Saliency: the
    mask, d0. All are stretched to [0, 1]. A constant d0 gives zeros.
    """
    picture: NDArray[np.float64] = d0[0, 0].astype(np.float64)
    if task == "portrait":
        picture = 1 - picture
    picture = picture - picture.min()
    peak = picture.max()
    return picture / peak if peak > 0 else picture
