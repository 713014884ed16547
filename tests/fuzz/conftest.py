"""Fuzz targets, a folder an environment: each is run by that environment's own pytest, or for long by run.py."""

import sys
from pathlib import Path

HERE = Path(__file__).parent

sys.path.append(str(HERE))
if ".venvs" in Path(sys.prefix).parts:
    sys.path.insert(0, str(HERE.parents[1] / "workflow_scripts"))
else:
    # The driver lacks what these import; test_fuzz.py runs them instead.
    collect_ignore = ["torch", "tensorflow", "publish"]
