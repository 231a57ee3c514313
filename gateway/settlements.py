"""How a stopped mail was settled, read off its history. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

Settlement = Literal["fixed", "amended", "noted", "consulted", "overridden", "wrong", "discarded"]

OVERRIDES: frozenset[Settlement] = frozenset({"overridden", "wrong"})
"""Sent as it was, all the same: SEND, and WRONG, which calls it a false stop."""

_MARKS: Mapping[str, Settlement] = {
    "fixed": "fixed",
    "amended": "amended",
    "note": "noted",
    "noted": "noted",
    "consult": "consulted",
    "consulted": "consulted",
    "overridden": "overridden",
    "wrong": "wrong",
    "discarded": "discarded",
}
"""What the history of a mail says -> how it was settled."""

_PLAIN: frozenset[Settlement] = frozenset({"fixed", "overridden"})
"""Said by every release; what is more exact stands."""


def settled(history: Iterable[tuple[datetime, str, str, str]]) -> tuple[Settlement, datetime, str] | None:
    """How, when (the answer, not the release) and with which reason; None while it waits (again).

    `history` is as in `AuditRow`: (when, outcome, detail, by), oldest first.
    """
    found: tuple[Settlement, datetime, str] | None = None
    for at, outcome, detail, _ in history:
        if outcome == "held":
            found = None
        elif outcome == "approved":
            action, _, why = detail.partition(": ")
            if found is None:
                found = ("fixed" if action == "fix" else "overridden", at, why)
        elif outcome in _MARKS:
            how = _MARKS[outcome]
            if found is None:
                found = (how, at, "" if how in _PLAIN else detail)
            elif how not in _PLAIN:
                found = (how, found[1], found[2] or detail)
    return found
