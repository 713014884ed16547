import numpy as np
import pytest

from workflow_scripts.draw.pictures import cut_out, grey_picture, picture_size, stretch

pytestmark = pytest.mark.environment("draw")

D0 = np.random.default_rng(3).uniform(0.2, 0.7, (1, 1, 32, 32)).astype(np.float32)


def keys_cubic(x: float) -> float:
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0


def triangle(x: float) -> float:
    return max(0, 1 - abs(x))


def weights(length: int, target: int) -> np.ndarray:
    """Return the resampling of one axis as a matrix: Keys' cubic if it grows, a widened triangle if it shrinks."""
    kernel = keys_cubic if target > length else triangle
    scale = max(length / target, 1)
    matrix = np.array(
        [[kernel((j + 0.5 - (i + 0.5) * length / target) / scale) for j in range(length)] for i in range(target)]
    )
    return matrix / matrix.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("task", ["portrait", "drawing", "saliency"])
@pytest.mark.parametrize(("width", "height"), [(32, 32), (80, 71), (20, 13), (100, 20), (20, 100), (1, 1)])
def test_picture_is_resampled_as_the_page_does(task: str, width: int, height: int) -> None:
    found = grey_picture(D0, task, width, height)
    picture = (D0[0, 0] - D0.min()) / (D0.max() - D0.min())
    picture = 1 - picture if task == "portrait" else picture
    expected = 255 * np.clip(weights(32, height) @ picture @ weights(32, width).T, 0, 1)
    assert found.shape == (height, width)
    assert np.abs(found - expected).max() <= 0.5 + 1e-2


def test_constant_output_is_black() -> None:
    assert not stretch(np.full((1, 1, 8, 8), 0.25, np.float32), "portrait").any()
    assert not grey_picture(np.full((1, 1, 8, 8), 0.25, np.float32), "saliency", 5, 5).any()


def test_cut_out_keeps_nothing_of_what_is_cut_away() -> None:
    photo = np.full((2, 2, 3), 200, np.uint8)
    mask = np.array([[0, 1], [128, 255]], np.uint8)
    assert cut_out(photo, mask).tolist() == [
        [[0, 0, 0, 0], [200, 200, 200, 1]],
        [[200, 200, 200, 128], [200, 200, 200, 255]],
    ]


# The page's own test has the same sizes.
@pytest.mark.parametrize(
    ("photo", "task", "size"),
    [
        ((170, 170), "portrait", (320, 320)),
        ((170, 85), "drawing", (320, 160)),
        ((1, 3000), "portrait", (1, 3000)),
        ((1, 300), "portrait", (1, 320)),
        ((640, 480), "portrait", (640, 480)),
        ((170, 85), "saliency", (170, 85)),
    ],
)
def test_a_drawing_is_no_smaller_than_the_network_draws_it(
    photo: tuple[int, int], task: str, size: tuple[int, int]
) -> None:
    assert picture_size(*photo, 320, task) == size
