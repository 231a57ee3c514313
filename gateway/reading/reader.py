"""The reading of one mail: who sends it, who had asked, and what the new text says, as facts with evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.mail.address import Mailbox, split_tag
from gateway.mail.envelope import Envelope
from gateway.mail.message import Headers, Message
from gateway.mail.quoting import Body, split_body
from gateway.reading.collector import Collector
from gateway.reading.context import Context
from gateway.reading.facts import Agent, Facts, Requester
from gateway.reading.people import recipients
from gateway.reading.requester import find_requester

__all__ = ["Context", "Reading", "read", "who_sends"]


_ANSWERS = re.compile(r"\A[0-9a-f]{32}\Z", re.IGNORECASE)
"""The tag of an address that notices are answered to (`gateway.tokens`). Ours is taken before anybody reads it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One mail as read. Where it is not judged, `why_not` says why, requester is None and facts is empty."""

    message: Message
    envelope: Envelope
    context: Context
    body: Body | None = None
    agent: Agent | None = None
    requester: Requester | None = None
    facts: Facts = field(default_factory=dict)
    hints: Facts = field(default_factory=dict)
    """What may be there, too unsure to be a fact: enough to let a mail pass, never to stop one."""
    lang: str = ""
    judged: bool = False
    undecided: bool = False
    """The second reader was wanted and not allowed (`Context.second`): facts may be missing or wrong."""
    why_not: str = ""


def who_sends(headers: Headers, envelope: Envelope, context: Context) -> Agent | None:
    """The agent who sends this: AUTH, else From, else MAIL FROM. None for everybody else. Reads headers only."""
    site = context.site
    named = [
        ("auth", Mailbox(site.login(context.auth_identity or ""))),
        *(("from", author) for author in headers.from_),
        ("mail_from", Mailbox(envelope.mail_from.address)),
    ]
    if headers.sender is not None:
        named.insert(-1, ("from", headers.sender))
    known = [(source, box) for source, box in named if box.address and site.agent(box.address) is not None]
    if not known:
        return _unaddressed(headers, context)
    source, box = known[0]
    entry = site.agent(box.address)
    assert entry is not None
    others = dict.fromkeys(
        b.address for _, b in named if "@" in b.address and not site.same_person(b.address, box.address)
    )
    return Agent(Mailbox(entry.address, box.name or entry.name), entry.team, source, tuple(others))


def _unaddressed(headers: Headers, context: Context) -> Agent | None:
    """Where everybody is an agent, a writer is one too whose From has a name and no address (as in archives)."""
    author = headers.author
    if not context.site.everybody or author is None or not author.name or "@" in author.address:
        return None
    return Agent(Mailbox("", author.name), context.site.team_of_everybody, "from")


def read(message: Message, envelope: Envelope, context: Context) -> Reading:
    """Read a mail. Never raises on any mail; mail of others, of machines and to lists comes back unjudged."""
    agent = who_sends(message, envelope, context)
    why_not = "its sender is no agent" if agent is None else _unjudged(message, envelope)
    if agent is None or why_not:
        return Reading(message, envelope, context, agent=agent, why_not=why_not)
    body = split_body(message)
    site = context.site
    people = recipients(message, envelope, site)
    requester = find_requester(message, body, people, agent, context)
    found = Collector(message, body, people, requester, agent, context)
    read_ = (body, agent, requester, found.facts, found.hints, found.lang)
    return Reading(message, envelope, context, *read_, judged=True, undecided=found.undecided)


def _unjudged(message: Message, envelope: Envelope) -> str:
    """Why a mail is none that a person wrote to somebody, "" where it is."""
    if message.auto_submitted:
        return f"it was sent by a machine: {message.auto_reason}"
    if message.bulk:
        return f"it is list or bulk mail: {message.bulk_reason}"
    if message.calendar:
        return "it is an invitation or an answer to one"
    if not envelope.mail_from.address and not message.author:
        return "it is a delivery report"
    if envelope.recipients and all(_ANSWERS.search(split_tag(each)[1]) for each in envelope.recipients):
        return "it answers the notice of another gateway"
    return ""
