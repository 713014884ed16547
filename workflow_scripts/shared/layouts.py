"""The two orders in which engines keep an image's axes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def nhwc(x: NDArray[Any]) -> NDArray[Any]:
    """Turn [batch, channels, height, width] into [batch, height, width, channels]."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def nchw(x: NDArray[Any]) -> NDArray[Any]:
    """Turn [batch, height, width, channels] into [batch, channels, height, width]."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
