"""The scripts' tests, each environment's by its own Python."""

from pathlib import Path

import pytest
from conftest import own_tests


@pytest.mark.parametrize("environment", ["torch", "onnx", "tensorflow", "litert", "provenance", "publish"])
def test_scripts(environments: Path, environment: str) -> None:
    own_tests(environment, f"tests/scripts/{environment}", 1)
