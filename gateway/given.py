"""What an answer gives, before it goes into a mail: a date that is one, a reason that is one. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from gateway.command_words import command
from gateway.reading.dates import Calendar
from gateway.reading.lexicon import Lexicon
from gateway.reading.refusal import words_beside
from gateway.reading.sentences import prepare

_SAYS_NO: Final = (
    *("refusal", "refusal_answer", "policy_only", "dismissive", "no_eta", "process"),
    *("pleasantry", "apology", "pardon", "noncommittal", "offer_more"),
)
"""Cues of what only says no once more, or nothing."""
WORDS_OF_A_REASON: Final = 2
"""So many words that do not only say no once more are a reason: "budget freeze"."""


def announced(text: str, lang: str) -> str:
    """A date behind the word of this language that announces one: so a bare "Mo" or "29/12" is read as a date, and
    5/6 as in this language."""
    return f"{command('eta', lang)}: {text}"


def problem_of(text: str, lang: str, grammar: Calendar, now: datetime) -> Literal["", "no-date", "which-day"]:
    """What is wrong with a date: there is none that is not over, or nobody could say which of its numbers is the day.
    `now` is aware, in the sender's zone."""
    prepared = prepare(announced(text, lang))
    if any(grammar.is_unclear(named) for _, _, named in grammar.matches(prepared)):
        return "which-day"
    return "" if any(not when.past for when in grammar.find(prepared, now)) else "no-date"


def tells_why(text: str, lexicon: Lexicon) -> bool:
    """Whether a reason says more than no. The mail will say "The reason: …" above it, and that is no reason itself."""
    scan = lexicon.scan_text(text)
    if scan.has("reason"):
        return True
    said = scan.of(*_SAYS_NO)
    return any(
        words_beside(scan, number, [hit for hit in said if hit.sentence == number]) >= WORDS_OF_A_REASON
        for number in range(len(scan.prepared.sentences))
    )
