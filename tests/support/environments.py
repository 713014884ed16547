"""Which environment a test file runs in."""

import re
import sys
from pathlib import Path

# The environment of this Python. `driver` is the one that runs Snakemake.
HERE = Path(sys.prefix).name if ".venvs" in Path(sys.prefix).parts else "driver"


def environment_of(test: Path) -> str:
    """Return the environment that a file of tests/unit names in its mark. The file is read, not imported."""
    found = re.findall(r'pytest\.mark\.environment\("(\w+)"\)', test.read_text())
    assert len(found) == 1, f"{test} names its environment {len(found)} times; it must once"
    return str(found[0])
