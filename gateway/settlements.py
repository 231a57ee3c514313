"""How a stopped mail was settled: the name of each ending, and what its history says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from gateway.store.records import Action, Outcome

Settlement = Literal["fixed", "amended", "noted", "consulted", "overridden", "wrong", "discarded"]

OVERRIDES: frozenset[Settlement] = frozenset({"overridden", "wrong"})
"""Sent as it was, all the same: SEND, and WRONG, which calls it a false stop."""


class Ending(NamedTuple):
    """What one way of going out is called: in reports, in the audit, and which acknowledgement tells of it."""

    settlement: Settlement
    outcome: Outcome
    ack: str


ENDINGS: Mapping[Action, Ending] = {
    "fix": Ending("fixed", "fixed", "fixed"),
    "amend": Ending("amended", "amended", "amended"),
    "note": Ending("noted", "noted", "noted"),
    "consult": Ending("consulted", "consult", "consulted"),
    "send": Ending("overridden", "overridden", "sent"),
    "wrong": Ending("wrong", "wrong", "wrong"),
}

_SETTLEMENTS: Mapping[str, Settlement] = {action: ending.settlement for action, ending in ENDINGS.items()}
"""By the word that the history has."""


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
            found = (_SETTLEMENTS.get(answer, "overridden"), at, why)
    return found
