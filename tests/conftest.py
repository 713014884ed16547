"""Copies of the project, built and not, and an S3 server. What is costly is built once for all workers."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.support.project import (
    BOTH,
    ENVIRONMENTS,
    ROOT,
    SITE_CONFIG,
    SMALL,
    Workflow,
    alone,
    build_environments,
    copy_project,
)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Run each file in one worker, in the order of their names: the site's tests take longest and so begin first."""
    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session")
def environments() -> Path:
    """Build every environment by its own rule; return the checkout's path."""
    build_environments(*ENVIRONMENTS)
    return ROOT


@pytest.fixture
def project(environments: Path, tmp_path: Path) -> Workflow:
    """A copy of the project in which nothing is built."""
    return copy_project(tmp_path / "project")


Build = Callable[[Workflow], object]
Once = Callable[[str, Build], Workflow]


@pytest.fixture(scope="session")
def once(environments: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Builds a copy of the project under a name, once for all workers, and returns this worker's own copy of it."""
    own = tmp_path_factory.getbasetemp()
    common = own if worker_id == "master" else own.parent

    def copy(name: str, build: Build) -> Workflow:
        whole = common / name
        with alone(common / f"{name}.lock"):
            if not whole.exists():
                workflow = copy_project(tmp_path_factory.mktemp(name) / "project")
                build(workflow)
                workflow.folder.rename(whole)
        return Workflow(whole).copy(tmp_path_factory.mktemp(name) / "project")

    return copy


@pytest.fixture(scope="session")
def built(once: Once) -> Workflow:
    """A copy of the project with u2netp built at 64; tests read it, `broken` is there to be changed."""

    def build(workflow: Workflow) -> None:
        done = workflow.succeed("all", *SMALL)
        (workflow.folder / "stdout.txt").write_text(done.stdout)

    return once("built", build)


@pytest.fixture(scope="session")
def portrait(once: Once) -> Workflow:
    """A copy of the project with the embedded portrait network built at 64 and 512; tests read it or copy it."""
    # Of the sizes that the first command builds, 512 comes nearest to the limits of rounding.
    config = ("--config", "model=u2net_portrait_mini", "resolutions=[64,512]", BOTH)
    return once("portrait", lambda workflow: workflow.succeed("all", *config))


@pytest.fixture(scope="session")
def site(once: Once) -> Workflow:
    """A copy of the project with the site built for u2netp at 64 and 128, as SITE_CONFIG asks for it."""
    return once("site", lambda workflow: workflow.succeed("site", *SITE_CONFIG))


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
