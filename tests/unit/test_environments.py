"""Run the unit tests of each environment with its own Python."""

import re
from pathlib import Path

import pytest

from tests.support.environments import environment_of
from tests.support.project import ROOT, own_tests, python

pytestmark = pytest.mark.environment("driver")

OTHERS = sorted({environment_of(test) for test in (ROOT / "tests/unit").rglob("test_*.py")} - {"driver"})


@pytest.mark.parametrize("environment", OTHERS)
def test_units(environments: Path, environment: str) -> None:
    own_tests(environment, "tests/unit", 1)


def scripts_in(environment: str) -> list[str]:
    """Name the modules that rules start in an environment, in their commands or, as lists of words, in their params."""
    rules = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    started = rf'\.venvs/{environment}/bin/python(?: -m |", "-m", ")(workflow_scripts\.\w+\.\w+)'
    return sorted(set(re.findall(started, rules)))


@pytest.mark.parametrize("environment", OTHERS)
def test_each_script_finds_what_it_imports(environments: Path, environment: str) -> None:
    scripts = scripts_in(environment)
    assert scripts
    python(environment, "-c", "".join(f"import {script}\n" for script in scripts))
