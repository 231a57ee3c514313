"""The words of answers: no word asks for two things, and every language has all of them."""

from __future__ import annotations

from typing import get_args

import pytest

from gateway.command_words import _MORE, COMMANDS, SYNONYMS, Kind, command, plain

LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl")


def test_every_language_has_a_word_for_every_answer() -> None:
    assert set(COMMANDS) == set(LANGUAGES)
    for words in COMMANDS.values():
        assert set(words) == set(get_args(Kind))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_word_asks_for_one_thing(lang: str) -> None:
    for kind, word in COMMANDS[lang].items():
        assert word == word.upper() and word.isalpha()
        assert SYNONYMS[word.lower()] == SYNONYMS[plain(word)] == kind, word


def test_no_other_word_is_taken_for_something_else() -> None:
    for kind, text in _MORE.items():
        for word in text.split():
            assert SYNONYMS[word] == kind, word


def test_a_language_without_words_speaks_english() -> None:
    assert command("fix", "pl") == "FIX" and command("fix", "de-AT") == "ERGÄNZEN"
