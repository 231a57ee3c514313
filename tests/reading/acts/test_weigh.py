"""Phrases and second reader weighed against each other, on made-up chances: what the model says is not tested here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.reading.acts.acts import ACTS, Acts
from gateway.reading.acts.weigh import COMPANION, IN_COMPANY, LEVELS, NOTHING, REGRETTED, seen, stands, weigh
from gateway.reading.lexicon import Lexicon, Scan

TEXT = "Hello Rita,\n\nwe cannot do this. The horse has left the barn. See you on Monday.\n\nDana"
_, DOUBT, SURE = LEVELS["refusal"]


def scan_with(lexicon: Lexicon, **chances: dict[int, float]) -> Scan:
    """The scan of TEXT, with chances by act and sentence; all others are 0."""
    scan = lexicon.scan_text(TEXT, names={"rita", "dana"})
    of = {n: dict.fromkeys(ACTS, 0.0) for n in range(len(scan.prepared.sentences))}
    spans = {}
    for act, its in chances.items():
        for number, chance in its.items():
            of[number][act] = chance
            sentence = scan.prepared.sentences[number]
            spans[number, act] = (sentence.start, sentence.end)
    return replace(scan, acts=Acts(of, spans))


def refusals(scan: Scan) -> list[tuple[int, float]]:
    return [(hit.sentence, hit.sure) for hit in weigh(scan, "refusal", scan.said("refusal"))]


def test_a_phrase_stands_where_nobody_read_again(lexicon: Lexicon) -> None:
    scan = lexicon.scan_text(TEXT, names={"rita", "dana"})
    assert refusals(scan) == [(1, 1.0)]


def test_both_readers_make_it_surer_than_one(lexicon: Lexicon) -> None:
    assert refusals(scan_with(lexicon, refusal={1: 0.9})) == [(1, 0.95)]
    assert refusals(scan_with(lexicon, refusal={1: DOUBT})) == [(1, pytest.approx((1 + DOUBT) / 2))]


def test_a_phrase_that_the_second_reader_takes_for_something_else_falls(lexicon: Lexicon) -> None:
    assert refusals(scan_with(lexicon, refusal={1: DOUBT - 0.01})) == []


def test_where_it_is_expected_a_phrase_is_hardly_doubted(lexicon: Lexicon) -> None:
    scan = scan_with(lexicon, reason={1: LEVELS["reason"].expected})
    assert stands(scan, "reason", 1, {1}) and not stands(scan, "reason", 1, {2})
    assert not stands(scan_with(lexicon, reason={1: 0.01}), "reason", 1, {1})
    assert stands(lexicon.scan_text(TEXT), "reason", 1, ()), "nobody read it again"


@pytest.mark.parametrize("act", NOTHING)
def test_a_phrase_falls_where_its_sentence_rather_does_nothing(lexicon: Lexicon, act: str) -> None:
    less, more = NOTHING[act]

    def believed(own: float, its: float) -> bool:
        return stands(scan_with(lexicon, **{act: {1: own}, "other": {1: its}}), act, 1, {1})

    low = less - 0.01
    assert not believed(low, more), "hardly the one, and likely the other"
    assert believed(less, more) and believed(low, more - 0.01)


def test_the_second_reader_alone_counts_from_its_level_on(lexicon: Lexicon) -> None:
    assert refusals(scan_with(lexicon, refusal={1: 0.8, 2: SURE})) == [(1, 0.9), (2, SURE)]
    assert refusals(scan_with(lexicon, refusal={1: 0.8, 2: SURE - 0.01})) == [(1, 0.9)]


@pytest.mark.parametrize(
    ("text", "sorry"),
    [
        ("That is more than I could tell you. Sorry.", True),
        ("Sorry, that is more than I could tell you.", True),
        ("That is more than I could tell you. Sorry that the lamp was dark so long.", False),
        ("That is more than I could tell you.", False),
    ],
)
def test_who_is_sorry_is_believed_sooner(lexicon: Lexicon, text: str, sorry: bool) -> None:
    def believed(chance: float) -> bool:
        scan = lexicon.scan_text(text)
        of = {n: dict.fromkeys(ACTS, 0.0) for n in range(len(scan.prepared.sentences))}
        of[0]["refusal"] = chance
        return bool(weigh(replace(scan, acts=Acts(of, {(0, "refusal"): (0, 10)})), "refusal", ()))

    assert believed(REGRETTED["refusal"]) is sorry
    assert not believed(REGRETTED["refusal"] - 0.01)


@pytest.mark.parametrize(
    ("refusal", "out_of_scope", "found"),
    [
        (IN_COMPANY, COMPANION, True),
        (IN_COMPANY, COMPANION - 0.01, False),
        (IN_COMPANY - 0.01, COMPANION, False),
        (IN_COMPANY, LEVELS["out_of_scope"].sure, False),
    ],
)
def test_what_is_beyond_somebody_is_a_no_sooner_and_only_once(
    lexicon: Lexicon, refusal: float, out_of_scope: float, found: bool
) -> None:
    scan = scan_with(lexicon, refusal={2: refusal}, out_of_scope={2: out_of_scope})
    assert bool(weigh(scan, "refusal", ())) is found


def test_nothing_is_found_in_greetings_and_closings(lexicon: Lexicon) -> None:
    last = len(lexicon.scan_text(TEXT, names={"rita", "dana"}).prepared.sentences) - 1
    assert seen(scan_with(lexicon, refusal={0: 1.0, last: 1.0}), "refusal", 0.5) == ()


def test_every_level_leaves_room_between_doubt_and_certainty() -> None:
    assert set(LEVELS) <= set(ACTS)
    assert all(0 <= level.expected <= level.doubt < level.sure for level in LEVELS.values())
