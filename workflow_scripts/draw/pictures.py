"""Make the picture that the page saves from the network's output: drawing, mask or cut-out."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workflow_scripts.shared.drawings import Floats, Pixels


def stretch(d0: Floats, task: str) -> NDArray[np.float32]:
    """Turn d0 [1, 1, height, width] into the picture [height, width], stretched to [0, 1]. A constant d0 gives zeros.

    A portrait is 1 - d0: dark lines on white paper. A drawing already has dark lines, so it is d0. A mask is also d0.
    """
    output = d0[0, 0].astype(np.float64)
    least, most = output.min(), output.max()
    if not most > least:
        return np.zeros(output.shape, np.float32)
    picture = most - output if task == "portrait" else output - least
    stretched: NDArray[np.float32] = (picture / (most - least)).astype(np.float32)
    return stretched


def filter_for(length: int, target: int) -> Image.Resampling:
    """Return the filter of one axis: bicubic if it grows, which keeps lines sharp, or the triangle if it shrinks."""
    return Image.Resampling.BICUBIC if target > length else Image.Resampling.BILINEAR


def picture_size(width: int, height: int, resolution: int, task: str) -> tuple[int, int]:
    """Return width and height of the picture of a photo.

    A mask has the photo's size. So has a drawing, unless the network drew a larger one: then it has that one's longer
    side, so that no line is lost. The page's own code is web/lib/pixels/postprocess.ts.
    """
    scale = 1.0 if task == "saliency" else max(1.0, resolution / max(width, height))
    return int(width * scale + 0.5), int(height * scale + 0.5)


def grey_picture(d0: Floats, task: str, width: int, height: int) -> Pixels:
    """Return the drawing or the mask at a size as the page saves it: 8-bit grey [height, width].

    The page's own code is web/lib/pixels/postprocess.ts. Both resize as Pillow does, the horizontal axis first.
    """
    image = Image.fromarray(stretch(d0, task))
    across, down = filter_for(image.width, width), filter_for(image.height, height)
    sized = image.resize((width, image.height), across).resize((width, height), down)
    levels = np.array(sized)
    np.clip(levels, 0, 1, out=levels)
    levels *= 255
    # Halves are rounded up, as in JavaScript.
    levels += 0.5
    return levels.astype(np.uint8)


def cut_out(photo: Pixels, mask: Pixels) -> Pixels:
    """Return the photo [height, width, 3] with the mask as alpha: RGBA [height, width, 4].

    Where the photo is invisible, its pixels are not stored, as in the page's file.
    """
    picture = np.dstack([photo, mask])
    picture[mask == 0] = 0
    return picture
