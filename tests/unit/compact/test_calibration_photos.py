import numpy as np
import pytest

from workflow_scripts.compact.calibration_photos import calibration_inputs, checking_inputs, more_bars
from workflow_scripts.predict.make_probe_inputs import probe_photos
from workflow_scripts.shared.drawings import preprocess

pytestmark = pytest.mark.environment("torch")


def test_calibration_checking_and_probes_have_nothing_in_common() -> None:
    sets = [
        {name: x.numpy() for name, x in calibration_inputs(64).items()},
        {name: x.numpy() for name, x in (checking_inputs(64) | more_bars(64)).items()},
        {name: preprocess(photo, 64) for name, photo in probe_photos(64).items()},
    ]
    every = [x for each in sets for x in each.values()]
    assert [len(each) for each in sets] == [7, 11, 5]
    assert all(x.shape == (1, 3, 64, 64) and x.dtype == np.float32 and np.isfinite(x).all() for x in every)
    assert len({x.tobytes() for x in every}) == len(every)


def test_two_runs_give_equal_inputs() -> None:
    first, again = calibration_inputs(32), calibration_inputs(32)
    assert all(np.array_equal(x, again[name]) for name, x in first.items())
