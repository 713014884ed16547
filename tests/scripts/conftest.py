"""Tests of workflow_scripts/, a folder an environment: each runs by that environment's own pytest."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Refusal = Callable[..., str]

if ".venvs" in Path(sys.prefix).parts:
    sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))
else:
    # The driver lacks what these import; test_environments.py runs them instead.
    collect_ignore = ["torch", "onnx", "tensorflow", "litert", "provenance", "publish"]


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


@pytest.fixture
def sigmoid_frames() -> Callable[[str, Path], dict[str, Any]]:
    """Have a native contender of the benchmark draw two frames with a sigmoid; return what it says of itself."""
    import numpy as np
    from safetensors.numpy import save_file

    def frames(script: str, model: Path) -> dict[str, Any]:
        probes = {name: np.random.default_rng(3).normal(size=(1, 3, 4, 4)).astype(np.float32) for name in ("a", "b")}
        save_file(probes, model.with_name("probes.safetensors"))
        done = subprocess.run(
            [
                *(sys.executable, script, "--model", str(model), "--threads", "1"),
                *("--probes", str(model.with_name("probes.safetensors")), "--probe", "b"),
            ],
            input="frame\noutput\n",
            capture_output=True,
            text=True,
            check=True,
        )
        said, first, second = map(json.loads, done.stdout.splitlines())
        assert said["threads"] == 1
        assert first["ms"] > 0
        assert first["d0"] is None
        assert np.allclose(second["d0"], (1 / (1 + np.exp(-probes["b"]))).ravel(), atol=1e-6)
        return dict(said)

    return frames
