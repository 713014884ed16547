from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as operations
import pytest
from PIL import Image

from tests.support.manifests import manifest, write_vouched
from workflow_scripts.draw import draw, draw_photos, faces, lay_contact_sheet
from workflow_scripts.shared.drawings import preprocess

pytestmark = pytest.mark.environment("draw")

Refusal = Callable[..., str]
SIDE = 32
PIXELS = np.random.default_rng(5).integers(0, 256, (45, 60, 3)).astype(np.uint8)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three photos, a model whose output is its input's green channel, and the model's manifest."""
    monkeypatch.chdir(tmp_path)
    x = operations.parameter([1, 3, SIDE, SIDE], np.float32, name="x")
    green = operations.gather(x, np.array([1]), np.array(1))
    model = openvino.Model([operations.result(operations.sigmoid(green))], [x], "green")
    Path("results/toy/32/ir").mkdir(parents=True)
    openvino.save_model(model, "results/toy/32/ir/model.xml", compress_to_fp16=False)
    vouch()
    for name in ("a.png", "b.PNG", "sub/a.png"):
        Path("photos", name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS).save(Path("photos", name))
    return tmp_path


def vouch(passed: bool = True, task: str = "saliency") -> None:
    """Write a manifest of the model's files."""
    write_vouched(Path(), manifest("toy", SIDE, passed=passed, task=task))


ARGUMENTS = (
    *("--photos=photos", "--manifest=results/toy/32/manifest.json", "--model=results/toy/32/ir/model.xml"),
    *("--threads=2", "--output=results/toy/drawings", "--index=results/toy/drawings.json"),
)


def drawn(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Draw the photos. Return what was printed about each one, in order."""
    draw_photos.main(ARGUMENTS)
    return sorted(capsys.readouterr().out.splitlines())


@pytest.mark.usefixtures("place")
def test_photos_become_cut_outs_at_their_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert drawn(capsys) == ["a.png: drawn", "b.PNG: drawn", "sub/a.png: drawn"]
    x = preprocess(PIXELS, SIDE)
    mask = Image.fromarray(1 / (1 + np.exp(-x[0, 1])))
    levels = np.asarray(mask)
    mask = Image.fromarray((levels - levels.min()) / (levels.max() - levels.min()))
    expected = np.asarray(mask.resize((60, 45), Image.Resampling.BICUBIC)).clip(0, 1) * 255
    for name in ("a-cut-out.png", "b-cut-out.png", "sub/a-cut-out.png"):
        picture = np.asarray(Image.open(Path("results/toy/drawings", name)))
        assert picture.shape == (45, 60, 4)
        assert np.abs(picture[..., 3] - expected).max() <= 0.51
        seen = picture[..., 3] > 0
        assert np.array_equal(picture[..., :3][seen], PIXELS[seen])


@pytest.mark.usefixtures("place")
def test_only_what_is_new_changed_or_damaged_is_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(capsys)
    assert all(said.endswith(": its drawing is there") for said in drawn(capsys))
    Image.fromarray(PIXELS[:, ::-1]).save("photos/a.png")
    Image.fromarray(PIXELS).save("photos/c.png")
    picture = Path("results/toy/drawings/sub/a-cut-out.png")
    content = bytearray(picture.read_bytes())
    content[len(content) // 2] ^= 1
    picture.write_bytes(bytes(content))
    again = ["a.png: drawn", "b.PNG: its drawing is there", "c.png: drawn", "sub/a.png: drawn"]
    assert drawn(capsys) == again
    # Another task, another model or another version of this code makes another drawing.
    monkeypatch.setattr(draw_photos, "method", lambda: "another")
    assert all(said.endswith(": drawn") for said in drawn(capsys))


@pytest.mark.usefixtures("place")
def test_unreadable_photos_are_named_and_the_others_drawn(capsys: pytest.CaptureFixture[str], refusal: Refusal) -> None:
    Path("photos/broken.jpg").write_bytes(b"\xff\xd8\xff")
    Path("photos/notes.txt").write_text("nothing")
    said = drawn(capsys)
    assert sum(line.endswith(": drawn") for line in said) == 3
    line = refusal(draw.main, "--indexes", "results/toy/drawings.json")
    assert "broken.jpg is no JPEG" in line
    printed = capsys.readouterr().out
    assert printed == "results/toy/drawings: 3 drawings of 4 photos in photos; 1 other files were left alone\n"
    lay_contact_sheet.main(
        ["--index=results/toy/drawings.json", "--drawings=results/toy/drawings", "--threads=2", "--output=sheet.html"]
    )
    sheet = Path("sheet.html").read_text()
    assert sheet.count("<img ") == 6
    assert "broken.jpg is no JPEG" in sheet


@pytest.mark.usefixtures("place")
def test_photos_that_differ_in_their_ending_alone_keep_it(capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(PIXELS).save("photos/a.webp", lossless=True)
    drawn(capsys)
    names = {path.name for path in Path("results/toy/drawings").iterdir() if path.is_file()}
    assert names == {"a.png-cut-out.png", "a.webp-cut-out.png", "b-cut-out.png"}


@pytest.mark.usefixtures("place")
def test_missing_drawing_is_named(capsys: pytest.CaptureFixture[str], refusal: Refusal) -> None:
    drawn(capsys)
    Path("results/toy/drawings/b-cut-out.png").unlink()
    line = refusal(draw.main, "--indexes", "results/toy/drawings.json")
    assert "b-cut-out.png is missing; make it again with --forcerun draw_photos" in line


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("task", "brightest"), [("portrait", np.argmin), ("drawing", np.argmax)])
def test_portrait_and_drawing_are_grey(
    task: str, brightest: Callable[[Any], int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The network's output is the ink of a portrait, but the brightness of a drawing."""
    Image.fromarray(PIXELS).resize((SIDE, SIDE)).save("photos/square.png")
    vouch(task=task)
    drawn(capsys)
    picture: Any = Image.open("results/toy/drawings/a-portrait.png")
    assert (picture.mode, picture.size) == ("L", (60, 45))
    output = preprocess(np.asarray(Image.open("photos/square.png")), SIDE)[0, 1]
    square = np.asarray(Image.open("results/toy/drawings/square-portrait.png"))
    assert square.flat[brightest(output)] == 255


def empty_folder() -> None:
    for path in Path("photos").rglob("*.*"):
        path.unlink()


def change_weights() -> None:
    file = Path("results/toy/32/ir/model.bin")
    file.write_bytes(file.read_bytes() + b"\0")


def forget_weights() -> None:
    file = Path("results/toy/32/ir/model.bin")
    content = file.read_bytes()
    file.unlink()
    vouch()
    file.write_bytes(content)


def edit_manifest() -> None:
    file = Path("results/toy/32/manifest.json")
    file.write_text(file.read_text().replace("saliency", "portrait"))


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (empty_folder, "photos holds no photo"),
        (change_weights, "model.bin has"),
        (forget_weights, "does not vouch for results/toy/32/ir/model.bin"),
        (edit_manifest, "differs from its own sha256"),
        (lambda: vouch(passed=False), "did not pass its checks"),
        (lambda: Path("results/toy/32/manifest.json").write_text("{}"), "cannot be read as a manifest"),
    ],
)
def test_what_nothing_vouches_for_draws_nothing(break_it: Callable[[], None], message: str, refusal: Refusal) -> None:
    break_it()
    assert message in refusal(draw_photos.main, *ARGUMENTS)
    assert not Path("results/toy/drawings").exists()


@pytest.mark.usefixtures("place")
def test_only_the_largest_face_is_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    vouch(task="portrait")
    drawn(capsys)
    assert Image.open("results/toy/drawings/a-portrait.png").size == (60, 45)
    face = faces.Face(faces.Box(30, 20, 10, 10), 0.9)
    monkeypatch.setattr(faces, "open_detector", lambda path: lambda photo: [face])
    draw_photos.main((*ARGUMENTS, "--faces=detector.tflite"))
    assert capsys.readouterr().out.count(": drawn") == 3
    assert Image.open("results/toy/drawings/a-portrait.png").size == (SIDE, SIDE)
