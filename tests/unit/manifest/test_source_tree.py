import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import ROOT
from workflow_scripts.manifest.source_tree import git_commit, source_digest

pytestmark = pytest.mark.environment("torch")


def git(folder: Path, *arguments: str) -> str:
    identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
        "-c",
        f"safe.directory={folder}",
    ]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An unpacked archive of a project, outside of any repository."""
    folder = tmp_path / "outer/project"
    (folder / "rules").mkdir(parents=True)
    (folder / "Snakefile").write_text("rule all:\n")
    (folder / "rules/common.smk").write_text("import json\n")
    return folder


def commit_all(folder: Path) -> str:
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    git(folder, "tag", "v1")
    return git(folder, "rev-parse", "HEAD")


def test_the_digest_is_of_the_projects_own_files(project: Path, tmp_path: Path) -> None:
    digest = source_digest(project)
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    for stranger in ("results/site/index.html", ".venvs/x.txt", "mine.pth", "rules/__pycache__/common.pyc"):
        (copy / stranger).parent.mkdir(parents=True, exist_ok=True)
        (copy / stranger).write_text("not the project's")
    assert source_digest(copy) == digest
    (copy / "rules/common.smk").write_text("import Json\n")
    assert source_digest(copy) != digest


@pytest.mark.parametrize(
    "name", ["rules", "workflow_scripts", "web/src", "web/lib", "web/build", "web/benchmark", "envs"]
)
def test_the_digest_is_of_every_folder_that_rules_read(tmp_path: Path, name: str) -> None:
    copy = tmp_path / name
    shutil.copytree(ROOT / name, copy, ignore=shutil.ignore_patterns("__pycache__"))
    files = [path for path in copy.rglob("*") if path.suffix in (".smk", ".py", ".cts", ".json", ".ts", ".css", ".txt")]
    assert files
    seen = {source_digest(tmp_path)}
    for file in files:
        file.write_bytes(file.read_bytes() + b"\n")
        seen.add(source_digest(tmp_path))
    assert len(seen) == len(files) + 1


def test_a_checkout_has_its_commit_and_says_where_it_differs(project: Path) -> None:
    assert git_commit(project) is None
    commit = commit_all(project)
    assert git_commit(project) == commit
    (project / "Snakefile").write_text("changed")
    assert git_commit(project) == f"{commit}-dirty"


def test_an_outer_repositorys_commit_is_not_the_projects(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project.parent / "notes.txt").write_text("somebody's own")
    git(project.parent, "init", "--quiet")
    git(project.parent, "add", "notes.txt")
    git(project.parent, "commit", "--quiet", "-m", "notes")
    assert git_commit(project) is None
    assert f"{project} is not the checkout of the repository at {project.parent}" in capsys.readouterr().out
    # The folder itself may also be a repository of other files. Its commit does not count either.
    git(project, "init", "--quiet")
    (project / "notes.txt").write_text("somebody's own")
    git(project, "add", "notes.txt")
    git(project, "commit", "--quiet", "-m", "notes")
    assert git_commit(project) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_checkout_that_belongs_to_another_user_has_its_commit(project: Path) -> None:
    commit = commit_all(project)
    for path in (project, *project.rglob("*")):
        os.chown(path, 12345, 12345)
    plain = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True)
    assert "dubious ownership" in plain.stderr
    assert git_commit(project) == commit


def test_without_git_there_is_no_commit(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_all(project)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert git_commit(project) is None
    assert "no git here" in capsys.readouterr().out


def test_the_callers_environment_does_not_choose_the_repository(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = commit_all(project)
    shutil.copytree(project, tmp_path / "other")
    git(tmp_path / "other", "commit", "--quiet", "--allow-empty", "-m", "second")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    assert git_commit(project) == commit
