"""Draw a folder of photos as docs/draw.md shows it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.project import SMALL, Workflow, python


@pytest.fixture(scope="module")
def samples(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos that nobody here made."""
    made, folder = (tmp_path_factory.mktemp("samples") / name for name in ("made", "photos"))
    python("torch", "-m", "workflow_scripts.website.export_samples", "--output", str(made))
    folder.mkdir()
    for sample in json.loads((made / "samples.json").read_text()):
        shutil.copy(made / Path(sample["url"]).name, folder)
    return folder


def said_of_photos(workflow: Workflow) -> dict[str, str]:
    """Return what the last run said about each photo."""
    log = (workflow.folder / "results/_logs/draw_photos/u2netp.log").read_text()
    return dict(re.findall(r"^(.+?): (.+)$", log, re.MULTILINE))


def test_folder_is_drawn_and_drawn_again_only_where_it_changed(broken: Workflow, samples: Path) -> None:
    photos = broken.folder / "my photos"
    shutil.copytree(samples, photos)
    (photos / "album").mkdir()
    astronaut, cat, coffee = sorted(photos.glob("*.png"))
    cat.rename(photos / "album/cat.png")
    (photos / "cut.png").write_bytes(astronaut.read_bytes()[:1000])
    (photos / "notes.txt").write_text("nothing to draw")
    arguments = ("draw", *SMALL, f"photos={photos.name}")

    done = broken.run(*arguments)
    assert done.returncode == 1
    assert "drawings: 3 drawings of 4 photos in my photos; 1 other files were left alone" in done.stdout
    assert "draw: not every photo could be drawn, the others are: cut.png is damaged" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    drawings = broken.folder / "results/u2netp/drawings"
    names = {str(path.relative_to(drawings)) for path in drawings.rglob("*.png")}
    assert names == {f"{astronaut.stem}-cut-out.png", f"{coffee.stem}-cut-out.png", "album/cat-cut-out.png"}
    index = json.loads((drawings.with_suffix(".json")).read_text())
    assert index["resolution"] == 64
    assert drawings.with_suffix(".html").read_text().count("<img ") == 6

    # Nothing is drawn again, and the unreadable file is still named.
    again = broken.run(*arguments)
    assert again.returncode == 1
    assert "rule draw_photos" not in again.stdout + again.stderr

    (photos / "cut.png").unlink()
    shutil.copy(coffee, photos / "album/cat.png")
    shutil.copy(coffee, photos / "new.png")
    done = broken.succeed(*arguments)
    assert "4 drawings of 4 photos" in done.stdout
    assert said_of_photos(broken) == {
        astronaut.name: "its drawing is there",
        coffee.name: "its drawing is there",
        "album/cat.png": "drawn",
        "new.png": "drawn",
    }

    (drawings / "new-cut-out.png").unlink()
    done = broken.run(*arguments)
    assert "new-cut-out.png is missing; make it again with --forcerun draw_photos" in done.stderr
    broken.succeed(*arguments, "--forcerun", "draw_photos")
    assert (drawings / "new-cut-out.png").is_file()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([], "Error: which photos? pass --config photos=path/to/photos"),
        (["photos=nowhere"], "Error: no folder of photos at nowhere"),
        (["photos=2024"], "Error: no folder of photos at 2024"),
        (["photos=."], "Error: photos=. would draw its own drawings in"),
    ],
)
def test_folder_that_cannot_be_drawn_is_refused_at_once(project: Workflow, config: list[str], message: str) -> None:
    done = project.run("draw", "--config", "resolutions=[64]", *config)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.folder / "results").exists()


def test_each_model_draws_at_the_size_that_it_was_trained_at(project: Workflow) -> None:
    (project.folder / "photos").mkdir()
    for model, trained_at in (("u2netp", 320), ("u2net_portrait", 512)):
        done = project.succeed("--dry-run", "draw", "--config", f"model={model}", "photos=photos")
        assert f"results/{model}/{trained_at}/ir/model.xml" in done.stdout
        assert f"results/{model}/1024/" not in done.stdout


def test_faces_are_looked_for_with_a_portrait_model_only(project: Workflow) -> None:
    (project.folder / "photos").mkdir()
    small = ("--config", "photos=photos", "faces=true", "resolutions=[64]")
    for model, looks in (("u2net_portrait", True), ("u2netp", False)):
        done = project.succeed("--dry-run", "--printshellcmds", "draw", *small, f"model={model}")
        assert ("--faces=web/node_modules/@mediapipe/" in done.stdout) == looks
        assert ("rule install_page:" in done.stdout) == looks
