import copy
from typing import Any

import pytest
import yaml

from tests.support.project import ROOT
from workflow_scripts.driver.configuration import validate
from workflow_scripts.driver.names import refuse_taken, taken_by

pytestmark = pytest.mark.environment("driver")

DEFAULTS: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_names_are_read_off_the_outputs() -> None:
    outputs = ["results/site", "results/{model}/onnx/dynamic.onnx", "results/_logs/a.log", ".venvs/torch/installed.txt"]
    assert taken_by([*outputs, "prefix/results/npm/package.json", "results"]) == {"site", "_logs", "npm"}


@pytest.mark.parametrize("name", ["site", "SITE"])
def test_a_taken_name_is_refused(name: str) -> None:
    with pytest.raises(SystemExit, match=f"a model may not be named {name}"):
        refuse_taken(["mine", name], {"site"})
    refuse_taken(["mine", "sites"], {"site"})


def name_model(name: str, taken: set[str]) -> None:
    """Ask for a model of that name, as the rules do."""
    validate({**copy.deepcopy(DEFAULTS), "model": name}, ROOT / "config.schema.yaml")
    refuse_taken([name], taken)


def test_no_name_of_the_workflow_can_be_a_model() -> None:
    # Every name in results/ that the rules use for outputs, logs and timings, also those of rules added later.
    lines = [line for rules in (ROOT / "rules").glob("*.smk") for line in rules.read_text().splitlines()]
    written = [line.split('"')[1] for line in lines if '"results/' in line]
    own = taken_by(written)
    assert {"_logs", "_benchmarks", "_page", "_samples", "_bills", "_probes", "site", "summary.md"} <= own
    for name in own:
        with pytest.raises(SystemExit):
            name_model(name, own)


@pytest.mark.parametrize("name", ["_new", "_site", "-new", ".new", "a/b", "..", "", "a\n"])
def test_no_model_begins_as_a_folder_of_the_workflow_does(name: str) -> None:
    with pytest.raises(SystemExit, match="Error: config model"):
        name_model(name, set())
