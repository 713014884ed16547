"""A student in training: its widths, its steps, its averaged weights, and the saved state to continue from."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from workflow_scripts.distil.crops import Crops, Shape, batch
from workflow_scripts.distil.losses import student_loss
from workflow_scripts.distil.sheet import draw_sheet
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.u2net import HEIGHTS, SIDES, U2Net, Widths

# The pool of crops begins with this many and grows by one every few steps. So training begins before all crops are
# made, and the teacher takes only a small part of the time.
FIRST_POOL = 48
STEPS_PER_CROP = 6
WARM_UP_STEPS = 100
# The running average of the weights covers the last ninth of the steps, but at most this many.
AVERAGED_STEPS = 500
WEIGHT_DECAY = 0.01
ENCODERS = ("stage1", "stage2", "stage3", "stage4", "stage5", "stage6")
# How often training prints a line, saves its state and draws a sheet, in seconds.
SAY_EVERY, KEEP_EVERY, SHOW_EVERY = 15, 60, 600


@dataclass(frozen=True)
class Recipe:
    """Everything that the result of training depends on, except its budget and the machine.

    `teacher`, `start` and `photos` are digests. `stages` are the student's widths.
    """

    teacher: str
    teacher_resolution: int
    inverted: bool
    start: str | None
    photos: tuple[str, ...]
    stages: dict[str, Widths]
    sizes: tuple[int, ...]
    crops_per_photo: int
    sharpness: float
    learning_rate: float
    seed: int
    precision: str
    pixels_per_step: int


@dataclass(frozen=True)
class Budget:
    """When training ends: after `steps` steps, or after a number of minutes if `steps` is None."""

    steps: int | None
    minutes: float | None

    def progress(self, step: int, seconds: float) -> float:
        """Return the spent share of the budget, 0 to 1."""
        spent = step / self.steps if self.steps is not None else seconds / 60 / cast(float, self.minutes)
        return min(1.0, spent)


def student_stages(widths: Mapping[str, Sequence[int]]) -> dict[str, Widths]:
    """Return the (input, middle, output) channels of each stage for a mapping of stages to (middle, output).

    A stage that is not named has the widths under "default". A stage's input channels follow from the other stages.
    """
    own = {stage: widths.get(stage, widths["default"]) for stage in HEIGHTS}
    stages: dict[str, Widths] = {}
    before = 3
    for stage in ENCODERS:
        stages[stage] = (before, own[stage][0], own[stage][1])
        before = own[stage][1]
    for stage in reversed(ENCODERS[:-1]):
        middle, output = own[f"{stage}d"]
        stages[f"{stage}d"] = (before + own[stage][1], middle, output)
        before = output
    return stages


def shapes_of(sizes: Sequence[int], pixels: int) -> list[Shape]:
    """Return the shapes of batches for the sizes at which a student will draw.

    Each size is trained on whole crops. A large size is also trained through a window: then most steps see details as
    large as at that size, at the cost of a small size. All sizes are used equally often.
    """
    shapes: list[Shape] = []
    for size in sizes:
        windows = [size, size] if size <= 384 else [size, 320]
        shapes += [Shape(size, window, max(1, round(pixels / window**2))) for window in windows]
    return shapes


def in_float32(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """Convolve without autocast."""
    with torch.autocast(x.device.type, enabled=False):
        return nn.Conv2d.forward(convolution, x.float())


class Student:
    """A network in training, the optimizer's state and the running average of its weights."""

    def __init__(self, stages: Mapping[str, Widths], learning_rate: float, device: torch.device) -> None:
        self.network = U2Net(stages).to(device).to(memory_format=torch.channels_last)
        for module in self.network.modules():
            if isinstance(module, nn.Conv2d) and module.dilation != (1, 1):
                # On a processor that computes in bfloat16, PyTorch 2.15 finds NaN or a wrong gradient for some dilated
                # kernels, or crashes (24 channels into 12). They are few, and their feature maps are small.
                module.forward = partial(in_float32, module)  # type: ignore[method-assign]
        self.average: dict[str, Tensor] = {}
        self.restart_average()
        # Weight decay does not apply to biases, nor to the scales and shifts of batch norms.
        matrices = [parameter for parameter in self.network.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in self.network.parameters() if parameter.ndim == 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}],
            lr=learning_rate,
        )
        self.raw: dict[str, Tensor] = {}
        for index in range(1, len(SIDES) + 1):
            self.network.get_submodule(f"side{index}").register_forward_hook(self.keeping(f"side{index}"))
        self.network.outconv.register_forward_hook(self.keeping("outconv"))

    def keeping(self, name: str) -> Any:
        """Return a hook that keeps a module's output, because the loss needs the output before the sigmoid."""

        def keep(_: nn.Module, __: Any, output: Tensor) -> None:
            self.raw[name] = output

        return keep

    def restart_average(self) -> None:
        """Restart the average from the present weights."""
        self.average = {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def step(self, photo: Tensor, wanted: Tensor, rate: float, step: int, bfloat16: bool) -> float:
        """Learn from one batch and return its loss. Raises Failure, and learns nothing, if that is not finite."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        device = wanted.device.type
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            self.network(photo.contiguous(memory_format=torch.channels_last))
        sides = [self.raw[f"side{index}"].float() for index in range(1, len(SIDES) + 1)]
        loss = student_loss(self.raw["outconv"].float(), sides, wanted)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        slope = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        if not (loss.isfinite() and slope.isfinite()):
            how = f"the loss is {loss:.3g} and its slope {slope:.3g}"
            raise Failure(f"{how} at step {step}; lower learning_rate, or set precision to float32")
        self.optimizer.step()
        decay = min(1 - 1 / AVERAGED_STEPS, (1 + step) / (10 + step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), 1 - decay)
            else:
                self.average[name].copy_(value)
        return float(loss.detach())

    def averaged(self) -> U2Net:
        """Return a copy of the network with the averaged weights, in evaluation mode."""
        copy = U2Net(self.stages)
        copy.load_state_dict(self.average)
        return copy.eval()

    @property
    def stages(self) -> dict[str, Widths]:
        """The widths of the network."""
        found: dict[str, Widths] = {}
        for stage in HEIGHTS:
            first = cast(nn.Conv2d, self.network.get_submodule(f"{stage}.rebnconvin.conv_s1"))
            middle = cast(nn.Conv2d, self.network.get_submodule(f"{stage}.rebnconv1.conv_s1"))
            found[stage] = (first.in_channels, middle.out_channels, first.out_channels)
        return found


def save_state(path: Path, student: Student, recipe: Recipe, step: int, seconds: float, losses: list[float]) -> None:
    """Save everything that training needs to continue. The file is written completely or not at all."""
    with replacing(path) as staging:
        torch.save(
            {
                "recipe": json.dumps(asdict(recipe), sort_keys=True),
                "network": student.network.state_dict(),
                "average": student.average,
                "optimizer": student.optimizer.state_dict(),
                "step": step,
                "seconds": seconds,
                "losses": losses,
            },
            staging,
        )


def load_state(path: Path, student: Student, recipe: Recipe) -> tuple[int, float, list[float]]:
    """Load a saved state and return its steps, seconds and losses. Raises Failure if another training saved it."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["recipe"] != json.dumps(asdict(recipe), sort_keys=True):
        kept, asked = json.loads(state["recipe"]), json.loads(json.dumps(asdict(recipe)))
        changed = ", ".join(key for key in asked if kept.get(key) != asked[key])
        raise Failure(f"{path} was begun with other settings ({changed}); delete that folder to begin again")
    student.network.load_state_dict(state["network"])
    student.optimizer.load_state_dict(state["optimizer"])
    for name, value in state["average"].items():
        student.average[name].copy_(value)
    return state["step"], state["seconds"], state["losses"]


def pays_bfloat16(recipe: Recipe, device: torch.device) -> bool:
    """Return whether a step in bfloat16 is faster than one in float32 on this machine, after trying both."""
    photo, wanted = torch.rand(2, 3, 160, 160, device=device), torch.rand(2, 1, 160, 160, device=device)
    fastest: dict[bool, float] = {}
    for bfloat16 in (False, True):
        student = Student(recipe.stages, recipe.learning_rate, device)
        taken = []
        for step in range(4):
            begun = time.monotonic()
            student.step(photo, wanted, recipe.learning_rate, step, bfloat16)
            taken.append(time.monotonic() - begun)
        fastest[bfloat16] = min(taken[1:])
    return fastest[True] < 0.9 * fastest[False]


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Return the learning rate: it warms up over the first steps, then falls along a cosine to zero at the end."""
    return recipe.learning_rate * min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * progress))


def minutes(seconds: float) -> str:
    """Return a duration in words."""
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.1f} min"


def train(
    recipe: Recipe,
    student: Student,
    crops: Crops,
    held_back: Crops,
    budget: Budget,
    task: str,
    work: Path,
    device: torch.device,
) -> tuple[int, float, list[float]]:
    """Train until the budget is spent. Return the steps, the seconds and each step's loss.

    Training saves its state to `work`/state.pt every minute and continues from it. `work`/sheet.png shows its progress.
    """
    state = work / "state.pt"
    step, seconds = 0, 0.0
    losses: list[float] = []
    if state.exists():
        step, seconds, losses = load_state(state, student, recipe)
        print(f"going on after step {step}", flush=True)
    bfloat16 = recipe.precision == "bfloat16" or (recipe.precision == "auto" and pays_bfloat16(recipe, device))
    print(f"on {device.type} in {'bfloat16' if bfloat16 else 'float32'}", flush=True)
    shapes = shapes_of(recipe.sizes, recipe.pixels_per_step)
    begun, kept, shown, said = time.monotonic() - seconds, seconds, seconds, seconds
    while (progress := budget.progress(step, seconds)) < 1:
        random = np.random.default_rng((recipe.seed, 2, step))
        photo, wanted = batch(crops, FIRST_POOL + step // STEPS_PER_CROP, shapes, recipe.sharpness, random)
        rate = learning_rate(recipe, step, progress)
        loss = student.step(photo.to(device), wanted.to(device), rate, step, bfloat16)
        losses.append(loss)
        step += 1
        seconds = time.monotonic() - begun
        if seconds - said >= SAY_EVERY or budget.progress(step, seconds) >= 1:
            said = seconds
            progress = budget.progress(step, seconds)
            left = seconds / progress - seconds
            recent = float(np.mean(losses[-50:]))
            print(f"step {step}: loss {recent:.4f}, {100 * progress:.0f} %, {minutes(left)} left", flush=True)
        if seconds - kept >= KEEP_EVERY:
            kept = seconds
            save_state(state, student, recipe, step, seconds, losses)
        if seconds - shown >= SHOW_EVERY:
            shown = seconds
            draw_sheet(
                work / "sheet.png", held_back, student.averaged(), sorted(set(recipe.sizes)), recipe.sharpness, task
            )
    save_state(state, student, recipe, step, seconds, losses)
    return step, seconds, losses
