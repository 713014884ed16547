import copy
from typing import Any

import pytest
import yaml

from tests.support.project import ROOT
from workflow_scripts.driver.configuration import normalise, validate
from workflow_scripts.driver.settings import Settings

pytestmark = pytest.mark.environment("driver")

DEFAULTS: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())


def configured(**changes: Any) -> dict[str, Any]:
    """Return the defaults with changes, as Snakemake merges --config over them."""
    return {**copy.deepcopy(DEFAULTS), **changes}


def checked(config: dict[str, Any]) -> dict[str, Any]:
    """Give a configuration its types and validate it."""
    normalise(config)
    validate(config, ROOT / "config.schema.yaml")
    return config


def test_the_defaults_are_valid() -> None:
    assert checked(configured())["resolutions"] == DEFAULTS["resolutions"]


def test_values_of_the_command_line_get_their_types() -> None:
    config = checked(configured(resolutions="320", dtypes="uint16", prune="true", faces="true"))
    assert (config["resolutions"], config["dtypes"]) == ([320], ["uint16"])
    assert (config["prune"], config["faces"]) == (True, True)


def test_numbers_in_a_mapping_of_the_command_line_get_their_types() -> None:
    said = {"minutes": "0.5", "steps": "null", "widths": {"default": ["2", "4"]}, "start": "nothing"}
    distil = checked(configured(distil={**DEFAULTS["distil"], **said}))["distil"]
    assert (distil["minutes"], distil["steps"], distil["widths"]) == (0.5, None, {"default": [2, 4]})


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"resolutons": [64]}, "unknown config key resolutons at the top level; did you mean resolutions?"),
        ({"resolutions": [100]}, "config resolutions.0: 100 is not a multiple of 32"),
        ({"resolutions": [64.0]}, "config resolutions.0: 64.0 is not of type 'integer'"),
        ({"grace_hours": float("nan")}, "config grace_hours: nan is not of type 'number'"),
        ({"model": "../evil"}, "config model: "),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        checked(configured(**changes))
    assert isinstance(stopped.value.code, str)
    assert stopped.value.code.startswith(f"Error: {line}")
    assert "\n" not in stopped.value.code


def test_what_refers_to_itself_is_refused() -> None:
    many: list[Any] = [0] * 1000
    with pytest.raises(SystemExit, match="does it refer to itself"):
        checked(configured(checkpoints=[[many] * 1000] * 1000))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"model": "mine"}, "unknown model mine: config.yaml knows "),
        ({"model": ["u2netp", "u2net"], "checkpoint": "a.pth"}, "checkpoint=a.pth needs exactly one model"),
        ({"model": "mine", "checkpoint": "absent.pth"}, "no checkpoint at absent.pth (model mine)"),
    ],
)
def test_models_without_a_checkpoint_are_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        Settings.read(checked(configured(**changes)))
    assert str(stopped.value.code).startswith(f"Error: {line}")
