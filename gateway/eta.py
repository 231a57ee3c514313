"""The date of an answer, "ETA: 29/12": read as the mail's own language has it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from gateway.command_words import command
from gateway.reading.dates import Calendar
from gateway.reading.sentences import prepare


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
