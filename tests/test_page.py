"""The page's own checks: types, unit tests."""

import os
import subprocess

import pytest

from tests.support.project import ROOT, build_in_checkout


@pytest.mark.parametrize("script", ["check", "test"])
def test_npm_script(environments: os.PathLike[str], script: str) -> None:
    build_in_checkout("web/node_modules/.package-lock.json")
    node = ROOT / ".venvs/node/bin"
    done = subprocess.run(
        [str(node / "npm"), "run", script, "--prefix", "web"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
