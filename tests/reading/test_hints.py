"""What excuses a no without being a fact, on made-up chances: small talk does not, whatever mark it ends with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.reading.acts.acts import ACTS, Acts
from gateway.reading.hints import LEAST, LEAST_ASKED, find_hints
from gateway.reading.lexicon import Lexicon, Scan
from gateway.reading.mitigation import ETA_ALONE, ETA_PROMISED, PROMISED, is_promised
from gateway.reading.refusal import Noes

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def read_twice(lexicon: Lexicon, text: str, **chances: float) -> Scan:
    """The scan of a text of which each sentence has these chances by act, and 0 for all others."""
    scan = lexicon.scan_text(text)
    of = {n: dict.fromkeys(ACTS, 0.0) | chances for n in range(len(scan.prepared.sentences))}
    spans = {(n, act): (s.start, s.end) for n, s in enumerate(scan.prepared.sentences) for act in ACTS}
    return replace(scan, acts=Acts(of, spans))


@pytest.mark.parametrize(("chance", "excuses"), [(LEAST_ASKED, True), (LEAST_ASKED - 0.01, False)])
def test_a_question_that_is_none_is_no_excuse(lexicon: Lexicon, chance: float, excuses: bool) -> None:
    scan = read_twice(lexicon, "Did the children enjoy the holidays at the sea?", question=chance)
    hints = find_hints(scan, Noes(), lexicon.calendar, NOW)
    assert ("clarifying_question" in hints) is excuses


@pytest.mark.parametrize(("chance", "excuses"), [(LEAST, True), (LEAST - 0.01, False)])
def test_praise_that_was_passed_on_is_no_offer(lexicon: Lexicon, chance: float, excuses: bool) -> None:
    scan = read_twice(lexicon, "I'll pass it on to the kitchen.", escalation_offer=chance)
    assert ("escalation_offer" in find_hints(scan, Noes(), lexicon.calendar, NOW)) is excuses


def test_nobody_doubts_a_question_that_was_not_read_twice(lexicon: Lexicon) -> None:
    assert find_hints(lexicon.scan_text("Which room is it?"), Noes(), lexicon.calendar, NOW) == {}


@pytest.mark.parametrize(
    ("text", "chances", "promised"),
    [
        ("It ends on Friday.", {"eta": ETA_ALONE}, True),
        ("It ends on Friday.", {"eta": ETA_ALONE - 0.01}, False),
        ("It ends on Friday.", {"eta": ETA_PROMISED, "promise": PROMISED}, True),
        ("It ends on Friday.", {"eta": ETA_PROMISED, "escalation_offer": PROMISED}, True),
        ("It ends on Friday.", {"eta": ETA_PROMISED, "promise": PROMISED - 0.01}, False),
        ("It ends on Friday.", {"eta": ETA_PROMISED - 0.01, "promise": 1.0}, False),
    ],
)
def test_a_time_is_promised_where_its_sentence_promises(
    lexicon: Lexicon, text: str, chances: dict[str, float], promised: bool
) -> None:
    assert is_promised(read_twice(lexicon, text, **chances), 0) is promised
