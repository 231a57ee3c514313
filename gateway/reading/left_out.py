"""Left out by their own wish: whoever asked wants no mail about the matter, and nobody should be stopped for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.mail.signature import is_boilerplate
from gateway.reading.acts.probes import Question, probes
from gateway.reading.facts import Facts
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.sentences import Prepared

POSSIBLE, SURE = 0.75, 0.9
"""The chances from which such a wish excuses, and from which it is a fact."""
_LEADS_IN = re.compile(r":\s")
"""What leads in the words of somebody else; what stands in quotation marks is not read at all."""
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


def told(scan: Scan) -> tuple[Hit, ...]:
    """Phrases by which the agent tells of the wish: "she wants no copies"; or repeats it: "Rita says: leave me out". An
    agent who says "leave me out" for themselves wishes it, and nobody asked."""
    own = (hit for hit in scan.of("leave_me_out") if _is_repeated(scan, hit))
    return tuple(sorted([*scan.of("left_out"), *own], key=lambda hit: hit.start))


def _is_repeated(scan: Scan, hit: Hit) -> bool:
    """Whether somebody else's words are led in before a hit."""
    if any(other.start < hit.start for other in scan.within(hit.sentence, "others_no")):
        return True
    before = scan.prepared.text[scan.prepared.sentences[hit.sentence].start : hit.start]
    return _LEADS_IN.search(before) is not None


def asked_for(asked: Scan, is_theirs: Callable[[str], bool]) -> Hit | None:
    """The first phrase of the wish in what was `asked`. `is_theirs` tells whether whoever asked may have written some
    words of it: a colleague's own wish in a newer quote is none of theirs."""
    found = (
        hit
        for hit in asked.of("leave_me_out", "left_out")
        if hit.cue == "left_out" or is_theirs(_line(asked.prepared, hit.start))
    )
    return next(found, None)


def find_wish(
    said: Scan, asked: Scan, lang: str, asked_lang: Callable[[], str], is_theirs: Callable[[str], bool]
) -> Wish | None:
    """The surest sentence of those that may tell of the wish; None where none does. `lang` and `asked_lang` are the
    languages of the two texts; `is_theirs` as in `asked_for`."""
    found = [*_wishes(said, True, "told_wish", lang)]
    if asked.prepared.sentences:
        found += _wishes(asked, False, "wish", asked_lang())
    likely = sorted((wish for wish in found if wish.chance >= POSSIBLE), reverse=True)
    return next((wish for wish in likely if wish.said or _says(asked, wish.number, is_theirs)), None)


def _wishes(scan: Scan, said: bool, question: Question, lang: str) -> Iterator[Wish]:
    wanted = (number for number in range(len(scan.prepared.sentences)) if scan.is_said(number))
    for number, chance in probes().read(scan.prepared, wanted, lang, question).items():
        yield Wish(chance, said, number)


def _says(asked: Scan, number: int, is_theirs: Callable[[str], bool]) -> bool:
    """Whether whoever asked may have said so in a sentence: neither the contrary, nor in the footer of a mail."""
    prepared = asked.prepared
    sentence = prepared.sentences[number]
    paragraph = [its for its in prepared.sentences if its.paragraph == sentence.paragraph]
    whole = prepared.text[paragraph[0].start : paragraph[-1].end]
    contrary = asked.within(number, "keep_me_in")
    return not contrary and not is_boilerplate(whole) and is_theirs(_line(prepared, sentence.start))


def _line(prepared: Prepared, start: int) -> str:
    """What stands from an offset to the end of its line."""
    return prepared.text[start:].split("\n", 1)[0].rstrip()
