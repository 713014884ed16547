"""If an installation was killed, or an environment lost a file, one command builds it again."""

import random
import time
from pathlib import Path

import pytest

from tests.support.breaking import FULL, at_work, last_lines, start, wait_until
from tests.support.project import ENVIRONMENTS, ROOT, Workflow

STAMP = ".venvs/provenance/installed.txt"
BILL = "results/_bills/torch.cdx.json"


@pytest.fixture
def own_environment(project: Workflow) -> Workflow:
    """A copy of the project with its own copy of the smallest environment."""
    venvs = project.folder / ".venvs"
    venvs.unlink()
    venvs.mkdir()
    for name in set(ENVIRONMENTS) - {"provenance"}:
        (venvs / name).symlink_to(ROOT / ".venvs" / name)
    return project


def bill(workflow: Workflow) -> bytes:
    """Build something with that environment."""
    done = workflow.run(BILL)
    assert done.returncode == 0, last_lines(done.stderr)
    return (workflow.folder / BILL).read_bytes()


@pytest.fixture(scope="module")
def expected(environments: Path, built: Workflow) -> bytes:
    """The bytes that an undisturbed environment makes."""
    return bill(built)


@pytest.mark.parametrize("seed", range(8) if FULL else (1,))
def test_killed_installation(own_environment: Workflow, expected: bytes, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    run = start(own_environment, STAMP)
    assert wait_until(lambda: (own_environment.folder / ".venvs/provenance/bin").exists())
    delay = chance.random() * 2
    time.sleep(delay)
    run.process.kill()
    run.wait()
    assert wait_until(lambda: not at_work(own_environment), 10)
    print(f"seed {seed}: killed {delay:.1f} s into the installation, stamp {(own_environment.folder / STAMP).exists()}")
    assert bill(own_environment) == expected


def test_environment_that_lost_a_file(own_environment: Workflow, expected: bytes) -> None:
    bill(own_environment)
    (module,) = own_environment.folder.glob(".venvs/provenance/lib/python3.11/site-packages/cyclonedx/model/bom.py")
    module.unlink()
    (own_environment.folder / BILL).unlink()
    done = own_environment.run(BILL)
    assert done.returncode != 0
    assert "Error in rule list_components:" in done.stderr
    assert "ModuleNotFoundError: No module named 'cyclonedx.model.bom'" in done.stderr
    done = own_environment.run(BILL, "--forcerun", STAMP)
    assert done.returncode == 0, last_lines(done.stderr)
    assert (own_environment.folder / BILL).read_bytes() == expected
