"""The shipped model on sentences that no phrase of the lexicon knows, and when it is asked at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from gateway.reading.acts.acts import UNREAD, Acts
from gateway.reading.acts.doubts import doubts
from gateway.reading.acts.model import MOST_WINDOWS, Chances
from gateway.reading.acts.pieces import Addressee
from gateway.reading.acts.reader import ActReader, act_reader
from gateway.reading.lexicon import Lexicon
from gateway.reading.referral import DOUBTS


def chances(lexicon: Lexicon, text: str, act: str, lang: str = "en", to: Addressee | None = None) -> float:
    prepared = lexicon.prepare(text)
    found = act_reader().read(prepared, range(len(prepared.sentences)), lang, to)
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


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Could you have a look at the socket please?"),
        ("de", "Kannst du dir die Steckdose bitte ansehen?"),
        ("fr", "Tu peux regarder la prise, s'il te plaît ?"),
        ("it", "Puoi dare un'occhiata alla presa?"),
    ],
)
def test_a_request_hands_on_to_others_what_it_asks_the_requester(lexicon: Lexicon, lang: str, text: str) -> None:
    to_others, to_requester = (
        chances(lexicon, text, "handoff", lang, to)
        for to in ("others", "requester")  # type: ignore[arg-type]
    )
    assert to_others > DOUBTS["task"] > to_requester  # from there on such a phrase is believed


@dataclass(frozen=True)
class Sure:
    """A model that gives every sentence it sees one chance."""

    chance: float
    sees: tuple[int, ...] = (0, 1)
    span: tuple[int, int] = (0, 5)

    def read(self, *_: object) -> dict[int, Chances]:
        return {number: {"refusal": (self.chance, self.span)} for number in self.sees}


def together(lexicon: Lexicon, *models: Sure) -> Acts:
    return ActReader(cast(Any, models)).read(lexicon.prepare("We cannot do this. So it is."), [0, 1], "en")


def test_two_models_meet_in_the_middle_of_their_odds(lexicon: Lexicon) -> None:
    assert together(lexicon, Sure(0.9), Sure(0.1)).of[0]["refusal"] == 0.5
    assert together(lexicon, Sure(0.9), Sure(0.9)).of[0]["refusal"] == 0.9
    assert together(lexicon, Sure(0.99), Sure(0.5)).of[0]["refusal"] == 0.909  # odds of 99 and 1: 9.95


def test_no_model_is_sure_enough_to_decide_alone(lexicon: Lexicon) -> None:
    assert together(lexicon, Sure(1.0), Sure(0.0)).of[0]["refusal"] == 0.5


def test_what_one_model_alone_saw_is_what_it_says(lexicon: Lexicon) -> None:
    found = together(lexicon, Sure(0.2, (0, 1)), Sure(0.8, (1,)))
    assert found.of[0]["refusal"] == 0.2 and found.of[1]["refusal"] == 0.5


def test_the_surer_model_tells_where_it_stands(lexicon: Lexicon) -> None:
    assert together(lexicon, Sure(0.6, span=(1, 2)), Sure(0.7, span=(3, 4))).spans[0, "refusal"] == (3, 4)


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
    assert doubts(scan, "requester", lang="en", asked=False) == [0]
    assert doubts(scan, None, lang="en", asked=True) == []
    assert UNREAD.chance(0, "refusal", 1.0) == 1.0
    assert UNREAD.sure("refusal", 0.0) == []
