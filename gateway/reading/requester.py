"""The requester: the person who asked for help in this thread (DESIGN.md §3), from the strongest evidence there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gateway.mail.address import Mailbox
from gateway.mail.message import Headers, parse_addresses
from gateway.mail.quoting import Body, QuotedAuthor
from gateway.mail.span import Span
from gateway.reading.asker import asks, is_called, passes_on_to, same_name
from gateway.reading.context import Context
from gateway.reading.facts import Agent, Requester
from gateway.reading.observed import find_observed
from gateway.reading.people import Recipients
from gateway.reading.thread import SeenMessage
from gateway.site.model import Site

_FORM = re.compile(
    r"^[\s>*]*(?:e-?mail|mail|e-?mail[ -]?(?:address|adresse)|adresse e-?mail|correo(?: electrónico)?|courriel|from"
    r"|reply[ -]?to|sender)"
    r"[\s*]*:[\s*<]*([^\s<>@:*]{1,64}@[^\s<>@:*]{1,190}\.[^\s<>@:*,.]{2,24})",
    re.IGNORECASE | re.MULTILINE,
)
_FORM_NAME = re.compile(
    r"^[\s>*]*(?:web ?mail from|name|nom|nombre|nome|naam|vor- und nachname)[\s*]*:"
    r"[\s*]*([^\n<>@]{2,60}?)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_REPLY = re.compile(r"^(?:re|aw|antw|sv|rv|r|ri|res|odp|vs|re\[\d+\])\s*:", re.IGNORECASE)
_LIST_DOMAIN = re.compile(
    r"@(?:lists?|listserv|groups?|googlegroups|mailman)\.|-(?:users|list|l|dev|announce|discuss)@", re.IGNORECASE
)
_PROGRAM = re.compile(
    r"(?:web-?mail|web-?form|no-?reply|do-?not-?reply|notifications?|mailer-daemon|postmaster)\b", re.IGNORECASE
)
FORM_LIMIT = 20_000
"""Code points of quoted text that are searched for the fields of a web form."""


def find_requester(
    headers: Headers, body: Body, people: Recipients, agent: Agent, context: Context
) -> Requester | None:
    """The requester with the grade of the evidence, or None where nobody is known to have asked."""
    site, thread = context.site, context.thread
    seen = find_observed(thread.by_id, site, agent)
    if seen is not None and seen.sure:
        return seen.requester
    named = _declared(headers, agent, context) or _attached(body, site, agent) or _quoted(body, people, site, agent)
    if seen is not None:
        return _of_both(seen.requester, named, site)
    return named or _by_tag(thread.by_tag, site, agent) or _answered(headers, people, site, agent)


def _of_both(seen: Requester, named: Requester | None, site: Site) -> Requester:
    """Who came into the thread by their own word, against whom the mail itself names: only together they are sure."""
    if named is None:
        return replace(seen, grade="quoted", how=f"{seen.how}, in a thread whose beginning it did not see")
    one, other = seen.mailbox, named.mailbox
    same = site.same_person(one.address, other.address) if other.address else same_name(one.name, other.name)
    return seen if same else named


def declared_author(headers: Headers, site: Site, peer_listed: bool, peer: str = "") -> tuple[Mailbox, str] | None:
    """Whom a trusted header of a ticket system's mail names as the requester, and which header it was."""
    for header in site.trusted_headers(headers, peer_listed, peer):
        for value in headers.get_all(header):
            for box in parse_addresses(value)[0]:
                person = site.everybody or site.agent(box.address) is None
                if box.address and person and not (site.is_ticket_system(box.address) or site.is_own(box.address)):
                    return box, header
    return None


def _declared(headers: Headers, agent: Agent, context: Context) -> Requester | None:
    found = declared_author(headers, context.site, context.peer_listed, context.peer)
    if found is None or context.site.same_person(found[0].address, agent.mailbox.address):
        return None
    box, header = found
    value = headers.get(header) or str(box)
    return Requester(
        box, "declared", (Span(value, f"header:{header}", 0, len(value)),), f"named by the header {header}"
    )


def _attached(body: Body, site: Site, agent: Agent) -> Requester | None:
    for author in reversed(body.authors):
        if author.kind == "attached" and asks(author.mailbox, site, agent):
            return Requester(author.mailbox, "attached", (author.span,), "wrote the attached mail")
    return None


def _quoted(body: Body, people: Recipients, site: Site, agent: Agent) -> Requester | None:
    """The oldest quoted author who is none of us. A program's mail (a web form) names the person in its text."""
    quoted = [a for a in body.authors if a.kind != "attached"]
    candidates = [a for a in quoted if asks(a.mailbox, site, agent)]
    askers = [a for a in candidates if not passes_on_to(a.mailbox, site)] or candidates
    if askers:
        author = _next(askers) if site.everybody else _oldest(askers)
        box = _full(author, askers, people)
        return Requester(box, "quoted", (author.span,), f"wrote the quoted mail{_when(author)}")
    programs = any(a.mailbox.address and site.is_ticket_system(a.mailbox.address) for a in quoted)
    if programs and (form := _FORM.search(body.quoted_text, 0, FORM_LIMIT)):
        name = _FORM_NAME.search(body.quoted_text, 0, FORM_LIMIT)
        box = Mailbox(form.group(1), name.group(1).strip() if name else "")
        if asks(box, site, agent):
            return Requester(box, "quoted", (_span_of(body, form.group(0).strip()),), "is named in the quoted form")
    return None


def _by_tag(seen: Sequence[SeenMessage], site: Site, agent: Agent) -> Requester | None:
    """A link by ticket tag alone can be guessed: never better than quoted (DESIGN.md §3)."""
    found = find_observed(seen, site, agent)
    if found is None:
        return None
    return Requester(found.requester.mailbox, "quoted", (), f"{found.requester.how}; linked only by the ticket number")


def _answered(headers: Headers, people: Recipients, site: Site, agent: Agent) -> Requester | None:
    """A reply without any history has one person it answers: its only outside recipient."""
    if not (headers.references or _REPLY.match(headers.subject)) or len(people.visible) != 1:
        return None
    box = people.visible[0]
    no_requester = passes_on_to(box, site) or site.is_confidential(box.address) or _LIST_DOMAIN.search(box.address)
    if no_requester or not asks(box, site, agent):
        return None
    span = Span(str(box), "header:To", 0, len(str(box)))
    return Requester(box, "quoted", (span,), "is the only one this reply goes to")


def _oldest(authors: list[QuotedAuthor]) -> QuotedAuthor:
    """Clients nest: the last block is the oldest, unless the dates of all of them say otherwise."""
    if len(authors) == 1:
        return authors[0]
    dates = [a.date for a in authors]
    if all(d is not None for d in dates):
        oldest = min(range(len(authors)), key=lambda n: (dates[n], -n))  # type: ignore[return-value,arg-type]
        return authors[oldest]
    return authors[-1]


def _next(authors: list[QuotedAuthor]) -> QuotedAuthor:
    """Where everybody is an agent: who wrote by a website's form, else whoever wrote the mail that this one answers or
    passes on; no program if need be."""
    form = next((a for a in authors if a.kind == "form"), None)
    return form or next((a for a in authors if not _PROGRAM.match(a.mailbox.address)), authors[0])


def _full(author: QuotedAuthor, others: list[QuotedAuthor], people: Recipients) -> Mailbox:
    """The mailbox, with the address from another block or from the header where this one has only the name."""
    if author.mailbox.address:
        return author.mailbox
    for other in others:
        if other.mailbox.address and same_name(other.mailbox.name, author.mailbox.name):
            return other.mailbox
    for other in others:
        for box in (*other.to, *other.cc):
            if box.address and same_name(box.name, author.mailbox.name):
                return box
    if not _is_of_another_directory(author):
        called = {box.address for box in people.all if box.address and is_called(box, author.mailbox.name)}
        if len(called) == 1:
            return Mailbox(called.pop(), author.mailbox.name)
    return author.mailbox


def _is_of_another_directory(author: QuotedAuthor) -> bool:
    """A Notes name ("Jill Amory@ACME", "Jill Amory/ACME") is an address already, of a directory that we do not know."""
    text, name = author.span.text, author.mailbox.name
    at = text.find(name)
    return at >= 0 and text[at + len(name) : at + len(name) + 1] in ("@", "/")


def _span_of(body: Body, text: str) -> Span:
    for block in body.blocks:
        at = block.text.find(text)
        if at >= 0:
            return Span(text, block.span.part, block.span.start + at, block.span.start + at + len(text))
    return Span(text, "1", 0, 0)


def _when(author: QuotedAuthor) -> str:
    return f" of {author.date_text}" if author.date_text else ""
