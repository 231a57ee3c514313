"""Curves with many confidences: monotone steps, the shipped point at their end, nothing cut off."""

from __future__ import annotations

import random
import re

import pytest

from gateway.evaluation.chart import BOTTOM, LEFT, RIGHT, ROWS, TOP, chart, end_of_axis, thinned
from gateway.evaluation.scores import Point, Tally, curve


def scored(count: int) -> list[tuple[bool, float]]:
    """As many samples as asked for, each with a confidence of its own: surer where it is true."""
    chance = random.Random(7)
    return [
        (truth, chance.random() ** (0.3 if truth else 4)) for truth in (chance.random() < 0.3 for _ in range(count))
    ]


def naive(pairs: list[tuple[bool, float]]) -> list[tuple[float, float, float]]:
    """The same by the definition, one threshold after another."""
    positives = sum(truth for truth, _ in pairs)
    return [
        (
            threshold,
            sum(truth and sure >= threshold for truth, sure in pairs) / positives,
            sum(not truth and sure >= threshold for truth, sure in pairs) / (len(pairs) - positives),
        )
        for threshold in sorted({sure for _, sure in pairs if sure > 0}, reverse=True)
    ]


def test_every_threshold_is_swept() -> None:
    pairs = [(truth, round(sure, 2)) for truth, sure in scored(400)]
    points = curve(pairs)
    assert len(points) > 60
    assert [(p.threshold, p.recall, p.false_stops) for p in points] == [pytest.approx(one) for one in naive(pairs)]


def test_ten_thousand_confidences_take_no_time() -> None:
    assert len(curve(scored(10_000))) == 10_000


def test_nothing_to_find_and_nothing_found_have_no_curve() -> None:
    assert curve([(False, 0.7), (False, 0.0)]) == ()
    assert curve([(True, 0.0), (False, 0.0)]) == ()
    assert curve([]) == ()


def test_the_picture_is_drawn_in_steps_within_its_frame() -> None:
    points = curve(scored(300))
    drawn = chart("a", Tally(), points, end_of_axis([points]))
    assert re.fullmatch(r"M40 150(H[\d.]+V[\d.]+)+", drawn.steps)
    across = [float(x) for x in re.findall(r"H([\d.]+)", drawn.steps)]
    up = [float(y) for y in re.findall(r"V([\d.]+)", drawn.steps)]
    assert across == sorted(across) and up == sorted(up, reverse=True)
    assert min(across) >= LEFT and max(across) <= RIGHT and min(up) >= TOP and max(up) <= BOTTOM
    assert (drawn.x, drawn.y) == (across[-1], up[-1])  # what is shipped stands at the end of the curve
    assert len(drawn.rows) == ROWS and drawn.rows[0] == points[0] and drawn.rows[-1] == points[-1]


def test_a_policy_that_finds_nothing_stands_at_the_origin() -> None:
    tally = Tally()
    tally.add("a", True, False)
    drawn = chart("a", tally, (), end_of_axis([()]))
    assert (drawn.x, drawn.y, drawn.recall, drawn.steps) == (LEFT, BOTTOM, 0.0, "M40 150")


@pytest.mark.parametrize(("most", "end"), [(0.0, 0.01), (0.01, 0.01), (0.011, 0.02), (0.3, 0.5), (1.0, 1.0)])
def test_the_axis_ends_beyond_the_last_point(most: float, end: float) -> None:
    assert end_of_axis([[Point(1.0, 0.5, most)], []]) == end


def test_few_points_stay_as_they_are() -> None:
    points = [Point(1.0, 0.1, 0.0), Point(0.5, 0.2, 0.1)]
    assert thinned(points) == tuple(points)
