"""The arithmetic, against figures worked out by hand."""

from __future__ import annotations

import pytest

from gateway.evaluation.scores import Tally, curve, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 230, 0.0008, 0.0242)],
)
def test_wilson_intervals(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)
    assert found is not None
    assert found == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_nothing_has_no_interval_and_no_share() -> None:
    assert wilson(0, 0) is None
    empty = Tally()
    assert (empty.precision, empty.recall, empty.f1, empty.fpr, empty.n) == (None, None, None, None, 0)


def test_a_tally_counts_and_names() -> None:
    tally = Tally()
    for id, truth, said, random in [
        ("a", True, True, True), ("b", True, False, True), ("c", False, True, False), ("d", False, True, True),
        ("e", False, False, True), ("f", False, False, True), ("g", False, False, True),
    ]:  # fmt: skip
        tally.add(id, truth, said, random=random)
    assert (tally.tp, tally.fn, tally.fp, tally.tn) == (1, 1, 2, 3)
    assert tally.precision == pytest.approx(1 / 3)
    assert tally.recall == 0.5
    assert tally.f1 == pytest.approx(2 / 5)
    assert tally.fpr == 0.25  # of the four drawn blindly
    assert (tally.misses, tally.false_stops) == (["b"], ["c", "d"])


def test_the_curve_goes_from_strict_to_lenient() -> None:
    points = curve([(True, 0.9), (True, 0.4), (True, 0.0), (False, 0.4), (False, 0.0)])
    assert [(p.threshold, p.recall, p.false_stops) for p in points] == [
        (0.9, pytest.approx(1 / 3), 0.0),
        (0.4, pytest.approx(2 / 3), 0.5),
    ]
