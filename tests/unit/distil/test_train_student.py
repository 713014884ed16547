"""Training at a tiny size: the loss falls, a killed run goes on to the same end, and bad input is refused."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file
from torch import nn

from workflow_scripts.distil.crops import Crop, Teacher
from workflow_scripts.distil.report_student import main as report
from workflow_scripts.distil.student import Student, student_stages
from workflow_scripts.distil.train_student import main as train
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import U2Net

pytestmark = pytest.mark.environment("torch")

# Another number of threads adds in another order, which changes sums.
torch.set_num_threads(1)

SETTINGS: dict[str, Any] = {
    "minutes": 60,
    "steps": 90,
    "widths": {"default": [2, 4]},
    "start": "nothing",
    "sizes": [64],
    "pixels_per_step": 2 * 64 * 64,
    "learning_rate": 0.01,
    "seed": 1,
    "precision": "float32",
    "crops_per_photo": 2,
    "sharpness": 1.2,
    "held_back": 0.25,
    "fewest_photos": 6,
}
# Saves its state at each step and prints that. Then the test kills it.
KEPT_OFTEN = """
import sys
import torch
from workflow_scripts.distil import student
from workflow_scripts.distil.train_student import main
torch.set_num_threads(1)
student.KEEP_EVERY = student.SAY_EVERY = 0
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with eight photos, a teacher that marks what is dark, and its checkpoint."""
    made = tmp_path_factory.mktemp("distil")
    (made / "photos").mkdir()
    for number in range(8):
        random = np.random.default_rng(number)
        image = Image.new("RGB", (96, 80), tuple(random.integers(150, 256, 3).tolist()))
        for _ in range(4):
            left, top, wide, high = random.integers(4, 40, 4).tolist()
            dark = tuple(random.integers(0, 60, 3).tolist())
            ImageDraw.Draw(image).ellipse((left, top, left + wide, top + high), fill=dark)
        image.save(made / f"photos/{number}.png")
    torch.manual_seed(3)
    teacher = U2Net(student_stages({"default": [3, 6]})).eval()
    with torch.no_grad():
        # Its first side output is what it draws: bright pixels are paper, dark ones ink.
        teacher.outconv.weight.zero_()
        teacher.outconv.weight[0, 0] = 1
        teacher.outconv.bias.zero_()
        first = teacher.get_submodule("stage1d.rebnconvin.conv_s1")
        first.weight.zero_()
        skip = first.weight.shape[1] - 6
        first.weight[0, skip, 1, 1] = 1
        encoder = teacher.get_submodule("stage1.rebnconvin.conv_s1")
        encoder.weight[0].zero_()
        encoder.weight[0, :, 1, 1] = 1
        encoder.bias[0] = 3
        for block in ("stage1", "stage1d"):
            teacher.get_submodule(f"{block}.rebnconv1d.bn_s1").weight.zero_()
        side = teacher.get_submodule("side1")
        side.weight.zero_()
        side.weight[0, 0, 1, 1] = -2
        side.bias.fill_(6)
    save_file(teacher.state_dict(), made / "teacher.safetensors")
    return made


def arguments(folder: Path, work: Path, task: str = "portrait", **changes: Any) -> list[str]:
    settings = {**SETTINGS, **changes}
    teacher = str(folder / "teacher.safetensors")
    return [
        *("--teacher", teacher, "--teacher-checkpoint", teacher),
        *("--teacher-name", "large", "--teacher-resolution", "64", f"--task={task}", "--licence", "MIT"),
        *("--photos", str(folder / "photos"), "--settings", json.dumps(settings), "--work", str(work)),
        *("--weights", str(work / "student.safetensors"), "--record", str(work / "student.json")),
    ]


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where a student was trained without interruption."""
    work = tmp_path_factory.mktemp("trained")
    train(arguments(folder, work))
    return work


def test_the_loss_falls_and_the_record_says_what_was_done(trained: Path) -> None:
    record = json.loads((trained / "student.json").read_text())
    # Twenty means, each over some steps.
    first, last = record["losses"][:5], record["losses"][-5:]
    assert sum(last) < 0.8 * sum(first)
    assert record["steps"] == SETTINGS["steps"]
    assert record["task"] == "portrait"
    assert record["photos"]["training"] == 6
    assert record["photos"]["held_back"] == 2
    assert record["teacher"]["name"] == "large"
    assert record["recipe"]["stages"]["stage2d"] == [8, 2, 4]
    weights = load_file(trained / "student.safetensors")
    assert weights["stage1.rebnconv1.conv_s1.weight"].shape == (2, 4, 3, 3)
    assert "stage1.rebnconv1.bn_s1.running_var" in weights


def test_a_killed_run_goes_on_to_the_same_weights(folder: Path, trained: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KEPT_OFTEN, *arguments(folder, tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 9:"):
            os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "student.safetensors").exists()
    train(arguments(folder, tmp_path))
    whole, resumed = (load_file(work / "student.safetensors") for work in (trained, tmp_path))
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_the_report_compares_student_and_teacher(folder: Path, trained: Path, tmp_path: Path) -> None:
    report(
        [
            *("--model", "small", "--student", str(trained / "student.safetensors")),
            *("--record", str(trained / "student.json"), "--teacher", str(folder / "teacher.safetensors")),
            *("--photos", str(folder / "photos"), "--settings", json.dumps(SETTINGS), "--work", str(trained)),
            *("--report", str(tmp_path / "report.json"), "--table", str(tmp_path / "report.md")),
            *("--sheet", str(tmp_path / "sheet.png")),
        ]
    )
    content = json.loads((tmp_path / "report.json").read_text())
    (at_64,) = content["student"]["agreement"]
    assert 0 < at_64["ink"] <= 1
    assert content["student"]["cost"]["multiply_adds"] < content["teacher"]["cost"]["multiply_adds"]
    assert Image.open(tmp_path / "sheet.png").size == (3 * 256, 2 * 256)
    assert "| student | 64 |" in (tmp_path / "report.md").read_text()


def test_a_student_of_masks_is_measured_by_their_overlap(folder: Path, tmp_path: Path) -> None:
    train(arguments(folder, tmp_path, task="saliency", steps=2))
    assert json.loads((tmp_path / "student.json").read_text())["task"] == "saliency"


def test_bfloat16_finds_the_slopes_of_float32() -> None:
    student = Student(student_stages({"default": [12, 24]}), 1e-3, torch.device("cpu"))
    for name, module in student.network.named_modules():
        if isinstance(module, nn.Conv2d):
            # PyTorch found NaN at 32 × 32 and more, for dilated kernels from 24 channels to 12.
            x = torch.rand(1, module.in_channels, 40, 40)
            slopes = []
            for bfloat16 in (False, True):
                module.weight.grad = None
                with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                    y = module(x.contiguous(memory_format=torch.channels_last))
                y.float().pow(2).mean().backward()
                assert module.weight.grad is not None
                slopes.append(module.weight.grad)
            assert (slopes[1] - slopes[0]).abs().max() < 0.05 * slopes[0].abs().max(), name


def test_a_slope_that_is_not_finite_teaches_nothing() -> None:
    student = Student(student_stages({"default": [2, 4]}), 1e-3, torch.device("cpu"))
    before = [parameter.clone() for parameter in student.network.parameters()]
    wanted = torch.zeros(1, 1, 64, 64)
    with pytest.raises(Failure, match="at step 7; lower learning_rate, or set precision to float32"):
        student.step(torch.full((1, 3, 64, 64), torch.nan), wanted, 1e-3, 7, False)
    assert all(map(torch.equal, before, student.network.parameters()))


def test_one_dark_photo_does_not_make_a_teacher_draw_white_on_black() -> None:
    ink, paper = (Crop(np.zeros((8, 8, 4), np.uint8), np.full((8, 8), logit, np.float32)) for logit in (5, -5))
    teacher = Teacher(nn.Identity(), 64, False, torch.device("cpu"))
    teacher.check_paper([ink, *[paper] * 7])
    with pytest.raises(Failure, match="99 % of its first 8 drawings is ink; its task is drawing, not portrait"):
        teacher.check_paper([ink] * 8)


@pytest.mark.parametrize(
    ("changes", "task", "says"),
    [
        ({"fewest_photos": 20}, "portrait", "holds 8 photos that can be read, and training takes at least 20"),
        ({"start": "teacher", "widths": {"default": [9, 9]}}, "portrait", "the student is wider than "),
        ({}, "drawing", "its task is portrait, not drawing"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    folder: Path, tmp_path: Path, refusal: Callable[..., str], changes: dict[str, Any], task: str, says: str
) -> None:
    assert says in refusal(train, *arguments(folder, tmp_path, task, **changes))


def test_a_state_of_other_settings_is_not_gone_on_from(
    folder: Path, trained: Path, refusal: Callable[..., str]
) -> None:
    said = refusal(train, *arguments(folder, trained, learning_rate=0.02))
    assert "was begun with other settings (learning_rate); delete that folder" in said
