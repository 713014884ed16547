import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow_scripts.checkpoint.accept_checkpoint import main

pytestmark = pytest.mark.environment("torch")


def test_what_was_read_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    incoming, accepted = tmp_path / "in/original", tmp_path / "out/original"
    incoming.parent.mkdir()
    accepted.parent.mkdir()
    incoming.write_text("new")
    accepted.write_text("old")
    main(["--incoming", str(incoming), "--accepted", str(accepted)])
    assert accepted.read_text() == "new"
    # Snakemake gives the accepted files new dates, one after the other. None may look older than an incoming one.
    date = incoming.stat().st_mtime_ns
    os.utime(accepted)
    assert incoming.stat().st_mtime_ns == date
    incoming.unlink()
    assert accepted.read_text() == "new"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, refusal: Callable[..., str]) -> None:
    (tmp_path / "in").write_text("new")
    (tmp_path / "file").touch()
    message = refusal(main, "--incoming", tmp_path / "in", "--accepted", tmp_path / "file/original")
    assert "cannot be written" in message
