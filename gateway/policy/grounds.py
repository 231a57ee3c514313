"""The grounds of a judgement: all of a reading that policies ask for, and none of its text.

They are small and can be written down, so that a mail can be judged again, by other policies, when its text is long
gone (`recorded`, `from_record`): the same policies then come to the same decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gateway.mail.address import Mailbox
from gateway.mail.message import Headers
from gateway.policy.guard import GuardVerdict, may_add, verdict_of
from gateway.reading.facts import Agent, Fact, Facts, Requester
from gateway.reading.reader import Reading
from gateway.site.model import Site


class NotRecorded(Exception):
    """A policy asks for what was not written down about a mail; the text says what."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is known of one mail. `mail` names its thread for shares of traffic; `guard` is the leak guard's verdict
    without a policy (`gateway.policy.guard.for_policy` adds one), asked only where somebody would be added."""

    judged: bool
    why_not: str = ""
    facts: Facts = field(default_factory=dict)
    hints: Facts = field(default_factory=dict)
    requester: Requester | None = None
    agent: Agent | None = None
    lang: str = ""
    mail: str = ""
    guard: Callable[[], GuardVerdict] = lambda: verdict_of("unknown")

    @property
    def team(self) -> str:
        return self.agent.team if self.agent else ""

    @property
    def asker(self) -> str:
        """The requester's address; "" where nobody is known, or only by name."""
        return self.requester.mailbox.address if self.requester else ""


def grounds_of(reading: Reading | None, site: Site) -> Grounds:
    """The grounds that a reading gives; None is mail of nobody's agent."""
    if reading is None:
        return Grounds(judged=False)
    return Grounds(
        judged=reading.judged,
        why_not=reading.why_not,
        facts=reading.facts,
        hints=reading.hints,
        requester=reading.requester,
        agent=reading.agent,
        lang=reading.lang,
        mail=thread_name(reading.message, reading.envelope.mail_from.address, site),
        guard=cache(lambda: may_add(reading, None, site)),
    )


def thread_name(headers: Headers, mail_from: str, site: Site) -> str:
    """What the mails of one thread have in common, so that a policy on trial treats them alike: the ticket's tag, else
    the first mail's id, else sender and subject."""
    first = (*site.ticket_tags(headers.subject)[:1], *headers.references[-1:], headers.message_id)
    return next((each for each in first if each), f"{mail_from} {headers.subject}")


def recorded(grounds: Grounds) -> dict[str, Any]:
    """What must be written down beside the facts, requester, team and language of a mail. JSON-ready."""
    if not grounds.judged:
        return {"judged": False}
    told: dict[str, Any] = {"judged": True, "mail": grounds.mail}
    if grounds.hints:
        told["hints"] = {name: hint.value for name, hint in grounds.hints.items()}
    # Who is there already needs no guard; for all others a policy may want to add them one day.
    if grounds.asker and "to_requester" not in grounds.facts:
        told["guard"] = grounds.guard().clause
    return told


def from_record(
    basis: Mapping[str, Any], facts: Mapping[str, Any], *, requester: str, grade: str, agent: str, team: str, lang: str
) -> Grounds:
    """The grounds as they were written down: `facts` as `explain --json` prints them, `basis` from `recorded`.

    Their evidence is left out. `guard` raises NotRecorded where it was not asked.
    """
    if not basis.get("judged"):
        return Grounds(judged=False)

    def guard() -> GuardVerdict:
        if "guard" not in basis:
            raise NotRecorded("whether they may be added")
        return verdict_of(basis["guard"])

    return Grounds(
        judged=True,
        facts={name: _fact(name, told["value"]) for name, told in facts.items()},
        hints={name: _fact(name, value) for name, value in basis.get("hints", {}).items()},
        requester=Requester(Mailbox(requester), grade) if grade else None,  # type: ignore[arg-type]
        agent=Agent(Mailbox(agent), team, "record"),
        lang=lang,
        mail=str(basis.get("mail", "")),
        guard=guard,
    )


def _fact(name: str, value: Any) -> Fact:
    return Fact(name, tuple(value) if isinstance(value, list) else value)
