"""Files damaged with their date kept: no stage vouches for one, no site, folder for others or bucket gets one."""

import random
from pathlib import Path

import pytest

from tests.support.breaking import FULL
from tests.support.project import Workflow
from tests.support.vouching import DAMAGES, NOWHERE, flip_one_bit, refuses, run, stages

# Every file at every stage, one kind of damage each, which takes half an hour; or one file of each kind.
SEED = 7


def kind(name: str) -> tuple[str, ...]:
    """Tell files apart by what made them: its folder, less the names that hold a digest, and the suffix."""
    path = Path(name)
    return (*path.parts[1:4], path.suffix)


def test_no_stage_takes_a_damaged_file_for_good(site: Workflow, tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311
    (tmp_path / "made").mkdir()
    found = stages(site, 64, tmp_path / "made")
    for stage in found:
        done = run(site, stage)
        # The last step of publish is the only one that needs a bucket.
        assert done.returncode == 0 or (stage.name == "publish.publish" and NOWHERE in done.stderr), done.stderr
    for path in (tmp_path / "made").iterdir():
        path.rename(tmp_path / path.name)
    pairs = [(stage, name) for stage in found for name in stage.files]
    if not FULL:
        one_of_a_kind = {(stage.name, *kind(name)): (stage, name) for stage, name in pairs}
        pairs = chance.sample(list(one_of_a_kind.values()), 30)
    problems = []
    for stage, name in pairs:
        damage = chance.choice(DAMAGES) if FULL else flip_one_bit
        problems.append(refuses(site, stage, name, damage, chance, tmp_path / "made"))
    kinds = len({kind(name) for _, name in pairs})
    print(f"{len(pairs)} damaged files of {kinds} kinds at {len({stage.name for stage, _ in pairs})} stages")
    assert [problem for problem in problems if problem] == []


@pytest.mark.parametrize("folder", ["results/site", "results/site/assets", "results/site/provenance"])
def test_a_file_added_to_a_folder_for_others_is_found(site: Workflow, tmp_path: Path, folder: str) -> None:
    stage = stages(site, 64, tmp_path)[-1]
    stray = site.folder / folder / "evil.html"
    stray.write_text("<!doctype html>")
    try:
        done = run(site, stage)
    finally:
        stray.unlink()
    assert done.returncode == 1
    place = str(stray.relative_to(site.folder / "results/site"))
    assert f"verify_release: {place} is not part of the site (1 such files in results/site); remove it" in done.stderr
