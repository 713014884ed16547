"""Find faces in photos as the page does (web/lib/faces): with BlazeFace, in the whole photo and in its parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from workflow_scripts.shared.drawings import Pixels, resize
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import sha256

# face_detection_short_range.tflite of MediaPipe (Apache-2.0), from the npm package that web/package.json names.
DETECTOR = "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"
# The side of the detector's input. Photos are looked at with their longer side at SEEN_SIDE pixels.
INPUT_SIDE = 128
SEEN_SIDE = 4 * INPUT_SIDE
# Smaller parts of a photo show no whole face that could be drawn.
LEAST_PART = INPUT_SIDE // 4
# The detector's boxes around cells: the cells of one row, and how many boxes each cell has.
GRIDS = ((16, 2), (8, 6))
# With less it is no face. MediaPipe's own 0.5 found faces in a galaxy and in a motorcycle; 0.7 does not.
LEAST_SCORE = 0.7
# Boxes that share more than this (intersection over union) are of one face, as in MediaPipe.
SAME_FACE = 0.3
# What the frame adds to the face's box, as shares of its size (web/lib/faces/frame_face.ts gives the reasons).
BESIDE = 0.4
ABOVE = 0.75

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Box:
    """A box in pixels, from the top left. It may reach beyond the photo's edge."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Face:
    """A face, from the eyebrows to the chin, and how sure the detector is."""

    box: Box
    score: float


# From a photo [height, width, 3] to its faces, the largest first.
FindFaces = Callable[[Pixels], list[Face]]


def open_detector(model: Path) -> FindFaces:
    """Open the detector's .tflite file. Raises Failure if it is another file."""
    if not model.is_file() or sha256(model) != DETECTOR:
        raise Failure(f"{model} is not the face detector that this version knows; run: npm ci --prefix web")
    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(model), "CPU", options)
    regressors, scores = compiled.output("regressors"), compiled.output("classificators")

    def look(picture: Floats) -> list[Face]:
        small = shrink(picture, INPUT_SIDE)
        height, width, _ = small.shape
        left, top = (INPUT_SIDE - width) // 2, (INPUT_SIDE - height) // 2
        # In the middle of black, in [-1, 1].
        x = np.full((1, INPUT_SIDE, INPUT_SIDE, 3), -1, np.float32)
        x[0, top : top + height, left : left + width] = small / 127.5 - 1
        found = compiled.create_infer_request().infer({compiled.input(): x})
        across, down = picture.shape[1] / width, picture.shape[0] / height
        return [
            Face(Box((b.x - left) * across, (b.y - top) * down, b.width * across, b.height * down), face.score)
            for face in read_faces(found[regressors][0], found[scores][0, :, 0])
            for b in [face.box]
        ]

    return lambda photo: find_faces(photo, look)


def find_faces(photo: Pixels, look: Callable[[Floats], list[Face]]) -> list[Face]:
    """Look at a photo [height, width, 3] and at its parts. Return the faces, the largest first."""
    picture = shrink(photo, min(SEEN_SIDE, max(photo.shape[:2])))
    found = look(picture)
    for x, y, side in parts_of(picture.shape[1], picture.shape[0]):
        found += [
            Face(Box(f.box.x + x, f.box.y + y, f.box.width, f.box.height), f.score)
            for f in look(picture[y : y + side, x : x + side])
        ]
    across, down = photo.shape[1] / picture.shape[1], photo.shape[0] / picture.shape[0]
    faces = [
        Face(Box(f.box.x * across, f.box.y * down, f.box.width * across, f.box.height * down), f.score)
        for f in distinct(found)
    ]
    return sorted(faces, key=lambda face: -face.box.width * face.box.height)


def shrink(picture: Floats | Pixels, longer: int) -> Floats:
    """Resize a picture [height, width, 3] so that its longer side has `longer` pixels. Nothing is rounded."""
    scale = longer / max(picture.shape[:2])
    # Halves are rounded up, as in JavaScript.
    height, width = (max(1, int(side * scale + 0.5)) for side in picture.shape[:2])
    return np.stack([resize(picture[..., c], height, width) for c in range(3)], axis=-1)


def parts_of(width: int, height: int) -> list[tuple[int, int, int]]:
    """Return squares (x, y, side) that cover a picture, neighbours sharing half; none for a narrow strip."""
    side = min((max(width, height) + 1) // 2, width, height)
    if side < LEAST_PART:
        return []

    def starts(length: int) -> list[int]:
        steps = ceil(2 * (length - side) / side)
        return [int(step * (length - side) / steps + 0.5) if steps else 0 for step in range(steps + 1)]

    return [(x, y, side) for y in starts(height) for x in starts(width)]


def read_faces(regressors: Floats, scores: Floats) -> list[Face]:
    """Read the detector's outputs [896, 16] and [896]. Boxes of one face become their average, weighted by score."""
    middles = [
        ((cell % side + 0.5) * INPUT_SIDE / side, (cell // side + 0.5) * INPUT_SIDE / side)
        for side, boxes in GRIDS
        for cell in range(side * side)
        for _ in range(boxes)
    ]
    left = []
    for (x, y), (dx, dy, width, height), score in zip(
        middles, regressors[:, :4].tolist(), scores.tolist(), strict=True
    ):
        sure = 1 / (1 + exp(-max(score, -100)))
        if sure >= LEAST_SCORE:
            left.append(Face(Box(x + dx - width / 2, y + dy - height / 2, width, height), sure))
    left.sort(key=lambda face: -face.score)
    faces = []
    while left:
        same = [face for face in left if face is left[0] or overlap(left[0].box, face.box) > SAME_FACE]
        faces.append(Face(average(same), left[0].score))
        left = [face for face in left if face not in same]
    return faces


def distinct(faces: Sequence[Face]) -> list[Face]:
    """Return the surest of the faces that were found more than once."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(other.box, face.box) <= SAME_FACE for other in kept):
            kept.append(face)
    return kept


def overlap(a: Box, b: Box) -> float:
    """Return the intersection over the union of two boxes."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


def average(faces: Sequence[Face]) -> Box:
    """Return the average of boxes, weighted by score."""
    boxes = np.array([(face.box.x, face.box.y, face.box.width, face.box.height) for face in faces])
    return Box(*np.average(boxes, axis=0, weights=[face.score for face in faces]).tolist())


def frame_face(face: Face, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the square (left, top, right, bottom) of a photo that a portrait shows, in whole pixels inside it."""
    box = face.box
    size = max(box.width, box.height)
    side = max(1, min(int(size * (1 + 2 * BESIDE) + 0.5), width, height))
    x = box.x + box.width / 2 - side / 2
    y = box.y + box.height / 2 - size / 2 - ABOVE * size
    left = min(max(0, floor(x + 0.5)), width - side)
    top = min(max(0, floor(y + 0.5)), height - side)
    return left, top, left + side, top + side


def frame_portrait(faces: Sequence[Face], width: int, height: int) -> tuple[int, int, int, int]:
    """Return the frame with which the page begins: around the largest face, or else the largest square.

    That square is in the middle and a third of the way down, where faces usually are (web/src/crop/frame.ts).
    """
    if faces:
        return frame_face(faces[0], width, height)
    side = min(width, height)
    left, top = floor((width - side) / 2 + 0.5), floor((height - side) / 3 + 0.5)
    return left, top, left + side, top + side
