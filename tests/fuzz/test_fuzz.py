"""Run each fuzz target for a short time, by its environment's own pytest. The driver's own target is collected here."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, own_tests


@pytest.mark.parametrize(("environment", "targets"), [("torch", 2), ("tensorflow", 2), ("publish", 1)])
def test_short_run(environments: Path, environment: str, targets: int) -> None:
    own_tests(environment, f"tests/fuzz/{environment}", targets)


PROGRAM = """
import os, sys
from pathlib import Path
from tests.support.fuzzing import Watch
watch, folder = Watch(), Path(sys.argv[1])
with watch.reading(folder, ValueError):
    {deed}
"""


@pytest.mark.parametrize(
    ("deed", "seen"),
    [
        ("raise ValueError('one line')", ""),
        ("raise KeyError('another')", "KeyError"),
        ("raise ValueError('two\\nlines')", "a message of several lines"),
        ("open(folder / '../outside', 'w')", "to write"),
        ("os.open(folder / '../outside', os.O_CREAT | os.O_WRONLY)", "to write"),
        ("(folder / 'inside').touch()", "AssertionError"),
        ("os.system('true')", "os.system"),
        ("sum(range(3 * 10**9))", "CPU_SECONDS"),
        ("bytearray(b'x' * 2**31) + b''", "MEMORY_BYTES"),
    ],
)
def test_what_a_target_would_see(tmp_path: Path, deed: str, seen: str) -> None:
    (tmp_path / "watched").mkdir()
    program = PROGRAM.format(deed=deed.replace("\n", "\\n"))
    if seen == "CPU_SECONDS":
        program = program.replace(
            "watch, folder", "from tests.support import fuzzing; fuzzing.CPU_SECONDS = 0.2; watch, folder"
        )
        program = program.replace("3 * 10**9", "3 * 10**7")
    command = [sys.executable, "-c", program, str(tmp_path / "watched")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode == 0) == (seen == ""), done.stderr
    assert seen in done.stderr
