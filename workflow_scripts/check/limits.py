"""Limits of a hop, and the figures that are outside of them."""

from collections.abc import Mapping

Tolerance = Mapping[str, float]


def exceeded(figures: Mapping[str, float], tolerance: Tolerance) -> list[str]:
    """Return the figures outside their limits: `min_…` limits are floors, all others ceilings."""
    problems = []
    for limit, bound in sorted(tolerance.items()):
        figure = limit.removeprefix("min_")
        value = figures[figure]
        if not (value >= bound if limit.startswith("min_") else value <= bound):
            side = "below" if limit.startswith("min_") else "over"
            problems.append(f"{figure} {value:.3g} is {side} {bound:.3g}")
    return problems
