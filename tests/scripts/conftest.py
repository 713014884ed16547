"""Tests of workflow_scripts/, a folder an environment: each runs by that environment's own pytest."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Refusal = Callable[..., str]

if ".venvs" in Path(sys.prefix).parts:
    sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))
else:
    # The driver lacks what these import; test_environments.py runs them instead.
    collect_ignore = ["torch", "onnx", "tensorflow", "publish"]


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """Run a script's main as its command line does and return the one line with which it refuses its input."""
    from commands import run

    def refused(main: Callable[[Sequence[str]], None], *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["script.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            run(main)
        # Python prints a text to stderr and exits with 1; argparse's own errors are numbers.
        assert isinstance(stopped.value.code, str)
        assert stopped.value.code.startswith("script: ")
        assert "\n" not in stopped.value.code
        return stopped.value.code

    return refused
