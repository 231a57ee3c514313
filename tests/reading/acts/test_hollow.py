"""Excuses in kind words, on made-up chances."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.reading.acts import hollow
from gateway.reading.acts.acts import ACTS, Acts
from gateway.reading.acts.hollow import KIND, KIND_BECAUSE, KIND_TO_OTHERS, MERE, without_hollow_words
from gateway.reading.lexicon import Lexicon


class Sure:
    """Says of every sentence that it is asked about how likely it is a kind word, and a mere rule."""

    def __init__(self, kind: float, mere: float = 0.0) -> None:
        self.chances = {"kind": kind, "mere": mere}
        self.asked: list[int] = []

    def read(self, _: object, wanted: list[int], __: str, question: str) -> Mapping[int, float]:
        self.asked += wanted
        return dict.fromkeys(wanted, self.chances[question])


def acts_of(**chances: float) -> Acts:
    return Acts({0: dict.fromkeys(ACTS, 0.0) | chances})


@pytest.mark.parametrize(
    ("sure", "chances", "left"),
    [
        (KIND, {"alternative": KIND - 0.01, "eta": 0.06}, {"alternative": 0.0, "eta": 0.0, "pleasantry": KIND}),
        (KIND - 0.01, {"alternative": 0.6}, {"alternative": 0.6, "pleasantry": 0.0}),
        (0.8, {"reason": 0.95, "eta": 0.3}, {"reason": 0.95, "eta": 0.0}),
        (0.8, {"promise": 0.3, "refusal": 0.2}, {"promise": 0.0, "refusal": 0.2}),
    ],
)
def test_an_excuse_falls_where_a_kind_word_is_likelier(
    lexicon: Lexicon,
    monkeypatch: pytest.MonkeyPatch,
    sure: float,
    chances: dict[str, float],
    left: dict[str, float],
) -> None:
    monkeypatch.setattr(hollow, "probes", lambda: Sure(sure))
    acts = without_hollow_words(lexicon.scan_text("Give the dog a biscuit."), acts_of(**chances), "en", "requester")
    assert {act: acts.of[0][act] for act in left} == left


@pytest.mark.parametrize(("sure", "left"), [(KIND_TO_OTHERS, 0.0), (KIND_TO_OTHERS - 0.01, 0.95)])
def test_praise_is_no_hand_off(lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch, sure: float, left: float) -> None:
    monkeypatch.setattr(hollow, "probes", lambda: Sure(sure))
    acts = acts_of(handoff=0.95, promise=0.5)
    found = without_hollow_words(lexicon.scan_text("One for the kitchen wall!"), acts, "en", "others").of[0]
    assert (found["handoff"], found["promise"]) == (left, 0.5)


@pytest.mark.parametrize("chances", [{"refusal": 0.9, "eta": 0.5}, {"alternative": 0.04}, {"dismissive": 0.6}])
def test_what_says_no_and_what_excuses_nothing_is_not_asked_about(
    lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch, chances: dict[str, float]
) -> None:
    probe = Sure(0.99)
    monkeypatch.setattr(hollow, "probes", lambda: probe)
    acts = acts_of(**chances)
    assert without_hollow_words(lexicon.scan_text("Give the dog a biscuit."), acts, "en", "requester") == acts
    assert probe.asked == []


@pytest.mark.parametrize(
    ("text", "kind", "mere", "chances", "left", "hollow"),
    [
        ("Them's the rules.", 0.0, MERE, {"reason": 0.9}, 0.0, {0}),
        ("Them's the rules.", 0.0, MERE - 0.01, {"reason": 0.9}, 0.9, set[int]()),
        ("No, because that's the rule.", 0.0, MERE, {"refusal": 0.9, "reason": 0.01}, 0.0, {0}),
        ("Thanks for being with us since 2011!", KIND_BECAUSE, 0.0, {"reason": 0.01}, 0.01, {0}),
        ("Thanks for being with us since 2011!", KIND_BECAUSE - 0.01, 0.0, {"reason": 0.01}, 0.01, set[int]()),
        ("Have a coffee, because the disk is full.", KIND_BECAUSE, 0.0, {"reason": 0.97}, 0.97, set[int]()),
    ],
)
def test_a_rule_or_a_kind_word_explains_nothing(
    lexicon: Lexicon,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    kind: float,
    mere: float,
    chances: dict[str, float],
    left: float,
    hollow: set[int],
) -> None:
    monkeypatch.setattr("gateway.reading.acts.hollow.probes", lambda: Sure(kind, mere))
    acts = without_hollow_words(lexicon.scan_text(text), acts_of(**chances), "en", "requester")
    assert (acts.of[0]["reason"], acts.hollow) == (left, hollow)
