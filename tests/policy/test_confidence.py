"""How sure a finding is: as the surest way in which its facts hold, which is what a threshold on them sweeps."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.policy.conditions import Condition, Group, Has, confidence

A, B, C = Has("a"), Has("b"), Has("c")
SURE = {"a": 0.9, "b": 0.6, "c": 0.7}


@pytest.mark.parametrize(
    ("condition", "sure"),
    [
        (A, 0.9),
        (Has("d"), 0.0),
        (Has("a", ("other",)), 0.0),
        (Group("all", (A, B)), 0.6),
        (Group("any", (A, B)), 0.9),
        (Group("any", (Has("d"), B)), 0.6),
        (Group("none", (Has("d"),)), 1.0),
        (Group("none", (A,)), 0.0),
        (Group("all", ()), 1.0),
        (Group("any", ()), 0.0),
        (Group("all", (Group("any", (A, B)), C)), 0.7),
    ],
)
def test_confidence(condition: Condition, sure: float) -> None:
    assert confidence(condition, lambda name: True if name in SURE else None, SURE.__getitem__) == sure


@pytest.mark.parametrize("kinds", list(product(("all", "any"), repeat=2)))
def test_it_is_the_highest_threshold_at_which_the_condition_holds(kinds: tuple[str, str]) -> None:
    inner = Group(kinds[0], (A, B))  # type: ignore[arg-type]
    condition = Group(kinds[1], (inner, C))  # type: ignore[arg-type]
    holding = [
        threshold
        for threshold in SURE.values()
        if condition.holds(lambda name, least=threshold: True if SURE[name] >= least else None)  # type: ignore[misc]
    ]
    assert confidence(condition, lambda name: True, SURE.__getitem__) == max(holding)
