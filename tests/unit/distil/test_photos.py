"""Which files of a folder are photos, and which of those are held back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow_scripts.distil.photos import find_photos, read_photo
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("torch")


def photo(path: Path, seed: int, size: tuple[int, int] = (80, 70)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_unreadable_small_and_equal_files_are_named_and_left_out(tmp_path: Path) -> None:
    for number in range(6):
        photo(tmp_path / f"deep/er/{number}.png", number)
    (tmp_path / "again.png").write_bytes((tmp_path / "deep/er/3.png").read_bytes())
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "cut.png").write_bytes((tmp_path / "deep/er/0.png").read_bytes()[:500])
    photo(tmp_path / "tiny.png", 9, (20, 90))
    (tmp_path / ".hidden").write_text("not looked at")
    found = find_photos(tmp_path, 0.1, 4)
    assert len(found.training) == 4
    assert len(found.held_back) == 2
    assert {line.partition(":")[0] for line in found.skipped} == {"notes.txt", "cut.png", "tiny.png", "deep/er/3.png"}
    assert not {each.digest for each in found.training} & {each.digest for each in found.held_back}


def test_the_same_photos_are_held_back_under_other_names(tmp_path: Path) -> None:
    for number in range(10):
        photo(tmp_path / f"one/{number}.png", number)
        photo(tmp_path / f"two/{9 - number}-renamed.png", number)
    one, two = (find_photos(tmp_path / name, 0.3, 4) for name in ("one", "two"))
    assert [each.digest for each in one.held_back] == [each.digest for each in two.held_back]
    assert len(one.held_back) == 3


def test_too_few_photos_are_refused_with_what_was_skipped(tmp_path: Path) -> None:
    photo(tmp_path / "one.png", 1)
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(Failure, match=r"holds 1 photos .* at least 8; add photos \(skipped: notes.txt: "):
        find_photos(tmp_path, 0.1, 8)
    with pytest.raises(Failure, match="no folder of photos"):
        find_photos(tmp_path / "missing", 0.1, 8)


def test_a_transparent_photo_is_read_on_white_and_a_turned_one_upright(tmp_path: Path) -> None:
    Image.new("RGBA", (70, 80), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_photo(tmp_path / "clear.png") == 255).all()
    turned = Image.new("RGB", (70, 80))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert read_photo(tmp_path / "turned.jpg").shape == (70, 80, 3)
