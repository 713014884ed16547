"""Format, types and the rules' own bookkeeping."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, Workflow

RULES = sorted((ROOT / "rules").glob("*.smk"))
LOCKS = [ROOT / "requirements.txt", *sorted((ROOT / "envs").rglob("*.txt"))]


def check(*command: str) -> None:
    """Run a checker in the checkout and assert that it is content."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff(arguments: list[str]) -> None:
    check(sys.executable, "-m", "ruff", *arguments, "workflow_scripts", "tests")


def test_snakefmt() -> None:
    check(str(Path(sys.executable).with_name("snakefmt")), "--check", "Snakefile", *map(str, RULES))


def test_types(environments: Path) -> None:
    python = environments / ".venvs/torch/bin/python"
    modules = ["-p", "workflow_scripts", "-m", "tests.support.checkpoints"]
    check(sys.executable, "-m", "mypy", "--python-executable", str(python), *modules)


def test_node_script_types(environments: Path) -> None:
    compiler = environments / ".venvs/node/node_modules/typescript/bin/tsc"
    check(
        str(environments / ".venvs/node/bin/node"), str(compiler), "--project", "workflow_scripts/predict/tsconfig.json"
    )


def test_snakemake_lint() -> None:
    done = subprocess.run([sys.executable, "-m", "snakemake", "--lint"], cwd=ROOT, capture_output=True, text=True)
    findings = re.findall(r"^    \* (.+):$", done.stdout + done.stderr, re.MULTILINE)
    # Snakemake's linter knows conda and containers, not locked virtual environments.
    software = "Specify a conda environment or container for each rule."
    assert software in findings
    assert [finding for finding in findings if finding != software] == []


@pytest.mark.parametrize("rules", RULES, ids=lambda path: path.stem)
def test_nothing_reaches_a_shell_unquoted(rules: Path) -> None:
    commands = re.findall(r"^( +)shell:\n((?:\1    .*\n)+)", rules.read_text(), re.MULTILINE)
    assert len(commands) == len(re.findall(r"^ +shell:", rules.read_text(), re.MULTILINE))
    for _, command in commands:
        assert [value for value in re.findall(r"\{[^}]*\}", command) if not value.endswith(":q}")] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_lock_pins_hashes_and_names_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    pins = re.findall(r"^[a-z0-9-]+==", text, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) == len(blocks) > 0
    assert all("--hash=sha256:" in block for block in blocks)


def test_npm_locks_name_no_host(project: Workflow) -> None:
    locks = list(project.folder.rglob("package-lock.json"))
    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        assert not any("resolved" in package for package in packages.values())
        assert all("integrity" in package for name, package in packages.items() if name)
