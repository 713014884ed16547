"""The interface of every native engine, once its model is open."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.formats.predictions import Signature


@dataclass(frozen=True)
class Engine:
    """A model that is open on a native engine.

    `predict` takes a network input [1, 3, height, width] in float32 and returns d0 [1, 1, height, width] in [0, 1].
    `package` is the engine's name in the package index.
    """

    package: str
    signature: Signature
    predict: Callable[[NDArray[np.float32]], NDArray[Any]]
