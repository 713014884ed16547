from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from skimage import data

from workflow_scripts.shared.drawings import draw, preprocess, unnormalise

pytestmark = pytest.mark.environment("torch")


def expected_input(photo: NDArray[np.uint8], resolution: int) -> NDArray[np.float64]:
    """The reference implementation's formula, resized by PyTorch instead of Pillow, in float64."""
    channels = torch.from_numpy(photo.astype(np.float64)).permute(2, 0, 1)[None]
    size = (resolution, resolution)
    resized = torch.nn.functional.interpolate(channels, size=size, mode="bilinear", antialias=True)[0].numpy()
    red, green, blue = resized / resized.max()
    return np.stack([(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225])[None]


@pytest.mark.parametrize("resolution", [64, 320, 1024])
@pytest.mark.parametrize("name", ["astronaut", "chelsea"])
def test_a_photo_is_preprocessed_as_the_reference_implementation_does(name: str, resolution: int) -> None:
    # Smaller, larger, and from a photo that is not square.
    photo: NDArray[np.uint8] = getattr(data, name)()
    found = preprocess(photo, resolution)
    assert found.dtype == np.float32
    assert found.shape == (1, 3, resolution, resolution)
    assert np.abs(found - expected_input(photo, resolution)).max() < 1e-4


def test_a_network_input_survives_its_file(tmp_path: Path) -> None:
    # safetensors writes the memory as it is and ignores strides.
    x = preprocess(data.chelsea(), 64)
    save_file({"chelsea": x}, tmp_path / "probes.safetensors")
    assert (load_file(tmp_path / "probes.safetensors")["chelsea"] == x).all()


def test_swapped_channels_show() -> None:
    photo = data.astronaut()
    assert np.abs(preprocess(photo[..., ::-1], 64) - expected_input(photo, 64)).max() > 0.1


def test_a_dark_photo_is_divided_by_its_own_maximum() -> None:
    photo = (data.astronaut() // 4).astype(np.uint8)
    assert np.abs(preprocess(photo, 64) - expected_input(photo, 64)).max() < 1e-4
    assert unnormalise(preprocess(photo, 64)).max() == 255


def test_an_all_black_photo_is_finite_and_black() -> None:
    found = preprocess(np.zeros((10, 20, 3), np.uint8), 32)
    black = np.array([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225])
    assert np.allclose(found, black[None, :, None, None])
    assert unnormalise(found).max() == 0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), darkest=st.integers(0, 100), brightest=st.integers(101, 255))
def test_unnormalising_gives_the_photo_back_up_to_its_maximum(seed: int, darkest: int, brightest: int) -> None:
    # Its size is the resolution, so it is not resized.
    photo = np.random.default_rng(seed).integers(darkest, brightest + 1, (32, 32, 3)).astype(np.uint8)
    expected = photo.astype(np.float64) * 255 / photo.max()
    assert np.abs(unnormalise(preprocess(photo, 32)) - expected).max() <= 0.5 + 1e-3


def output(values: list[list[float]]) -> NDArray[np.float32]:
    return np.array(values, np.float32)[None, None]


def test_saliency_is_the_mask_stretched_to_the_whole_range() -> None:
    expected = [[0, 0.5], [0.25, 1]]
    assert np.allclose(draw(output([[0.2, 0.4], [0.3, 0.6]]), "saliency"), expected, atol=1e-6)


def test_a_portrait_is_dark_where_d0_is_high() -> None:
    expected = [[1, 0.5], [0.75, 0]]
    assert np.allclose(draw(output([[0.2, 0.4], [0.3, 0.6]]), "portrait"), expected, atol=1e-6)


@pytest.mark.parametrize("task", ["portrait", "saliency"])
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_output_draws_zeros(task: str, value: float) -> None:
    assert (draw(output([[value] * 4] * 4), task) == 0).all()


@pytest.mark.parametrize("task", ["portrait", "saliency"])
def test_a_drawing_spans_zero_to_one(task: str) -> None:
    d0 = np.random.default_rng(3).uniform(0.1, 0.9, (1, 1, 32, 48)).astype(np.float32)
    drawn = draw(d0, task)
    assert drawn.shape == (32, 48)
    assert (drawn.min(), drawn.max()) == (0, 1)
