"""One command trains a student, and the next builds it."""

import json
from pathlib import Path

import pytest

from tests.support.project import Workflow, python

PHOTOS = """
import sys
from pathlib import Path
from PIL import Image
from skimage import data
cat = Image.fromarray(data.chelsea())
for number in range(8):
    cat.crop((20 * number, 5 * number, 200 + 20 * number, 200 + 5 * number)).save(Path(sys.argv[1]) / f"{number}.png")
"""
TINY = (
    "distil={steps: 3, widths: {default: [2, 4]}, start: teacher, sizes: [64], pixels_per_step: 8192, fewest_photos: 6}"
)


@pytest.fixture
def teaching(project: Workflow) -> tuple[str, ...]:
    """The arguments for a small teacher and eight photos, in a folder that also has another file."""
    photos, teacher = project.folder / "photos", project.folder / "teacher.pth"
    photos.mkdir()
    (photos / "notes.txt").write_text("no photo")
    python("torch", "-c", PHOTOS, str(photos))
    widths = {
        "stage1": [3, 3, 5],
        **{f"stage{number}": [5, 3, 5] for number in range(2, 7)},
        **{f"stage{number}d": [10, 3, 5] for number in range(1, 6)},
    }
    python("torch", "-m", "tests.support.checkpoints", "--stages", json.dumps(widths), "--output", str(teacher))
    return ("model=mine", f"teacher={teacher}", f"photos={photos}", "task=saliency", "own_resolution=64")


def test_a_student_is_trained_and_then_built_like_any_model(project: Workflow, teaching: tuple[str, ...]) -> None:
    done = project.succeed("distil", "--config", *teaching, TINY)
    said = done.stdout + done.stderr
    assert "skipped notes.txt: " in said
    assert "step 3: loss " in said
    folder = project.folder / "results/mine/distil"
    assert {"student.safetensors", "student.json", "report.json", "report.md", "sheet.png"} <= {
        path.name for path in folder.iterdir()
    }
    assert 0 <= json.loads((folder / "report.json").read_text())["student"]["agreement"][0]["iou"] <= 1
    assert project.planned("distil", "--config", *teaching, TINY) == {}
    project.succeed("all", "--config", "model=mine", "resolutions=[64]", "dtypes=[float32]")
    manifest = project.manifest("mine", 64)
    assert manifest["passed"]
    assert manifest["task"] == "saliency"
    assert manifest["provenance"] == json.loads((folder / "student.json").read_text())
    assert manifest["provenance"]["teacher"]["name"] == "mine-teacher"


def test_what_cannot_be_trained_is_refused_in_one_line(project: Workflow, teaching: tuple[str, ...]) -> None:
    def refused(*config: str) -> str:
        done = project.run("distil", "--config", *config)
        assert done.returncode != 0
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    model, teacher, photos, *_ = teaching
    assert "Error: which teacher? pass --config teacher=" in refused("model=u2netp")
    assert "Error: which photos? pass --config photos=PATH" in refused(model, teacher)
    assert "Error: there is no folder of photos at missing" in refused(model, teacher, "photos=missing")
    assert "Error: no teacher at missing.pth" in refused(model, "teacher=missing.pth", photos)
    assert "u2netp is in the catalogue; pass --config model=NAME" in refused("model=u2netp", teacher, photos)
    (Path(photos.partition("=")[2]) / "0.png").unlink()
    few = TINY.replace("fewest_photos: 6", "fewest_photos: 8")
    assert "holds 7 photos that can be read, and training takes at least 8" in refused(*teaching, few)
