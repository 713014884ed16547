from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workflow_scripts.benchmark.benchmark_model import (
    DENSE,
    DENSE_LITERT,
    DENSE_TFJS,
    Setting,
    leave_out,
    ratios,
    summarize,
    time_in_turn,
)
from workflow_scripts.benchmark.contenders import CannotRun, Contender, Frame
from workflow_scripts.check.limits import Limits
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("torch")

RANDOM = np.random.default_rng(11)
D0 = RANDOM.uniform(size=(1, 1, 32, 32)).astype(np.float32)
LIMITS = Limits(float32={"max_abs": 1e-3}, stated={"tfjs-uint16": {"min_drawing_psnr_db": 30}})
SETTING = Setting(32, 1, 2, D0, LIMITS, "saliency")


class Recorded(Contender):
    """Draws the items of `drawings` and then D0, and notes in `events` what it is asked for."""

    def __init__(self, name: str, events: list[str], *drawings: NDArray[np.float32]) -> None:
        super().__init__(name)
        self.events = events
        self.drawings = list(drawings)
        self.drawn = 0

    def open(self) -> dict[str, Any]:
        self.events.append(f"open {self.name}")
        return {"version": "1", "threads": 1}

    def frame(self, output: bool) -> Frame:
        self.events.append(f"{'look at' if output else 'draw'} {self.name}")
        self.drawn += 1
        d0 = self.drawings.pop(0) if self.drawings else D0
        return Frame(float(self.drawn), d0.ravel() if output else None)

    def close(self) -> None:
        self.events.append(f"close {self.name}")


def test_contenders_draw_in_turn_with_all_models_in_memory() -> None:
    events: list[str] = []
    found = time_in_turn([Recorded("a", events), Recorded("dense-tfjs", events)], SETTING, together=True)
    assert events == [
        *("open a", "look at a", "open dense-tfjs", "draw dense-tfjs"),
        *("draw a", "draw dense-tfjs"),
        *("look at a", "draw dense-tfjs"),
        *("close dense-tfjs", "close a"),
    ]
    # The first frame only warms up and does not count.
    assert found["a"].frames == found["dense-tfjs"].frames == [2.0, 3.0]
    assert found["a"].difference is not None
    assert found["a"].difference["max_abs"] == 0


def test_one_model_at_a_time_is_loaded_and_warmed_up_for_each_frame() -> None:
    events: list[str] = []
    found = time_in_turn([Recorded("a", events), Recorded("b", events)], SETTING, together=False)
    first = [f"{verb} {name}" for name in "ab" for verb in ("open", "look at", "draw", "close")]
    last = [f"{verb} {name}" for name in "ab" for verb in ("open", "look at", "look at", "close")]
    assert events == first + last
    assert found["a"].frames == [2.0, 4.0]


class Unable(Recorded):
    def open(self) -> dict[str, Any]:
        raise CannotRun(f"{self.name} failed in Chromium: out of memory")


def test_who_cannot_run_is_left_out_unless_all_are_compared_with_it() -> None:
    able, unable = Recorded("tfjs-float32", []), Unable("litert-float32", [])
    assert leave_out([able, unable], SETTING) == {"litert-float32": "litert-float32 failed in Chromium: out of memory"}
    with pytest.raises(CannotRun):
        leave_out([unable, able], SETTING)


def test_who_draws_something_else_is_not_left_out_but_fails() -> None:
    with pytest.raises(Failure, match="does not draw what PyTorch draws"):
        leave_out([Recorded("tfjs-float32", []), Recorded("litert-float32", [], WRONG)], SETTING)


WRONG = D0 + np.float32(0.01)


@pytest.mark.parametrize(
    ("name", "drawings", "problem"),
    [
        ("tfjs-float32", [WRONG], "max_abs 0.01 is over 0.001"),
        # An engine that is wrong when it uses memory again.
        ("tfjs-float32", [D0, D0, WRONG], "max_abs 0.01 is over 0.001"),
        # A contender without limits of its own has those of float32.
        ("litert-float32", [WRONG], "max_abs 0.01 is over 0.001"),
        ("tfjs-uint16", [np.flip(D0)], "drawing_psnr_db"),
    ],
)
def test_contender_that_draws_something_else_is_named(name: str, drawings: list[Any], problem: str) -> None:
    events: list[str] = []
    with pytest.raises(Failure, match=f"^{name} at 32, 1 thread does not draw what PyTorch draws: {problem}"):
        time_in_turn([Recorded(name, events, *drawings)], SETTING, together=True)
    assert events[-1] == f"close {name}"


def test_quantized_weights_may_differ_by_more() -> None:
    found = time_in_turn([Recorded("tfjs-uint16", [], WRONG, WRONG, WRONG)], SETTING, together=True)
    assert found["tfjs-uint16"].difference is not None
    assert found["tfjs-uint16"].difference["max_abs"] == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize(("d0", "values"), [(np.full_like(D0, np.nan), "NaN"), (D0[..., :16], "512 values")])
def test_values_that_are_no_drawing_are_refused(d0: NDArray[np.float32], values: str) -> None:
    with pytest.raises(Failure, match=f"^openvino at 32, 2 threads draws {values}"):
        replace(SETTING, threads=2).compare("openvino", d0.ravel())


def test_ratios_of_minima_and_of_rounds() -> None:
    found = ratios({"a": [1.0, 4.0, 3.0], "b": [2.0, 2.0, 2.0]})
    assert found == {"a": {"b": {"of_minima": 0.5, "median": 1.5}}, "b": {"a": {"of_minima": 2.0, "median": 2 / 3}}}


def test_speed_is_set_beside_the_dense_product() -> None:
    names = ("tfjs-float32", "litert-float32", "openvino")
    found = time_in_turn([Recorded(name, []) for name in (*names, *DENSE)], SETTING, together=True)
    found[DENSE_LITERT].frames = [1.0, 4.0]
    report = summarize(found, SETTING, multiply_adds=2**29, together=True)
    # A product is 2³⁰ multiply-adds: 2 ms with TensorFlow.js, 1 ms with LiteRT. The model is half of it, in 2 ms.
    assert report["dense"][DENSE_TFJS]["gmac_per_s"] == pytest.approx(2**30 / 2e6)
    assert report["dense"][DENSE_LITERT]["gmac_per_s"] == pytest.approx(2**30 / 1e6)
    assert [contender["name"] for contender in report["contenders"]] == list(names)
    assert all(contender["gmac_per_s"] == pytest.approx(2**29 / 2e6) for contender in report["contenders"])
    assert [contender["share_of_dense"] for contender in report["contenders"]] == [0.5, 0.25, None]
    assert report["ratios"].keys() == set(names)
