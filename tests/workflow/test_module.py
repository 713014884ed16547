"""Use the workflow as a module of another workflow in another folder, exactly as docs/modules.md shows it."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.support.project import ROOT, Workflow

MODEL = "results/u2netp/64/onnx/model.onnx"


@pytest.fixture
def other(environments: Path, tmp_path: Path) -> Workflow:
    """Another workflow: the first example of docs/modules.md, with a rule of its own before it."""
    (example,) = re.findall(r"```python\n(module u2net:\n.*?)```", (ROOT / "docs/modules.md").read_text(), re.DOTALL)
    own = f"rule mine:\n    input: '{MODEL}'\n    output: 'mine.txt'\n    shell: 'sha256sum {{input}} > {{output}}'\n\n"
    (tmp_path / "Snakefile").write_text(own + example.replace("path/to/u2net", str(ROOT)))
    # Files of the other workflow do not concern ours, whatever their names are.
    (tmp_path / "config.yaml").write_text("resolutions: nonsense")
    (tmp_path / "envs").mkdir()
    (tmp_path / ".venvs").symlink_to(ROOT / ".venvs")
    return Workflow(tmp_path)


def test_another_workflow_builds_with_our_rules(other: Workflow) -> None:
    other.succeed()
    golden = json.loads((ROOT / "tests/golden/u2netp-64.json").read_text())["artifacts"][MODEL]
    assert (other.folder / "mine.txt").read_text().split()[0] == golden
    assert hashlib.sha256((other.folder / MODEL).read_bytes()).hexdigest() == golden
    # The module's configuration has one resolution. Everything else is the default.
    assert other.planned("all")["convert_tfjs"] == 1
    assert not (other.folder / "workflow_scripts").exists()


def test_all_of_it_can_be_renamed(other: Workflow) -> None:
    snakefile = other.folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace("use rule * from u2net\n", "use rule * from u2net as u2net_*\n"))
    planned = other.planned("u2net_site")
    assert planned["u2net_assemble_site"] == 1
    assert planned["u2net_convert_tfjs"] == 1
    steps = ("fetch_checkpoint", "read_checkpoint", "accept_checkpoint", "export_onnx", "simplify_onnx")
    assert other.planned() == {"mine": 1, **{f"u2net_{step}": 1 for step in steps}}


def test_a_wrong_configuration_of_a_module_is_refused(other: Workflow) -> None:
    snakefile = other.folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace('"resolutions": [64]', '"resolutions": [65]'))
    assert "config resolutions.0: 65 is not a multiple of 32" in other.run("--dry-run").stderr


def test_it_runs_from_another_folder(environments: Path, tmp_path: Path) -> None:
    (tmp_path / ".venvs").symlink_to(ROOT / ".venvs")
    away = Workflow(tmp_path)
    planned = away.planned("all", "--snakefile", str(ROOT / "Snakefile"), "--config", "resolutions=[64]")
    assert planned["write_manifest"] == 1
