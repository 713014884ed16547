"""The photos that weights are rounded on, and those that the result is judged on. None is a probe of the checks."""

import numpy as np
import torch
from skimage import data
from torch import Tensor

from workflow_scripts.shared.drawings import Pixels, preprocess

# All are part of scikit-image, and none is among the probe photos. The worst probe is often not a photo but noise or
# plain colours, so each set gets such inputs, too.
CALIBRATION = (data.coffee, data.rocket, data.camera, data.colorwheel)
CHECKING = (data.hubble_deep_field, data.retina, data.coins, data.immunohistochemistry)


def bars(size: int, across: bool, order: tuple[int, int, int] = (1, 2, 0)) -> Pixels:
    """Return [size, size, 3]: bars of the eight saturated colours, horizontal, or reversed and vertical if `across`.

    Red, green and blue change as often as the bits of a bar's number that `order` names.
    """
    bar = np.arange(size) * 8 // size
    column = np.stack([(bar >> bit & 1) * 255 for bit in order], axis=-1).astype(np.uint8)
    stripes = np.broadcast_to(column[:, np.newaxis], (size, size, 3))
    return stripes[::-1].transpose(1, 0, 2) if across else stripes


def sparks(size: int, random: np.random.Generator) -> Pixels:
    """Return a black [size, size, 3] with four white pixels: preprocessing can make this of a dark photo."""
    photo = np.zeros((size, size, 3), np.uint8)
    photo[random.integers(0, size, 4), random.integers(0, size, 4)] = 255
    return photo


def network_inputs(photos: tuple[object, ...], resolution: int, seed: int) -> dict[str, Tensor]:
    """Return network inputs [1, 3, resolution, resolution] by name: the photos, noise, sparks and bars."""
    random = np.random.default_rng(seed)
    loaded: dict[str, Pixels] = {}
    for load in photos:
        photo: Pixels = load()  # type: ignore[operator]
        loaded[load.__name__] = photo if photo.ndim == 3 else np.repeat(photo[..., np.newaxis], 3, axis=2)  # type: ignore[attr-defined]
    loaded["noise"] = random.integers(0, 256, (resolution, resolution, 3)).astype(np.uint8)
    loaded["sparks"] = sparks(resolution, random)
    loaded["bars"] = bars(resolution, across=seed % 2 == 0)
    return {name: torch.from_numpy(preprocess(photo[..., :3], resolution)) for name, photo in loaded.items()}


def calibration_inputs(resolution: int) -> dict[str, Tensor]:
    """Return the network inputs that weights are rounded on."""
    return network_inputs(CALIBRATION, resolution, seed=1)


def checking_inputs(resolution: int) -> dict[str, Tensor]:
    """Return network inputs that rounded weights, and models in int8, are judged on."""
    return network_inputs(CHECKING, resolution, seed=2)


def more_bars(resolution: int) -> dict[str, Tensor]:
    """Return network inputs of bars in the other orders: rounded weights drew one with 29 dB and another with 54."""
    orders = [(0, 2, 1), (1, 0, 2), (2, 0, 1), (2, 1, 0)]
    photos = {"bars " + "".join("rgb"[i] for i in order): bars(resolution, True, order) for order in orders}
    return {name: torch.from_numpy(preprocess(photo, resolution)) for name, photo in photos.items()}
