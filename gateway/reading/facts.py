"""Facts: what the reading found, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gateway.mail.address import Mailbox
from gateway.mail.span import Span

Grade = Literal["observed", "declared", "attached", "quoted"]
"""How well the requester is known, strongest first (DESIGN.md §3)."""

Value = bool | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the reading found. A fact that does not hold is absent, not False.

    `confidence` says how sure the reading is, above 0 and up to 1. What is not sure enough is no fact; it can be a
    hint, which stops nothing and excuses (`Reading.hints`).
    """

    name: str
    value: Value = True
    evidence: tuple[Span, ...] = ()
    confidence: float = 1.0


Facts = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asked for help in this thread, how that is known, and where it is seen."""

    mailbox: Mailbox
    grade: Grade
    evidence: tuple[Span, ...] = ()
    how: str = ""
    """One short sentence for people: "wrote on 3 May (seen by the gateway)"."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The member of a support team who sends this mail.

    `source` says which identity counted: "auth", "from" or "mail_from";
    `disagreement` lists the other identities that named somebody else.
    """

    mailbox: Mailbox
    team: str
    source: str
    disagreement: tuple[str, ...] = field(default=())
