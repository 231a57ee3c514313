"""Every language says why nobody can be added, for each reason that a sender cannot overrule, and why no words can."""

from __future__ import annotations

from gateway.command_words import COMMANDS
from gateway.guard_words import WHY, why_in
from gateway.mail.amend import OBSTACLES
from gateway.policy.guard import CLAUSES


def test_every_reason_has_words_in_every_language() -> None:
    final = {clause for clause, _, _, by_sender in CLAUSES if not by_sender} | {"unknown", "unreadable", "refused"}
    final |= set(OBSTACLES)
    assert set(WHY) == set(COMMANDS) - {"en"}
    for words in WHY.values():
        assert set(words) == final


def test_english_stands_where_there_are_no_words() -> None:
    assert why_in("pl", "sealed", "it is signed") == "it is signed"
    assert why_in("de-AT", "sealed", "it is signed").startswith("die Mail ist signiert")
