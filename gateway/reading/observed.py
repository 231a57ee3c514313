"""Whom the gateway itself saw asking (DESIGN.md §3: observed), and how sure that is.

Anybody can write a mail that names a known Message-ID, or takes one for its own, and then stands in that thread. So it
counts how somebody came into it: who began it, or went on from a mail that they had part in, is who asked; whoever only
names mail that the gateway never saw, or that was not theirs, merely says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.mail.address import Mailbox
from gateway.reading.asker import asks, passes_on_to
from gateway.reading.facts import Agent, Requester
from gateway.reading.thread import SeenMessage
from gateway.site.model import Site

_FORWARDED = re.compile(r"^\s*(?:fwd?|wg|tr|rv|enc|doorst)\s*:", re.IGNORECASE)
_ANSWERED = re.compile(r"^\s*(?:re|aw|antw|sv|r|ri|res)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Observed:
    """`sure` is False where the person's place in the thread is only what their mail says."""

    requester: Requester
    sure: bool


@dataclass(slots=True)
class _Seen:
    """What the thread tells, each in the order of seeing."""

    began: list[Requester] = field(default_factory=list)
    went_on: list[Requester] = field(default_factory=list)
    """Took the thread up again where it was theirs already, or were answered by an agent."""
    joined: list[Requester] = field(default_factory=list)
    written_to: list[Requester] = field(default_factory=list)
    passing_on: list[Requester] = field(default_factory=list)


def find_observed(messages: Sequence[SeenMessage], site: Site, agent: Agent) -> Observed | None:
    """The first requester of a thread (oldest seen first). Departments and vendors only where nobody else asked."""
    seen = _Seen()
    for number, message in enumerate(messages):
        if message.direction == "inbound":
            _inbound(seen, message, messages[:number], site, agent)
        elif site.agent(message.author.address) is not None:
            for box in message.to:
                if asks(box, site, agent) and not passes_on_to(box, site):
                    found = Requester(box, "observed", (), f"was answered{_on(message)}, as the gateway saw")
                    (seen.went_on if _is_answer(message) else seen.written_to).append(found)
                    break
    if seen.began:
        return Observed(seen.began[0], True)
    if seen.went_on:
        first = seen.went_on[0]
        return Observed(first, all(_same(first, other, site) for other in seen.joined))
    for doubtful in (seen.joined, seen.written_to):
        if doubtful:
            return Observed(doubtful[0], False)
    return Observed(seen.passing_on[0], False) if seen.passing_on else None


def _inbound(
    seen: _Seen,
    message: SeenMessage,
    before: Sequence[SeenMessage],
    site: Site,
    agent: Agent,
) -> None:
    declared = message.marks.get("requester")
    if declared:
        # A header of a program that is trusted said so: never better than declared (DESIGN.md §3).
        box = Mailbox(declared, message.marks.get("requester_name", ""))
        seen.began.append(Requester(box, "declared", (), f"asked through {message.author.address}{_on(message)}"))
        return
    if message.marks.get("machine") or not asks(message.author, site, agent):
        return
    found = Requester(message.author, "observed", (), f"wrote{_on(message)}, as the gateway saw")
    if passes_on_to(message.author, site):
        seen.passing_on.append(found)
    elif _is_contested(message, before, site):
        seen.joined.append(found)
    elif not message.references:
        seen.began.append(found)
    elif any(_had_part(message.author, earlier, site) for earlier in _named(message, before)):
        seen.went_on.append(found)
    else:
        seen.joined.append(found)


def _is_contested(message: SeenMessage, before: Sequence[SeenMessage], site: Site) -> bool:
    """True for an id that somebody else's mail had before, or that one of us answered before it came."""
    mine, author = message.message_id, message.author.address
    if not mine:
        return False
    taken = (each.message_id == mine and not site.same_person(each.author.address, author) for each in before)
    return any(taken) or any(mine in each.references for each in before if each.direction == "outbound")


def _named(message: SeenMessage, before: Sequence[SeenMessage]) -> Iterator[SeenMessage]:
    named = frozenset(message.references)
    return (each for each in before if each.message_id in named)


def _had_part(who: Mailbox, message: SeenMessage, site: Site) -> bool:
    people = (message.author, *message.to, *message.cc)
    return site.is_among(who.address, (*(each.address for each in people), *message.rcpt_to))


def _is_answer(message: SeenMessage) -> bool:
    """A forward goes to those who shall help, not to those who asked."""
    if _FORWARDED.match(message.subject):
        return False
    return bool(message.references or _ANSWERED.match(message.subject))


def _same(one: Requester, other: Requester, site: Site) -> bool:
    return site.same_person(one.mailbox.address, other.mailbox.address)


def _on(message: SeenMessage) -> str:
    return f" on {message.sent_at:%-d %B %Y}" if message.sent_at else ""
