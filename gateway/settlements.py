"""How a stopped mail was settled, read off its history. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

Settlement = Literal["fixed", "amended", "noted", "consulted", "overridden", "wrong", "discarded"]

OVERRIDES: frozenset[Settlement] = frozenset({"overridden", "wrong"})
"""Sent as it was, all the same: SEND, and WRONG, which calls it a false stop."""

_ANSWERS: Mapping[str, Settlement] = {
    "fix": "fixed",
    "amend": "amended",
    "note": "noted",
    "consult": "consulted",
    "send": "overridden",
    "wrong": "wrong",
}
"""What was approved -> how that settles the mail."""


def settled(history: Iterable[tuple[datetime, str, str, str]]) -> tuple[Settlement, datetime, str] | None:
    """How, when (the answer, not the release) and with which reason; None while it waits (again).

    `history` is as in `AuditRow`: (when, outcome, detail, by), oldest first. A discarded mail that is sent after
    all was sent all the same.
    """
    found: tuple[Settlement, datetime, str] | None = None
    for at, outcome, detail, _ in history:
        if outcome == "held":
            found = None
        elif outcome == "discarded":
            found = ("discarded", at, detail)
        elif outcome == "approved":
            answer, _, why = detail.partition(": ")
            found = (_ANSWERS.get(answer, "overridden"), at, why)
    return found
