"""The picture of a policy's curve: steps of recall against false stops, and where the shipped policy stands on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.evaluation.scores import Point, Tally

LEFT, RIGHT, TOP, BOTTOM = 40.0, 268.0, 22.0, 150.0
"""The frame of the picture in its own units; it is 280 wide and 190 high."""
ROUND = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Where the axis of false stops may end: beyond the last point, so that nothing is cut off."""
ROWS = 11
"""Thresholds that the table beside the curves shows of one policy."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One policy. `steps` is an SVG path; `x` and `y` are where the shipped point stands in the picture."""

    policy: str
    recall: float
    false_stops: float
    steps: str
    x: float
    y: float
    rows: tuple[Point, ...]


def end_of_axis(curves: Sequence[Sequence[Point]]) -> float:
    """The share of false stops at which the axis ends: one for all curves that stand side by side."""
    most = max((points[-1].false_stops for points in curves if points), default=0.0)
    return next(end for end in ROUND if most <= end)


def chart(policy: str, tally: Tally, points: Sequence[Point], end: float) -> Chart:
    """The picture of a curve (empty: the policy found nothing)."""
    shipped = points[-1] if points else Point(0.0, tally.recall or 0.0, 0.0)
    steps = [f"M{LEFT:g} {BOTTOM:g}"]
    for point in points:
        steps.append(f"H{_x(point, end):.1f}V{_y(point):.1f}")
    return Chart(
        policy,
        shipped.recall,
        shipped.false_stops,
        "".join(dict.fromkeys(steps)),
        round(_x(shipped, end), 1),
        round(_y(shipped), 1),
        thinned(points),
    )


def thinned(points: Sequence[Point], most: int = ROWS) -> tuple[Point, ...]:
    """At most so many of them, evenly chosen, the strictest and the shipped one always among them."""
    if len(points) <= most:
        return tuple(points)
    return tuple(points[round(number * (len(points) - 1) / (most - 1))] for number in range(most))


def _x(point: Point, end: float) -> float:
    return LEFT + point.false_stops / end * (RIGHT - LEFT)


def _y(point: Point) -> float:
    return BOTTOM - point.recall * (BOTTOM - TOP)
