import os
import shutil
import time
from pathlib import Path

import pytest

from workflow_scripts.driver import checkpoint_files
from workflow_scripts.driver.checkpoint_files import digest, files_beside, is_onnx, was_refused

pytestmark = pytest.mark.environment("driver")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    return tmp_path


def test_the_content_decides_and_not_the_date(folder: Path) -> None:
    file, other = folder / "mine.pth", folder / "other.pth"
    file.write_bytes(b"weights 1")
    other.write_bytes(b"weights 2")
    os.utime(other, (1e9, 1e9))
    first, second = digest(file), digest(other)
    assert first != second
    # cp -p and rsync -t do this: the size and inode stay the same, and the date is old.
    shutil.copy2(other, file)
    assert digest(file) == second
    # The date is the same again, too.
    state = file.stat()
    file.write_bytes(b"weights 3")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert digest(file) not in (first, second)


def test_an_unchanged_file_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "mine.pth"
    file.write_bytes(bytes(2**20))
    known = digest(file)
    monkeypatch.setattr(checkpoint_files.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert digest(file) == known


def test_176_megabytes_take_no_more_than_a_second(folder: Path) -> None:
    file = folder / "mine.pth"
    with file.open("wb") as target:
        target.truncate(176_315_791)
    started = time.process_time()
    digest(file)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("content", ["not JSON", "[]", '{"mine.pth": 3}'])
def test_a_damaged_cache_costs_nothing(folder: Path, content: str) -> None:
    file = folder / "mine.pth"
    file.write_bytes(b"weights")
    known = digest(file)
    checkpoint_files.CACHE.write_text(content)
    assert digest(file) == known


def test_a_folder_that_may_not_be_written_has_no_cache(folder: Path) -> None:
    shutil.rmtree(folder / ".snakemake")
    (folder / "mine.pth").write_bytes(b"weights")
    assert len(digest(folder / "mine.pth")) == 64


def test_a_file_that_cannot_be_read_is_refused_in_a_line(folder: Path) -> None:
    (folder / "mine.pth").mkdir()
    with pytest.raises(SystemExit, match=r"mine\.pth cannot be read"):
        digest(folder / "mine.pth")


def test_files_that_keep_an_onnx_files_weights_are_found_by_their_names_in_it(folder: Path) -> None:
    def entry(name: bytes) -> bytes:
        return b"\x0a\x08location\x12" + bytes([len(name)]) + name

    for name in ("weights.bin", "unnamed.bin"):
        (folder / name).touch()
    (folder.parent / "outside.bin").touch()
    names = (b"weights.bin", b"./weights.bin", b"../outside.bin", b"gone.bin", b"\xff\0")
    (folder / "mine.onnx").write_bytes(b"\x08\x07" + b"".join(map(entry, names)))
    assert is_onnx(folder / "mine.onnx")
    assert files_beside(folder / "mine.onnx") == [folder / "weights.bin"]
    (folder / "mine.pth").write_bytes(b"PK\3\4" + entry(b"weights.bin"))
    assert files_beside(folder / "mine.pth") == []


def test_a_first_checkpoint_stays_after_it_was_refused(folder: Path) -> None:
    accepted = folder / "results/old/checkpoint/original"
    accepted.parent.mkdir(parents=True)
    accepted.write_bytes(b"weights")
    assert was_refused("results/_incoming/old/original")
    assert not was_refused("results/_incoming/first/original")
    assert not was_refused("results/old/checkpoint/original")
