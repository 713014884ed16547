"""The disk is full while a site is assembled: the old site stays, and the same command finishes once there is room."""

from pathlib import Path

import pytest

from tests.faults.test_limits import CAN_MOUNT, own_mounts
from tests.support.breaking import last_lines
from tests.support.project import SITE_CONFIG, SNAKEMAKE, Workflow

COMMAND = (*SNAKEMAKE, "site", *SITE_CONFIG)


@pytest.mark.skipif(not CAN_MOUNT, reason="a small disk cannot be mounted here; test_assemble_site stands in")
def test_the_old_site_stays_until_the_new_one_is_whole(site: Workflow, tmp_path: Path) -> None:
    broken = site.copy(tmp_path / "project")
    old = broken.folder / "results/site/index.html"
    before = sorted(path.name for path in old.parent.rglob("*"))
    pages = sum(-(-file.stat().st_size // 4096) for file in (broken.folder / "results").rglob("*") if file.is_file())
    (broken.folder / "results").rename(broken.folder / "kept")
    (broken.folder / "results").mkdir()
    with own_mounts(broken) as (command, inside):
        # Room for the logs, and for a part of another site.
        size = f"size={4096 * pages + 4_000_000}"
        command("mount", "-t", "tmpfs", "-o", size, "tmpfs", "results")
        assert command("cp", "-a", "kept/.", "results").returncode == 0
        failed = command(*COMMAND, "--forcerun", "assemble_site")
        assert failed.returncode != 0
        assert "No space left on device" in failed.stdout, last_lines(failed.stdout)
        now = inside.folder / "results/site"
        assert sorted(path.name for path in now.rglob("*")) == before
        assert not list((inside.folder / "results").glob(".site.*"))
        command("mount", "-o", "remount,size=1g", "results")
        # The failed job is not taken for done because the old site is there.
        done = command(*COMMAND)
        assert done.returncode == 0, last_lines(done.stdout)
        assert "assemble_site" in done.stdout
