"""The scripts' tests, each environment's by its own Python."""

import re
import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize("environment", ["torch", "onnx", "tensorflow", "publish"])
def test_scripts(environments: Path, environment: str) -> None:
    python = environments / ".venvs" / environment / "bin" / "python"
    # The folder above is the driver's: its conftest.py imports what these environments lack.
    command = [str(python), "-m", "pytest", f"tests/scripts/{environment}", "-q", "--confcutdir=tests/scripts"]
    done = subprocess.run(command, cwd=environments, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout)
    assert done.returncode == 0
    summary = done.stdout.splitlines()[-1]
    passed = re.search(r"(\d+) passed", summary)
    assert passed is not None
    assert int(passed.group(1)) > 0
    assert "skipped" not in summary
    assert "deselected" not in summary
