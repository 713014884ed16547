import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import openvino.opset13 as operations
import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.environment("draw")

# The interpreter changes threads as often as it can, so that the first predictions meet almost every time.
FIRST_PREDICTIONS_AT_ONCE = """
import sys
from pathlib import Path
from threading import Barrier, Thread
import numpy as np
from workflow_scripts.engines.openvino import open_model

sys.setswitchinterval(1e-6)
engine = open_model(Path(sys.argv[1]), 4, streams=4)
start = Barrier(4)

def predict(number):
    start.wait()
    outputs[number] = engine.predict(np.full((1, 3, 32, 32), number, np.float32))

outputs = {}
threads = [Thread(target=predict, args=(number,), daemon=True) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert {number: float(output.max()) for number, output in outputs.items()} == {0: 1, 1: 2, 2: 3, 3: 4}
"""


def test_threads_that_predict_first_at_the_same_time_do_not_wait_for_ever(tmp_path: Path) -> None:
    x = operations.parameter([1, 3, 32, 32], np.float32, name="x")
    more = operations.add(x, np.float32(1))
    file = tmp_path / "model.xml"
    openvino.save_model(openvino.Model([operations.result(more)], [x], "more"), file)
    for _ in range(3):
        command = [sys.executable, "-c", FIRST_PREDICTIONS_AT_ONCE, str(file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()[-300:]
