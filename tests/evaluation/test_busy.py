"""Scenarios by nine writers who had seen nothing: most come out right, and next to nothing is stopped in vain.

Right, before the reading was worked on with a look at a to d: a 30 of 44, b 32, c 28, d 33. On the day they were
written, e and f had 35 and 36, n and o 42 and 40, z, the last, 36; at z nobody has looked.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.evaluation.forms import read_corpus
from gateway.evaluation.report import evaluate
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet

TESTS = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return load_policies(TESTS.parent / "policies", None, shipped=TESTS.parent / "policies", run=False)


@pytest.mark.parametrize(
    ("writer", "least", "most_wrong"),
    [
        *[("a", 38, 1), ("b", 38, 0), ("c", 34, 2), ("d", 40, 1)],
        *[("e", 37, 2), ("f", 41, 1), ("n", 40, 0), ("o", 39, 1), ("z", 35, 0)],
    ],
)
def test_busy_days(writer: str, least: int, most_wrong: int, policies: PolicySet) -> None:
    corpus = read_corpus(TESTS / "busy" / writer, policies)
    found = evaluate(corpus, (policy.id for policy in policies.policies), policies.version, lambda: None)
    assert [case.fault for case in found.cases if case.fault] == []
    right, of, wrong = found.checks()["right"]
    assert of == 44
    assert right >= least, wrong
    fine = {case.sample.id for case in found.cases if not any(case.sample.policies.values())}
    stopped = {id for tally in found.tallies("policies").values() for id in tally.false_stops}
    assert len(stopped & fine) <= most_wrong, stopped & fine
