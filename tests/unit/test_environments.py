"""The unit tests of each environment, by its own Python."""

from pathlib import Path

import pytest

from tests.support.environments import environment_of
from tests.support.project import ROOT, own_tests

pytestmark = pytest.mark.environment("driver")

OTHERS = sorted({environment_of(test) for test in (ROOT / "tests/unit").rglob("test_*.py")} - {"driver"})


@pytest.mark.parametrize("environment", OTHERS)
def test_units(environments: Path, environment: str) -> None:
    own_tests(environment, "tests/unit", 1)
