"""The date of an answer, in the language of the mail that it goes into."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.eta import problem_of
from gateway.reading.lexicon import load_lexicon
from gateway.resources import shipped

GRAMMAR = load_lexicon(shipped("policies") / "lexicon").calendar
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "lang", "problem"),
    [
        ("29/12", "en", ""), ("5/6", "en", "which-day"), ("5/6", "de", ""), ("5/6", "fr", ""), ("6/6", "en", ""),
        ("Sat 5/6", "en", ""), ("KW 53", "de", ""), ("week 53", "en", ""), ("semaine 53", "fr", ""),
        ("end of January", "en", ""), ("Ende Januar", "de", ""), ("fin de enero", "es", ""), ("Mo", "de", ""),
        ("Mon", "en", ""), ("lun.", "fr", ""), ("lun", "it", ""), ("seg", "pt", ""), ("ma", "nl", ""),
        ("Mo", "en", ""), ("29.12.", "en", ""), ("15:30", "en", ""), ("in two hours", "en", ""),
        ("yesterday", "en", "no-date"), ("soon", "en", "no-date"), ("29/10", "fr", "no-date"),
        ("when they feel like it", "en", "no-date"),
    ],
)  # fmt: skip
def test_the_date_of_an_answer(text: str, lang: str, problem: str) -> None:
    assert problem_of(text, lang, GRAMMAR, NOW) == problem
