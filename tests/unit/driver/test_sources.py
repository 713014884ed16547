from pathlib import Path

import pytest

from tests.support.project import ROOT
from workflow_scripts.driver.sources import code_of, imported_by, needed_by

pytestmark = pytest.mark.environment("driver")


def test_imports_are_followed_to_their_end() -> None:
    assert code_of(ROOT, "workflow_scripts.predict.predict_openvino") == (
        "workflow_scripts/engines/engine.py",
        "workflow_scripts/engines/openvino.py",
        "workflow_scripts/formats/predictions.py",
        "workflow_scripts/predict/predict_openvino.py",
        "workflow_scripts/predict/predicting.py",
        "workflow_scripts/shared/failures.py",
        "workflow_scripts/shared/files.py",
    )


def test_each_form_of_import_is_seen(tmp_path: Path) -> None:
    room = tmp_path / "workflow_scripts/room"
    room.mkdir(parents=True)
    for name in ("one", "two", "three", "four"):
        (room / f"{name}.py").write_text("")
    (room / "main.py").write_text(
        "import json\n"
        "import workflow_scripts.room.one\n"
        "from workflow_scripts.room import two\n"
        "from workflow_scripts.room.three import name\n"
        "def late():\n    from workflow_scripts.room.four import name\n"
    )
    found = imported_by(tmp_path, "workflow_scripts.room.main")
    assert found == tuple(f"workflow_scripts.room.{name}" for name in ("four", "one", "three", "two"))


def test_a_command_names_its_environment_and_its_script() -> None:
    needed = needed_by(ROOT, ".venvs/torch/bin/python -m workflow_scripts.shared.failures --model {input.model:q}")
    assert needed == {
        "environment": [".venvs/torch/installed.txt"],
        "code": ["workflow_scripts/shared/failures.py"],
    }


def test_a_command_may_start_several_environments() -> None:
    first = ".venvs/torch/bin/python -m workflow_scripts.shared.failures"
    second = "'.venvs/onnx/bin/python -m workflow_scripts.shared.files'"
    needed = needed_by(ROOT, f"{first} --onnxruntime {second}")
    assert needed["environment"] == [".venvs/onnx/installed.txt", ".venvs/torch/installed.txt"]
    assert needed["code"] == ["workflow_scripts/shared/failures.py", "workflow_scripts/shared/files.py"]


def test_node_scripts_are_code_too() -> None:
    needed = needed_by(ROOT, ".venvs/node/bin/node workflow_scripts/predict/predict_tfjs.cts --model m")
    assert needed == {
        "environment": [".venvs/node/installed.txt"],
        # The second is what the first requires.
        "code": ["workflow_scripts/predict/predict_tfjs.cts", "workflow_scripts/predict/tfjs_files.cts"],
    }


def test_other_commands_need_nothing() -> None:
    assert needed_by(ROOT, "cp {input:q} {output:q}") == {}
