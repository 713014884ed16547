"""Copies of the project, built and not, and an S3 server; two tests share what is costly to build."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.project import (
    BOTH,
    ENVIRONMENTS,
    ROOT,
    SITE_CONFIG,
    SMALL,
    Workflow,
    build_environments,
    copy_project,
)

# Of the tests of faults those that break a site.
SITE_FAULTS = ("tests/faults/test_vouching.py", "tests/faults/test_full_disk_site.py")


class BySharedFixture(LoadScopeScheduling):  # type: ignore[misc]
    """Has each of the two costly fixtures, `site` and `built`, built by one worker of `pytest -n 2` alone."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        if (
            folder in ("browser", "publish")
            or "files_of_another_resolution" in nodeid
            or nodeid.startswith(SITE_FAULTS)
        ):
            return "site"
        return "built" if folder in ("cluster", "faults", "workflow") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Schedule by what tests share; the groups that pytest-xdist takes from marks get lost with pytest 9."""
    return BySharedFixture(config, log)


@pytest.fixture(scope="session")
def environments() -> Path:
    """Build every environment by its own rule; return the checkout's path."""
    build_environments(*ENVIRONMENTS)
    return ROOT


@pytest.fixture
def project(environments: Path, tmp_path: Path) -> Workflow:
    """A copy of the project in which nothing is built."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session")
def built(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy of the project with u2netp built at 64; tests read it, `broken` is there to be changed."""
    workflow = copy_project(tmp_path_factory.mktemp("built") / "project")
    done = workflow.succeed("all", *SMALL)
    (workflow.folder / "stdout.txt").write_text(done.stdout)
    return workflow


@pytest.fixture(scope="session")
def portrait(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy of the project with the embedded portrait network built at 64 and 512; tests read it or copy it."""
    workflow = copy_project(tmp_path_factory.mktemp("portrait") / "project")
    # Of the sizes that the first command builds, 512 comes nearest to the limits of rounding.
    workflow.succeed("all", "--config", "model=u2net_portrait_mini", "resolutions=[64,512]", BOTH)
    return workflow


@pytest.fixture(scope="session")
def site(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy of the project with the site built for u2netp at 64 and 128, as SITE_CONFIG asks for it."""
    workflow = copy_project(tmp_path_factory.mktemp("site") / "project")
    workflow.succeed("site", *SITE_CONFIG)
    return workflow


@pytest.fixture
def broken(built: Workflow, tmp_path: Path) -> Workflow:
    """A copy of `built` that a test may damage."""
    return built.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def s3(environments: Path) -> Iterator[str]:
    """The endpoint of an S3 server with an empty bucket."""
    python = environments / ".venvs/publish/bin/python"
    server = subprocess.Popen(
        [str(python), str(ROOT / "tests/support/s3_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    yield server.stdout.readline().strip()
    server.stdin.close()
    assert server.wait(timeout=30) == 0
