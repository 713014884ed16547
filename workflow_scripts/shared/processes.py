"""Run the converters' own commands, which are installed beside this Python."""

import os
import subprocess
import sys
from pathlib import Path

from workflow_scripts.shared.failures import Failure

ENVIRONMENT = {
    # openvino2tensorflow and tensorflowjs are written for Keras 2.
    "TF_USE_LEGACY_KERAS": "1",
    # The result does not depend on a GPU, and starting one would cost time and memory.
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


def run_tool(name: str, *arguments: str, expected: Path) -> None:
    """Run a command of this environment. Raise Failure unless it exits with 0 and has written the file `expected`.

    Some converters print an error and exit with 0, so only the output file proves success.
    """
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    status = subprocess.run(command, env=os.environ | ENVIRONMENT, stdin=subprocess.DEVNULL).returncode
    if status or not expected.is_file():
        wrote = "wrote" if expected.is_file() else "wrote no"
        raise Failure(f"{name} exited with {status} and {wrote} {expected.name}; its own messages are above")
