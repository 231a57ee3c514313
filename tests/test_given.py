"""The date of an answer in the language of the mail that it goes into, and its reason, which must be one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.given import problem_of, tells_why
from gateway.reading.lexicon import load_lexicon
from gateway.resources import shipped

LEXICON = load_lexicon(shipped("policies") / "lexicon")
GRAMMAR = LEXICON.calendar
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


@pytest.mark.parametrize(
    "text",
    [
        "no", "No.", "No way", "nope, sorry", "it is not possible", "we can't do that", "das geht nicht",
        "Nein, leider nicht",
        "ce n'est pas possible", "no es posible", "não é possível", "non è possibile", "dat kan niet",
        "it's our policy",
        "depends", "sorry",
    ],
)  # fmt: skip
def test_a_no_is_no_reason(text: str) -> None:
    assert not tells_why(text, LEXICON)


@pytest.mark.parametrize(
    "text",
    [
        "budget freeze", "we have one seat on each floor", "the part is late",
        "not possible because the server is full",
        "das Teil kommt erst im Mai", "la pièce arrive en retard", "no hay presupuesto este año", "manca il pezzo",
        "o orçamento está fechado", "de licentie is verlopen", "security audit",
    ],
)  # fmt: skip
def test_what_is_a_reason(text: str) -> None:
    assert tells_why(text, LEXICON)
