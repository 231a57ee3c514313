"""Left out by their own wish: whoever asked wants no mail about the matter, and nobody should be stopped for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.reading.acts.probes import Question, probes
from gateway.reading.facts import Facts
from gateway.reading.lexicon import Scan

POSSIBLE, SURE = 0.75, 0.9
"""The chances from which such a wish excuses, and from which it is a fact."""
PASSED_ON = ("handoff", "empty_forward")
"""Facts of a mail that is stopped where it leaves out whoever asked."""


class Wish(NamedTuple):
    """The sentence `number` of what the agent `said`, or else of what was asked."""

    chance: float
    said: bool
    number: int


def may_be_wished(facts: Facts) -> bool:
    """Whether a mail passes a matter on without whoever asked, and nothing yet says that they wished it so."""
    absent = "requester_absent" in facts or "requester_bcc_only" in facts
    return absent and "leave_me_out" not in facts and any(name in facts for name in PASSED_ON)


def find_wish(said: Scan, asked: Scan, lang: str, asked_lang: Callable[[], str]) -> Wish | None:
    """The surest sentence of those that may tell of the wish; None where none does. `lang` and `asked_lang` are the
    languages of the two texts."""
    found = [
        *_wishes(said, True, "told_wish", lang),
        *(_wishes(asked, False, "wish", asked_lang()) if asked.prepared.sentences else ()),
    ]
    return max((wish for wish in found if wish.chance >= POSSIBLE), default=None)


def _wishes(scan: Scan, said: bool, question: Question, lang: str) -> Iterator[Wish]:
    wanted = (number for number in range(len(scan.prepared.sentences)) if scan.is_said(number))
    for number, chance in probes().read(scan.prepared, wanted, lang, question).items():
        yield Wish(chance, said, number)
