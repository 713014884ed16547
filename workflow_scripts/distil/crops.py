"""Crops of photos with the teacher's drawings of them, and what the student sees of a crop.

A crop depends only on the seed and on its number, so it can be made again. A finished crop is kept on disk, so that the
teacher draws each crop once. Colours, noise, blur and borders are changed only when a crop is shown to the student.
"""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor, nn

from workflow_scripts.distil.photos import Photo, read_photo
from workflow_scripts.shared.drawings import MEAN, STANDARD_DEVIATION
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import replacing

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# A crop's photo is kept at the largest size used for training.
CROP_SIDE = 512
# The teacher looks at a crop at these multiples of its own resolution, mirrored if `True`. The mean is a better drawing
# than any single one, because the single looks mostly disagree about noise.
LOOKS = ((0.8, False), (0.8, True), (1.0, False), (1.0, True), (1.2, False))
# Logits are stored within these bounds, in 256 levels.
LOGIT_BOUND = 8.0
# A drawing is enlarged as logits, which keeps its edges sharp. These bounds keep the width of its lines.
EDGE_BOUND = 4.0


@dataclass(frozen=True)
class Crop:
    """A crop: RGBA photo [CROP_SIDE, CROP_SIDE, 4], alpha 0 outside the photo, and teacher's logits [side, side]."""

    photo: Pixels
    logits: Floats


def normalised(photo: Tensor) -> Tensor:
    """Turn RGB [batch, 3, height, width] in [0, 1] into a network's input, as the reference implementation does."""
    peak = photo.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)
    mean = torch.from_numpy(MEAN).view(1, 3, 1, 1).to(photo)
    deviation = torch.from_numpy(STANDARD_DEVIATION).view(1, 3, 1, 1).to(photo)
    return (photo / peak - mean) / deviation


def resized(x: Tensor, side: int, mode: str = "bilinear") -> Tensor:
    """Resize [batch, channels, height, width] to a square. When shrinking, the filter widens."""
    return F.interpolate(x, size=(side, side), mode=mode, align_corners=False, antialias=True)


def as_tensor(pixels: Pixels) -> Tensor:
    """Turn [height, width, channels] in 0 to 255 into [1, channels, height, width] in [0, 1]."""
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]


class Teacher:
    """A trained network that makes the drawings.

    `resolution` is the one at which it draws best. `inverted` says that its d0 is the drawing itself, dark lines on
    white. Its logits are then negated, so that a student always learns 1 for ink.
    """

    def __init__(self, network: nn.Module, resolution: int, inverted: bool, device: torch.device) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last).eval()
        self.resolution = resolution
        self.inverted = inverted
        self.device = device

    @torch.inference_mode()
    def look(self, photo: Tensor, side: int) -> Tensor:
        """Return the logits [1, 1, side, side] of one pass over a photo [1, 3, height, width] in [0, 1]."""
        d0 = self.network(
            normalised(resized(photo.to(self.device), side)).contiguous(memory_format=torch.channels_last)
        )
        logits = torch.logit(d0.float().clamp(1e-4, 1 - 1e-4)).cpu()
        return -logits if self.inverted else logits

    def check_paper(self, crops: Sequence[Crop]) -> None:
        """Raise Failure if the teacher's drawings of some crops are mostly ink: then its stated task is the wrong one.

        Several crops are needed: of one dark photo, a drawing may rightly be mostly ink.
        """
        ink = fmean(float(torch.sigmoid(torch.from_numpy(crop.logits)).mean()) for crop in crops)
        if ink > 0.5:
            named, other = ("drawing", "portrait") if self.inverted else ("portrait", "drawing")
            raise Failure(
                f"the teacher draws white on black: {100 * ink:.0f} % of its first {len(crops)} drawings is ink; "
                f"its task is {other}, not {named}"
            )

    def logits(self, photo: Tensor) -> Tensor:
        """Return the mean logits [1, 1, resolution, resolution] of several looks at a photo."""
        total = torch.zeros(1, 1, self.resolution, self.resolution)
        for scale, flipped in LOOKS:
            side = 32 * max(1, round(scale * self.resolution / 32))
            seen = self.look(photo.flip(3) if flipped else photo, side)
            total += resized(seen.flip(3) if flipped else seen, self.resolution, "bicubic")
        return total / len(LOOKS)


def drawn(logits: Tensor, side: int, sharpness: float) -> Tensor:
    """Return what a student should output at `side` pixels, [batch, 1, side, side] in [0, 1].

    A drawing is enlarged as logits and reduced as ink. So a line is neither blurred nor lost.
    """
    if side >= logits.shape[-1]:
        bounded = logits.clamp(-EDGE_BOUND, EDGE_BOUND)
        return torch.sigmoid(sharpness * resized(bounded, side, "bicubic"))
    ink = resized(torch.sigmoid(sharpness * logits), side)
    return ((ink - 0.5) * sharpness + 0.5).clamp(0, 1)


def random_square(photo: Pixels, random: Generator) -> Pixels:
    """Cut a random square out of an RGB photo [height, width, 3]: RGBA [CROP_SIDE, CROP_SIDE, 4].

    Sometimes the square is the whole photo or more. Outside the photo, its last rows and columns are repeated, and
    alpha is 0. The crop is turned a little and made a little wider or narrower, because the network's square input does
    not keep the aspect either.
    """
    height, width, _ = photo.shape
    shorter, longer = min(height, width), max(height, width)
    kind = random.random()
    if kind < 0.2:
        side = longer * random.uniform(0.9, 1.3)
    elif kind < 0.4:
        side = shorter * random.uniform(0.95, 1.0)
    else:
        side = shorter * random.uniform(0.5, 1.0)
    aspect = math.exp(random.uniform(-0.2, 0.2))
    wide, high = side * aspect, side / aspect
    angle = math.radians(random.normal(0, 6)) if random.random() < 0.4 else 0.0

    def start(extent: int, size: float) -> float:
        room = extent - size
        return random.uniform(0, room) if room > 0 else random.uniform(1.2 * room, -0.2 * room)

    left, top = start(width, wide), start(height, high)
    middle_x, middle_y = left + wide / 2, top + high / 2
    steps = (np.arange(CROP_SIDE) + 0.5) / CROP_SIDE - 0.5
    across, down = np.meshgrid(steps * wide, steps * high)
    x = middle_x + across * math.cos(angle) - down * math.sin(angle)
    y = middle_y + across * math.sin(angle) + down * math.cos(angle)
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    # If the photo has far more pixels than the crop, reduce it before sampling: otherwise lines would flicker.
    excess = max(wide, high) / CROP_SIDE
    source = torch.from_numpy(photo.astype(np.float32)).permute(2, 0, 1)[None]
    if excess > 1.3:
        size = (max(1, round(height / excess)), max(1, round(width / excess)))
        source = F.interpolate(source, size=size, mode="bilinear", align_corners=False, antialias=True)
    grid = np.stack((2 * x / width - 1, 2 * y / height - 1), axis=-1).astype(np.float32)
    sampled = F.grid_sample(
        source, torch.from_numpy(grid)[None], mode="bilinear", padding_mode="border", align_corners=False
    )
    rgb = sampled[0].permute(1, 2, 0).round().clamp(0, 255).numpy().astype(np.uint8)
    return np.concatenate((rgb, np.where(inside, 255, 0).astype(np.uint8)[..., None]), axis=2)


def middle_square(photo: Pixels, random: Generator) -> Pixels:
    """Return the largest square of a photo, centred and a third of the way down: RGBA [CROP_SIDE, CROP_SIDE, 4].

    The page opens a portrait with the same frame. Nothing about it is random.
    """
    height, width, _ = photo.shape
    side = min(height, width)
    top, left = (height - side) // 3, (width - side) // 2
    square = Image.fromarray(photo[top : top + side, left : left + side])
    return np.asarray(square.resize((CROP_SIDE, CROP_SIDE), Image.Resampling.BICUBIC).convert("RGBA"))


def encoded(logits: Tensor) -> Pixels:
    """Turn logits [1, 1, side, side] into bytes [side, side]."""
    scaled = (logits[0, 0].clamp(-LOGIT_BOUND, LOGIT_BOUND) + LOGIT_BOUND) * (255 / (2 * LOGIT_BOUND))
    return scaled.round().numpy().astype(np.uint8)


def decoded(pixels: Pixels) -> Floats:
    """Turn bytes back into logits, [side, side]."""
    return pixels.astype(np.float32) * np.float32(2 * LOGIT_BOUND / 255) - np.float32(LOGIT_BOUND)


class Crops:
    """`per_photo` crops of each photo, made when they are first asked for and kept in `folder`."""

    def __init__(
        self,
        photos: Sequence[Photo],
        per_photo: int,
        teacher: Teacher,
        seed: int,
        folder: Path,
        cut: Callable[[Pixels, Generator], Pixels] = random_square,
    ) -> None:
        self.photos = photos
        self.teacher = teacher
        self.seed = seed
        self.folder = folder
        self.count = per_photo * len(photos)
        self.cut = cut

    def __getitem__(self, number: int) -> Crop:
        """Return crop `number`, from 0 to count - 1. The first ones take each photo once."""
        photo_file, logits_file = (self.folder / f"{number:06d}.{kind}.png" for kind in ("photo", "teacher"))
        if not logits_file.exists():
            random = np.random.default_rng((self.seed, 1, number))
            photo = self.cut(read_photo(self.photos[number % len(self.photos)].path), random)
            logits = encoded(self.teacher.logits(as_tensor(photo[..., :3])))
            for path, pixels in ((photo_file, photo), (logits_file, logits)):
                with replacing(path) as staging:
                    Image.fromarray(pixels).save(staging, format="PNG", compress_level=1)
        return Crop(np.asarray(Image.open(photo_file)), decoded(np.asarray(Image.open(logits_file))))


def recoloured(photo: Tensor, random: Generator) -> Tensor:
    """Change a photo's light and colours at random: [1, 3, height, width] in [0, 1], before and after."""
    if random.random() < 0.85:
        photo = photo ** math.exp(random.normal(0, 0.3))
        grey = photo.mean(dim=1, keepdim=True)
        photo = grey + (photo - grey) * random.choice((0.0, random.uniform(0.3, 1.5)), p=(0.1, 0.9))
        tint = torch.from_numpy(np.exp(random.normal(0, 0.06, 3)).astype(np.float32)).view(1, 3, 1, 1)
        contrast, light = math.exp(random.normal(0, 0.2)), random.normal(0, 0.06)
        photo = ((photo * tint - 0.5) * contrast + 0.5 + light).clamp(0, 1)
    if random.random() < 0.25:
        # Make the light come from one side.
        _, _, height, width = photo.shape
        angle = random.uniform(0, 2 * math.pi)
        across = torch.linspace(-1, 1, width).view(1, 1, 1, -1) * math.cos(angle)
        down = torch.linspace(-1, 1, height).view(1, 1, -1, 1) * math.sin(angle)
        photo = (photo * (1 + random.uniform(0, 0.5) * (across + down))).clamp(0, 1)
    return photo


def roughened(photo: Tensor, random: Generator) -> Tensor:
    """Blur a photo, add noise or pass it through JPEG, at random: [1, 3, height, width] in [0, 1]."""
    kind = random.random()
    if kind < 0.15:
        image = Image.fromarray(photo[0].permute(1, 2, 0).mul(255).round().numpy().astype(np.uint8))
        photo = as_tensor(np.asarray(image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2)))))
    elif kind < 0.3:
        image = Image.fromarray(photo[0].permute(1, 2, 0).mul(255).round().numpy().astype(np.uint8))
        packed = io.BytesIO()
        image.save(packed, format="JPEG", quality=int(random.integers(30, 90)))
        photo = as_tensor(np.asarray(Image.open(packed).convert("RGB")))
    if random.random() < 0.35:
        noise = random.normal(0, random.uniform(0.005, 0.05), photo.shape).astype(np.float32)
        photo = (photo + torch.from_numpy(noise)).clamp(0, 1)
    return photo


def bordered(photo: Tensor, alpha: Tensor, random: Generator) -> Tensor:
    """Paint the area outside the photo: mostly white, as around a padded face, else black, a colour, or unchanged."""
    kind = random.random()
    if kind < 0.15:
        return photo
    colour = (1.0, 1.0, 1.0) if kind < 0.7 else (0.0, 0.0, 0.0) if kind < 0.85 else random.uniform(0, 1, 3)
    border = torch.tensor(np.asarray(colour, np.float32)).view(1, 3, 1, 1)
    return photo * alpha + border * (1 - alpha)


@dataclass(frozen=True)
class Shape:
    """A batch's shape: the whole crop has `scene` pixels per side, and the student sees `window` of them per side."""

    scene: int
    window: int
    count: int


def example(crop: Crop, shape: Shape, sharpness: float, random: Generator) -> tuple[Tensor, Tensor]:
    """Return the student's input, normalised [1, 3, window, window], and its wanted output [1, 1, window, window].

    Outside the photo the wanted output is 0: blank paper, no mask.
    """
    photo = resized(as_tensor(crop.photo[..., :3]), shape.scene).clamp(0, 1)
    alpha = resized(as_tensor(crop.photo[..., 3:]), shape.scene).clamp(0, 1)
    wanted = drawn(torch.from_numpy(crop.logits)[None, None], shape.scene, sharpness) * alpha
    top, left = (int(random.integers(0, shape.scene - shape.window + 1)) for _ in range(2))
    rows, columns = slice(top, top + shape.window), slice(left, left + shape.window)
    photo, alpha, wanted = (x[..., rows, columns] for x in (photo, alpha, wanted))
    if random.random() < 0.5:
        photo, alpha, wanted = photo.flip(3), alpha.flip(3), wanted.flip(3)
    photo = roughened(bordered(recoloured(photo, random), alpha, random), random)
    return normalised(photo), wanted


def batch(
    crops: Crops, pool: int, shapes: Sequence[Shape], sharpness: float, random: Generator
) -> tuple[Tensor, Tensor]:
    """Return one step's inputs [count, 3, window, window] and wanted outputs, from the first `pool` crops."""
    shape = shapes[int(random.integers(len(shapes)))]
    numbers = random.integers(0, min(pool, crops.count), shape.count)
    made = [example(crops[int(number)], shape, sharpness, random) for number in numbers]
    return torch.cat([photo for photo, _ in made]), torch.cat([wanted for _, wanted in made])
