"""Planning costs the same per model, however many models a fleet has."""

import pstats
import sys
from pathlib import Path

import pytest

from tests.scaling import plan_fleet
from tests.scaling.plan_fleet import plan, write_fleet
from tests.support.project import copy_project

SMALL = ("--config", "resolutions=[64]", "dtypes=[float32]", "tflite_dtypes=[]")


def test_fleet_is_planned_whole_and_in_slices(tmp_path: Path) -> None:
    fleet = write_fleet(tmp_path, 4)
    whole = plan(fleet).jobs
    # 4 models, 5 resolutions, 3 dtypes; the probe inputs are the same for all.
    expected = {"export_onnx": 4, "make_probe_inputs": 5, "write_manifest": 20, "quantize_tfjs": 40, "predict_tfjs": 20}
    assert {rule: whole[rule] for rule in expected} == expected
    slices = [
        plan(fleet, "--config", f"model=[{names}]").jobs for names in ("model0000", "model0001,model0002,model0003")
    ]
    assert [part["write_manifest"] for part in slices] == [5, 15]
    assert all(sum(part[rule] for part in slices) == count for rule, count in expected.items() if "probe" not in rule)


def calls(folder: Path, models: int) -> int:
    """Count the function calls of planning so many models. Unlike seconds, they do not depend on the machine."""
    folder.mkdir()
    profile = folder / "profile"
    found = plan(write_fleet(folder, models), *SMALL, python=(sys.executable, "-m", "cProfile", "-o", str(profile)))
    assert found.jobs["write_manifest"] == models
    counted: int = pstats.Stats(str(profile)).total_calls  # type: ignore[attr-defined]
    return counted


def growth(folder: Path) -> float:
    """Return the cost per model from 10 to 20 models ÷ the cost per model from 5 to 10: linear growth gives 1."""
    five, ten, twenty = (calls(folder / str(models), models) for models in (5, 10, 20))
    return (twenty - ten) / (2 * (ten - five))


def test_planning_grows_with_the_number_of_models(tmp_path: Path) -> None:
    assert growth(tmp_path) < 1.01


@pytest.mark.long
def test_work_on_all_models_for_each_job_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = copy_project(tmp_path / "project")
    settings = workflow.folder / "workflow_scripts/driver/settings.py"
    asked = '        task: str = self.checkpoints[wildcards.model]["task"]\n'
    assert asked in settings.read_text()
    again = "        from workflow_scripts.driver.configuration import validate\n"
    again += '        validate(self.config, CHECKOUT / "config.schema.yaml")\n'
    settings.write_text(settings.read_text().replace(asked, again + asked, 1))
    monkeypatch.setattr(plan_fleet, "ROOT", workflow.folder)
    assert growth(tmp_path) > 1.01
