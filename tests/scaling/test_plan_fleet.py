"""Planning a fleet costs the same for each of its models, however many there are."""

import pstats
import sys
from pathlib import Path

import pytest
from conftest import copy_project
from scaling import plan_fleet
from scaling.plan_fleet import plan, write_fleet

SMALL = ("--config", "resolutions=[64]", "dtypes=[float32]", "tflite_dtypes=[]")


def calls(folder: Path, models: int) -> int:
    """Count the function calls of planning so many models, which unlike seconds do not depend on the machine."""
    folder.mkdir()
    profile = folder / "profile"
    found = plan(write_fleet(folder, models), *SMALL, python=(sys.executable, "-m", "cProfile", "-o", str(profile)))
    assert found.jobs > 15 * models
    counted: int = pstats.Stats(str(profile)).total_calls  # type: ignore[attr-defined]
    return counted


def growth(folder: Path) -> float:
    """Return what each of 40 models adds to 20, over what each of 20 adds to 10: 1 is linear."""
    ten, twenty, forty = (calls(folder / str(models), models) for models in (10, 20, 40))
    return (forty - twenty) / (2 * (twenty - ten))


def test_planning_grows_with_the_number_of_models(tmp_path: Path) -> None:
    assert growth(tmp_path) < 1.03


def test_work_on_all_models_for_each_job_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = copy_project(tmp_path / "project")
    common = workflow.folder / "rules/common.smk"
    limits = '    limits = config["tolerances"]\n'
    assert limits in common.read_text()
    again = '    validate_config(yaml.safe_load(Path(workflow.basedir, "config.schema.yaml").read_text()))\n'
    common.write_text(common.read_text().replace(limits, limits + again, 1))
    monkeypatch.setattr(plan_fleet, "ROOT", workflow.folder)
    assert growth(tmp_path) > 1.03
