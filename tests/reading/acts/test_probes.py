"""The shipped probes on sentences that nothing has learnt from (tests/texts/probes/*.unlearnt.txt)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gateway.reading.acts.hollow import KIND, KIND_TO_OTHERS, MERE
from gateway.reading.acts.model import Model
from gateway.reading.acts.probes import LEAST, MOST_SENTENCES, Probes, Question, probes, vectors_of
from gateway.reading.acts.reader import act_reader
from gateway.reading.left_out import POSSIBLE
from gateway.reading.lexicon import Lexicon

FOLDER = Path(__file__).parents[2] / "texts" / "probes"
EVERY = 3
"""Of so many sentences, one is read: enough to tell, and a quarter of a minute."""


def rows() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted(FOLDER.glob("*.unlearnt.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [(path.name[:2], *line.split("\t", 1)) for line in lines]
    return found[::EVERY]


def shares(lexicon: Lexicon, question: Question, least: float, *classes: str) -> dict[str, float]:
    """The share of each of these classes in which the probe sees it."""
    seen: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for lang, kind, sentence in rows():
        if kind not in classes:
            continue
        prepared = lexicon.prepare(sentence)
        chances = probes().read(prepared, range(len(prepared.sentences)), lang, question)
        of[kind] += 1
        seen[kind] += max(chances.values(), default=0.0) >= least
    return {kind: seen[kind] / of[kind] for kind in of}


def test_wishes_are_seen_and_little_else(lexicon: Lexicon) -> None:
    own = shares(lexicon, "wish", POSSIBLE, "ask", "near", "other")
    told = shares(lexicon, "told_wish", POSSIBLE, "told", "near", "other")
    assert own["ask"] > 0.4 and told["told"] > 0.35
    assert own["near"] < 0.12 and told["near"] < 0.12
    assert own["other"] < 0.03 and told["other"] < 0.03


def test_kind_words_are_told_from_help(lexicon: Lexicon) -> None:
    kind = shares(lexicon, "kind", KIND, "kind", "help")
    assert kind["kind"] > 0.4
    assert kind["help"] < 0.07


def test_mere_rules_are_told_from_reasons(lexicon: Lexicon) -> None:
    mere = shares(lexicon, "mere", MERE, "mere", "why")
    assert mere["mere"] > 0.6
    assert mere["why"] < 0.03


def test_no_more_sentences_are_read_than_a_person_needs(lexicon: Lexicon) -> None:
    prepared = lexicon.prepare("\n\n".join("Have a lovely weekend!" for _ in range(MOST_SENTENCES + 5)))
    assert len(probes().read(prepared, range(len(prepared.sentences)), "en", "kind")) == MOST_SENTENCES


def test_a_sentence_is_read_for_itself(lexicon: Lexicon) -> None:
    alone = lexicon.prepare("Please spare me the mails.")
    among = lexicon.prepare("The fridge beeps. Please spare me the mails. It has beeped since Monday.")
    first, second = (vectors_of(act_reader().models, text, its, "en") for text, its in ((alone, [0]), (among, [0, 1])))
    assert np.allclose(first[0], second[1], atol=1e-4)


def test_no_level_lies_below_what_is_told() -> None:
    assert min(KIND, KIND_TO_OTHERS, MERE, POSSIBLE) >= LEAST


def test_what_no_model_can_read_has_no_chance(lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "vectors", lambda *_: {})
    prepared = lexicon.prepare("Please spare me the mails.")
    assert Probes(act_reader().models, probes().lines).read(prepared, [0], "en", "wish") == {}
