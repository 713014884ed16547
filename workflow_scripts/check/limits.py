"""The limits of a hop. A float32 hop may err by a multiple of the network's own rounding error.

Hops with narrower weights have the limits that config.yaml states.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_scripts.shared.failures import Failure

Tolerance = Mapping[str, float]


@dataclass(frozen=True)
class Limits:
    """The limits of one network at one size.

    `float32` holds for every hop that computes with the network's own weights. `stated` holds config.yaml's limits for
    the hops whose weights are narrower, by hop.
    """

    float32: Tolerance
    stated: Mapping[str, Tolerance]

    def of(self, hop: str) -> Tolerance:
        """Return a hop's limits. A hop without stated limits computes in float32."""
        return self.stated.get(hop, self.float32)


def read_limits(tolerances: Mapping[str, Any], rounding: Path) -> Limits:
    """Return the limits that follow from `tolerances` of config.yaml and from the report of measure_rounding.

    Raises Failure if rounding alone exceeds a ceiling: comparing backends would then say nothing.
    """
    stated = dict(tolerances)
    float32 = dict(stated.pop("float32"))
    factor = float32.pop("factor")
    yardstick = json.loads(rounding.read_text())["worst"]
    for figure, bounds in float32.items():
        if yardstick[figure] > bounds["ceiling"]:
            raise Failure(
                f"{rounding}: rounding to float32 alone changes the output by {figure} {yardstick[figure]:.2g}, over "
                f"{bounds['ceiling']:.2g}; the network's weights are too large for float32 in any browser"
            )
    limits = {
        figure: min(max(factor * yardstick[figure], bounds["floor"]), bounds["ceiling"])
        for figure, bounds in float32.items()
    }
    return Limits(limits, stated)


def exceeded(figures: Mapping[str, float], tolerance: Tolerance) -> list[str]:
    """Return the figures outside their limits. `min_…` limits are floors, all others are ceilings."""
    problems = []
    for limit, bound in sorted(tolerance.items()):
        figure = limit.removeprefix("min_")
        value = figures[figure]
        if not (value >= bound if limit.startswith("min_") else value <= bound):
            side = "below" if limit.startswith("min_") else "over"
            problems.append(f"{figure} {value:.3g} is {side} {bound:.3g}")
    return problems
