from collections.abc import Callable
from math import log
from pathlib import Path

import numpy as np
import pytest

from workflow_scripts.draw import faces
from workflow_scripts.draw.faces import Box, Face

pytestmark = pytest.mark.environment("draw")

Cell = tuple[int, float, list[float]]


def outputs(*cells: Cell) -> tuple[faces.Floats, faces.Floats]:
    """Return the detector's outputs with these boxes: the cell's index, its score, the first values."""
    regressors, scores = np.zeros((896, 16), np.float32), np.full(896, -100, np.float32)
    for index, score, values in cells:
        regressors[index, : len(values)], scores[index] = values, score
    return regressors, scores


def test_boxes_lie_around_the_middles_of_their_cells() -> None:
    # The second box of row 1, column 2 of the 16 × 16 cells; the last of the last of the 8 × 8 cells.
    first, second = faces.read_faces(*outputs((2 * (16 + 2) + 1, 2, [1, -1, 20, 30]), (895, 3, [0, 0, 10, 10])))
    assert first.box == Box(115, 115, 10, 10)
    assert second.box == Box(21 - 10, 11 - 15, 20, 30)
    assert second.score == pytest.approx(1 / (1 + np.exp(-2)))


def test_boxes_of_one_face_become_their_average() -> None:
    (face,) = faces.read_faces(*outputs((0, log(3), [4, 0, 40, 40]), (1, log(9), [0, 0, 40, 40])))
    assert face.score == pytest.approx(0.9)
    assert face.box.x == pytest.approx(4 - 20 + 4 * 0.75 / 1.65)


@pytest.mark.parametrize("score", [log(0.69 / 0.31), float("nan"), -1e9])
def test_low_score_is_no_face(score: float) -> None:
    assert faces.read_faces(*outputs((0, score, [0, 0, 40, 40]))) == []


def test_surest_box_of_a_face_that_was_found_twice_is_kept() -> None:
    one, same = Face(Box(0, 0, 10, 10), 0.8), Face(Box(1, 0, 10, 10), 0.9)
    another = Face(Box(30, 0, 10, 10), 0.7)
    assert faces.distinct([one, another, same]) == [same, another]


@pytest.mark.parametrize(
    ("width", "height", "count"), [(512, 341, 6), (300, 300, 9), (100, 500, 9), (512, 32, 31), (512, 31, 0)]
)
def test_parts_cover_the_picture(width: int, height: int, count: int) -> None:
    parts = faces.parts_of(width, height)
    assert len(parts) == count
    if parts:
        assert max(x + side for x, _, side in parts) == width
        assert max(y + side for _, y, side in parts) == height


@pytest.mark.parametrize(
    ("box", "frame"),
    [
        (Box(400, 300, 100, 100), (360, 225, 540, 405)),
        (Box(-10, 5, 100, 100), (0, 0, 180, 180)),
        (Box(940, 750, 100, 100), (820, 620, 1000, 800)),
        (Box(100, 100, 700, 700), (50, 0, 850, 800)),
    ],
)
def test_frame_is_inside_the_photo(box: Box, frame: tuple[int, int, int, int]) -> None:
    assert faces.frame_face(Face(box, 1), 1000, 800) == frame


def test_photo_without_faces_is_framed_in_the_middle() -> None:
    assert faces.frame_portrait([], 400, 1000) == (0, 200, 400, 600)


def test_another_file_is_refused(tmp_path: Path, refusal: Callable[..., str]) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(b"TFL3")
    assert f"{other} is not the face detector" in refusal(lambda _: faces.open_detector(other))
