"""Conditions over named facts: what each form means, and what is said of a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.located import load_yaml
from gateway.policy.conditions import Condition, Grammar, lacking, reasons

GRAMMAR = Grammar(
    {"refusal": (), "eta": (), "referral": ("hand-off", "redirect", "consult"), "questions": (), "reason": ()},
    open={"eta", "questions"},
)
ABOUT = Grammar({"requester.known": (), "requester.external": (), "requester.grade": ("observed",), "refusal": ()})


def read(text: str, lists: str = "all") -> tuple[Condition, list[str]]:
    tree = load_yaml(text, "p.yaml")
    problems: list[Any] = []
    condition = GRAMMAR.read(tree.data["when"], ("when",), tree, problems, lists=lists)  # type: ignore[arg-type]
    return condition, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "facts", "holds"),
    [
        ("when: refusal", {"refusal": True}, True),
        ("when: refusal", {}, False),
        ("when: [refusal, eta]", {"refusal": True}, False),
        ("when: [refusal, eta]", {"refusal": True, "eta": "in words"}, True),
        ("when: {any: [refusal, eta]}", {"eta": "2026-11-30"}, True),
        ("when: {none: [refusal, eta]}", {}, True),
        ("when: {none: [refusal, eta]}", {"eta": "x"}, False),
        ("when: {all: [refusal], none: [eta]}", {"refusal": True}, True),
        ("when: {all: [refusal], none: [eta]}", {"refusal": True, "eta": "x"}, False),
        ("when: {all: [refusal, {any: [eta, {none: [reason]}]}]}", {"refusal": True}, True),
        ("when: {referral: hand-off}", {"referral": "hand-off"}, True),
        ("when: {referral: hand-off}", {"referral": "redirect"}, False),
        ("when: {referral: [hand-off, redirect]}", {"referral": "redirect"}, True),
        ("when: {referral: hand-off}", {"referral": ("consult", "hand-off")}, True),
        ("when: {questions: {at_least: 2}}", {"questions": 2}, True),
        ("when: {questions: {at_least: 2}}", {"questions": 1}, False),
        ("when: {questions: {at_least: 1, at_most: 3}}", {"questions": 4}, False),
        ("when: {questions: {at_least: 2}}", {"questions": "many"}, False),
        ("when: {refusal: false}", {}, True),
        ("when: {refusal: false}", {"refusal": True}, False),
        ("when: {refusal: true}", {"refusal": True}, True),
        ("when: {questions: 2}", {"questions": 2}, True),
    ],
)
def test_what_conditions_mean(text: str, facts: dict[str, Any], holds: bool) -> None:
    condition, problems = read(text)
    assert problems == []
    assert condition.holds(facts.get) is holds


def test_a_bare_list_under_unless_means_any_of_it() -> None:
    condition, _ = read("when: [refusal, eta]", lists="any")
    assert condition.holds({"eta": "x"}.get)


def test_reasons_are_the_facts_that_hold_and_never_absences() -> None:
    condition, _ = read("when: [refusal, {any: [eta, questions]}, {none: [reason]}]")
    assert list(reasons(condition, {"refusal": True, "questions": 2}.get)) == ["refusal", "questions"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when: refusl", 'p.yaml:1:7: unknown fact "refusl". Write: refusal'),
        ("when: [refusal, refrral]", 'p.yaml:1:17: unknown fact "refrral". Write: referral'),
        ("when:\n  anny: [refusal]", 'p.yaml:2:3: unknown fact "anny". Write: any'),
        (
            "when: zzz",
            'p.yaml:1:7: unknown fact "zzz". Write: one of: eta, questions, reason, referral, refusal'
            " (the clock is no fact; days stand under scope)",
        ),
        ("when: {not: [refusal]}", 'p.yaml:1:8: unknown fact "not". Write: none: with a list'),
        ("when: {refusal: [hard]}", 'p.yaml:1:17: "refusal" has no values: it is there, or not. Write: refusal, alone'),
        (
            "when: {referral: handoff}",
            'p.yaml:1:18: "referral" is never "handoff". Write: hand-off (allowed: hand-off, redirect or consult)',
        ),
        (
            "when: {referral: [hand-off, x]}",
            'p.yaml:1:29: "referral" is never "x". Write: hand-off, redirect or consult',
        ),
        ("when: {any: refusal}", 'p.yaml:1:13: "any" needs a list of conditions. Write: any: [fact, other_fact]'),
        ("when: {all: []}", 'p.yaml:1:13: "all" needs a list of conditions. Write: all: [fact, other_fact]'),
        ("when: {questions: {atleast: 2}}", 'p.yaml:1:20: unknown key "atleast". Write: at_least or at_most'),
        ("when: {questions: {at_least: two}}", 'p.yaml:1:30: "at_least" needs a number. Write: at_least: 2'),
        ("when: {eta: [{a: 1}]}", 'p.yaml:1:14: "eta" cannot be this. Write: one value, or a list of values'),
        ("when: 3", "p.yaml:1:7: a condition is missing. Write: a fact, or all:, any: or none: with a list of facts"),
        ("when: {}", "p.yaml:1:7: a condition is missing. Write: a fact, or all:, any: or none: with a list of facts"),
    ],
)
def test_what_is_said_of_a_wrong_one(text: str, said: str) -> None:
    assert read(text)[1] == [said]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("requester.outside", "requester.external"),
        ("requester.knwon", "requester.known"),
        ("requester.zzz", "requester.known, requester.external or requester.grade"),
    ],
)
def test_a_name_beside_others_of_its_kind(name: str, write: str) -> None:
    problems: list[Any] = []
    ABOUT.read(name, ("when",), load_yaml(f"when: {name}", "p.yaml"), problems)
    assert [problem.write for problem in problems] == [write]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when: [refusal, eta]", ["eta"]),
        ("when: [refusal, {none: [refusal]}]", ["none: [refusal]"]),
        ("when: {all: [eta, {any: [reason, {questions: {at_least: 2}}]}]}",
         ["eta", "any: [reason, questions: at_least 2]"]),
        ("when: {referral: [hand-off, consult]}", ["referral: hand-off or consult"]),
        ("when: refusal", []),
    ],
)  # fmt: skip
def test_what_a_condition_lacks(text: str, said: list[str]) -> None:
    condition, _ = read(text)
    assert list(lacking(condition, {"refusal": True, "questions": 1}.get)) == said
