"""The shipped model on sentences that no phrase of the lexicon knows, and when it is asked at all."""

from __future__ import annotations

import pytest

from gateway.reading.acts.acts import UNREAD
from gateway.reading.acts.doubts import doubts
from gateway.reading.acts.model import MOST_WINDOWS
from gateway.reading.acts.reader import act_reader
from gateway.reading.lexicon import Lexicon


def chances(lexicon: Lexicon, text: str, act: str, lang: str = "en") -> float:
    prepared = lexicon.prepare(text)
    found = act_reader().read(prepared, range(len(prepared.sentences)), lang)
    return max(its[act] for its in found.of.values())


@pytest.mark.parametrize(
    ("lang", "refuses", "helps"),
    [
        (
            "en",
            "June is a wall of deadlines for me, so I'll sit this one out.",
            "Sure, count me in and send me the details.",
        ),
        (
            "de",
            "Diese Woche wird das leider nichts mehr.",
            "Ist erledigt, schauen Sie mal nach.",
        ),
        (
            "fr",
            "Les frais de port restent malheureusement à votre charge.",
            "Le remboursement est parti ce matin, vous le verrez demain.",
        ),
    ],
)
def test_a_refusal_without_a_known_phrase_has_a_better_chance(
    lexicon: Lexicon, lang: str, refuses: str, helps: str
) -> None:
    no, yes = (chances(lexicon, text, "refusal", lang) for text in (refuses, helps))
    assert no > 0.5 > yes
    assert no > yes + 0.3


def test_the_same_text_has_the_same_chances(lexicon: Lexicon) -> None:
    assert len({chances(lexicon, "That is not on our roadmap.", "refusal") for _ in range(3)}) == 1


def test_evidence_lies_within_its_sentence(lexicon: Lexicon) -> None:
    prepared = lexicon.prepare("Thanks for asking. We never lend these out, I'm afraid. Have a nice day.")
    found = act_reader().read(prepared, [1], "en")
    for (number, _), (start, end) in found.spans.items():
        sentence = prepared.sentences[number]
        assert sentence.start <= start < end <= sentence.end


def test_a_long_answer_is_read_in_windows_and_only_where_wanted(lexicon: Lexicon) -> None:
    prepared = lexicon.prepare("This is one of very many sentences about the weather in town. " * 400)
    last = len(prepared.sentences) - 1
    found = act_reader().read(prepared, [last], "en")
    assert last in found.of
    assert len(found.of) < 30
    everything = act_reader().read(prepared, range(len(prepared.sentences)), "en")
    assert len(everything.of) <= MOST_WINDOWS * 30


def test_nothing_is_asked_where_nothing_could_come_of_it(lexicon: Lexicon) -> None:
    scan = lexicon.scan_text("We cannot do this before Monday.")
    assert doubts(scan, lang="en", to_requester=True, absent=False, asked=False) == [0]
    assert doubts(scan, lang="en", to_requester=False, absent=False, asked=True) == []
    assert UNREAD.chance(0, "refusal", 1.0) == 1.0
    assert UNREAD.sure("refusal", 0.0) == []
