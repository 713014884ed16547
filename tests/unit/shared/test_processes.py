import re
from pathlib import Path

import pytest

from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.processes import run_tool

pytestmark = pytest.mark.environment("tensorflow")

# The environment's own Python plays the converter: it writes and exits as the test tells it.


def test_a_tool_that_writes_its_output_passes(tmp_path: Path) -> None:
    output = tmp_path / "output"
    run_tool("python", "-c", f"open({str(output)!r}, 'w').write('done')", expected=output)
    assert output.read_text() == "done"


def test_a_tool_that_exits_with_0_and_wrote_nothing_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Failure, match=r"^python exited with 0 and wrote no model\.pb; its own messages are above$"):
        run_tool("python", "-c", "print('ERROR: unsupported layer')", expected=tmp_path / "model.pb")
    assert "ERROR: unsupported layer" in capfd.readouterr().out


def test_a_folder_where_a_file_is_expected_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="exited with 0"):
        run_tool("python", "-c", "pass", expected=tmp_path)


def test_a_tool_that_fails_is_refused_even_with_an_output(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with pytest.raises(Failure, match=r"^python exited with 3"):
        run_tool("python", "-c", f"open({str(output)!r}, 'w'); raise SystemExit(3)", expected=output)


def test_a_tool_sees_keras_2_no_gpu_and_no_terminal(tmp_path: Path) -> None:
    output = tmp_path / "output"
    code = (
        "import os, sys; names = ('TF_USE_LEGACY_KERAS', 'CUDA_VISIBLE_DEVICES', 'PATH');"
        f"open({str(output)!r}, 'w').write(repr([os.environ[n] for n in names] + [sys.stdin.read()]))"
    )
    run_tool("python", "-c", code, expected=output)
    assert re.match(r"\['1', '-1', '.+', ''\]$", output.read_text())
