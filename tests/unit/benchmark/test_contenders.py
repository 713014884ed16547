import json
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import numpy as np
import pytest

from workflow_scripts.benchmark.contenders import NativeContender, opened
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.serving import serving

pytestmark = pytest.mark.environment("torch")

ANSWERING = (
    "import json, sys\n"
    "print(json.dumps({'version': '1.0', 'threads': 1}), flush=True)\n"
    "for number, line in enumerate(sys.stdin):\n"
    "    print(json.dumps({'ms': number, 'd0': [0.25, 0.5] if line == 'output\\n' else None}), flush=True)\n"
)


def test_process_answers_a_frame_a_line_and_ends_when_closed() -> None:
    contender = NativeContender("engine", [sys.executable, "-c", ANSWERING])
    with opened(contender) as said:
        assert said == {"version": "1.0", "threads": 1}
        first, second = contender.frame(output=False), contender.frame(output=True)
        process = contender._process
    assert (first.ms, first.d0) == (0, None)
    assert second.ms == 1
    assert second.d0 is not None
    assert second.d0.dtype == np.float32
    assert second.d0.tolist() == [0.25, 0.5]
    assert process.returncode == 0


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "print('{}', flush=True); raise SystemExit(3)"])
def test_process_that_ends_by_itself_is_named(program: str) -> None:
    contender = NativeContender("engine", [sys.executable, "-c", program])
    with pytest.raises(Failure, match=r"^engine ended with exit status 3"), opened(contender):
        contender.frame(output=False)


def test_folders_are_served_below_their_names_and_no_others(tmp_path: Path) -> None:
    for name in ("page", "model", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.json").write_text(json.dumps(name))

    def fetch(address: str) -> tuple[str, str | None]:
        with urllib.request.urlopen(f"{origin}{address}") as answer:  # noqa: S310
            return json.loads(answer.read()), answer.headers["Cross-Origin-Embedder-Policy"]

    with serving(tmp_path / "page", mounts={"model": tmp_path / "model"}) as origin:
        assert fetch("/file.json") == ("page", "require-corp")
        assert fetch("/model/file.json") == ("model", "require-corp")
        for address in ("/secret/file.json", "/model/../secret/file.json", "/model/%2e%2e/secret/file.json"):
            with pytest.raises(HTTPError, match=r"40[34]"):
                fetch(address)
