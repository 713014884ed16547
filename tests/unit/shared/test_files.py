import json
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import (
    broken_seal,
    lock_name,
    remove,
    replacing,
    seal_of,
    sha256,
    write_json,
    write_report,
)

pytestmark = pytest.mark.environment("torch")


def fill_file(path: Path, text: str) -> None:
    path.write_text(text)


def fill_folder(path: Path, text: str) -> None:
    path.mkdir()
    (path / "part").write_text(text)


def content(path: Path) -> str:
    return (path / "part" if path.is_dir() else path).read_text()


def visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path != seal_of(path) and not path.name.endswith(".seal.json")]


KINDS = pytest.mark.parametrize("fill", [fill_file, fill_folder])
Fill = Callable[[Path, str], None]


@KINDS
def test_output_appears_only_when_the_block_ends(tmp_path: Path, fill: Fill) -> None:
    output = tmp_path / "new" / "output"
    with replacing(output) as staging:
        fill(staging, "new")
        assert not output.exists()
        # On another file system the move would be a copy, which a kill can cut short.
        assert staging.parent == output.parent
    assert content(output) == "new"
    assert visible(output.parent) == [output]


@KINDS
def test_a_failing_block_leaves_the_old_content_and_nothing_else(tmp_path: Path, fill: Fill) -> None:
    output = tmp_path / "output"
    fill(output, "old")

    def fail_half_way() -> None:
        with replacing(output) as staging:
            fill(staging, "new")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way()
    assert content(output) == "old"
    assert list(tmp_path.iterdir()) == [output]


@KINDS
def test_old_content_is_replaced_whole(tmp_path: Path, fill: Fill) -> None:
    output = tmp_path / "output"
    fill(output, "old")
    if output.is_dir():
        (output / "only of old").touch()
    with replacing(output) as staging:
        fill(staging, "new")
    assert content(output) == "new"
    assert not (output / "only of old").exists()


@KINDS
def test_what_a_killed_run_left_is_removed_first(tmp_path: Path, fill: Fill) -> None:
    output = tmp_path / "output"
    with replacing(output) as staging:
        fill(staging, "first")
    fill(staging, "left by a killed run")
    with replacing(output) as again:
        assert again == staging
        assert not again.exists()
        fill(again, "second")
    assert content(output) == "second"
    assert visible(tmp_path) == [output]
    assert not list(tmp_path.glob(".*.partial"))


def test_a_block_that_writes_nothing_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "output"):
        pass


def test_removing_a_link_leaves_its_target(tmp_path: Path) -> None:
    target = tmp_path / "target"
    fill_folder(target, "kept")
    link = tmp_path / "link"
    link.symlink_to(target)
    remove(link)
    remove(tmp_path / "never there")
    assert not link.exists()
    assert content(target) == "kept"


def test_sha256_is_that_of_the_standard(tmp_path: Path) -> None:
    path = tmp_path / "file"
    # FIPS 180-2, appendix B.1 and B.3.
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path.write_bytes(b"a" * 1_000_000)
    assert sha256(path) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": [2.5]})
    write_json(tmp_path / "b.json", {"a": [2.5], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [2.5], "b": 1}


def test_nan_never_gets_into_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "report.json", {"max_abs": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_report_stands_beside_until_the_check_passes(tmp_path: Path) -> None:
    path, failed = tmp_path / "parity.json", tmp_path / "parity.failed.json"
    with pytest.raises(Failure, match=r"^too far \(the whole report: .*parity\.failed\.json\)$"):
        write_report(path, {"passed": False}, "too far")
    assert not path.exists()
    assert json.loads(failed.read_text()) == {"passed": False}
    write_report(path, {"passed": True}, None)
    assert json.loads(path.read_text()) == {"passed": True}
    assert not failed.exists()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("envs/torch.txt", "envs/torch.txt"),
        ("/web/u2net/envs/node/requirements.txt", "envs/node/requirements.txt"),
        (".snakemake/storage/s3/bucket/web/package-lock.json", "web/package-lock.json"),
        ("/somewhere/requirements.txt", "requirements.txt"),
    ],
)
def test_a_lock_file_is_named_from_the_project_on(path: str, name: str) -> None:
    assert lock_name(Path(path)) == name


def made(path: Path, fill: Fill) -> Path:
    with replacing(path) as staging:
        fill(staging, "made")
    return path


@KINDS
def test_an_output_is_sealed_as_it_was_made(tmp_path: Path, fill: Fill) -> None:
    output = made(tmp_path / "output", fill)
    assert broken_seal(output) is None
    file = output / "part" if output.is_dir() else output
    file.write_text("maDe")
    assert broken_seal(output) == f"{file} changed since it was made"
    made(output, fill)
    assert broken_seal(output) is None
    seal_of(output).write_text("{")
    assert broken_seal(output) == f"{seal_of(output)} is damaged"


def test_a_file_added_to_a_folder_or_lost_from_it_breaks_its_seal(tmp_path: Path) -> None:
    output = made(tmp_path / "output", fill_folder)
    (output / "more").touch()
    assert broken_seal(output) == f"{output / 'more'} was added since it was made"
    (output / "more").unlink()
    (output / "part").unlink()
    assert broken_seal(output) == f"{output / 'part'} is missing since it was made"


def test_what_travelled_without_its_seal_is_not_judged(tmp_path: Path) -> None:
    output = made(tmp_path / "output", fill_file)
    seal_of(output).unlink()
    output.write_text("changed")
    assert broken_seal(output) is None


def test_a_folder_that_a_killed_run_moved_aside_comes_back(tmp_path: Path) -> None:
    output = made(tmp_path / "output", fill_folder)
    output.rename(tmp_path / ".output.old")
    with pytest.raises(RuntimeError, match="disk"), replacing(output):
        raise RuntimeError("disk")
    assert content(output) == "made"
