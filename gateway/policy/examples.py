"""A policy's own examples, turned into real octets and read like any other mail."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from typing import Literal

from gateway.mail.envelope import Envelope
from gateway.mail.message import read_message
from gateway.policy.decide import decide, explained
from gateway.policy.decision import Decision
from gateway.policy.file import ContextPart, EarlierPart, ExamplePart
from gateway.policy.model import Policy, PolicySet, Scope
from gateway.reading.memory import remember
from gateway.reading.reader import Context, Reading, read
from gateway.reading.thread import SeenMessage, Thread
from gateway.site.model import Site

EXAMPLE_DAY = datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1)))
"""Now, for examples without a date: a Monday morning."""
_KEY = b"examples have no secrets"
_LINE = b"\r\n"


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example of a policy after the run. `told` says what was found and, where it is wrong, what was expected."""

    policy: str
    number: int
    name: str
    ok: bool
    told: str


def run_examples(policy: Policy, policies: PolicySet, example_site: Site) -> list[ExampleResult]:
    """Run every example of a policy through reading and decision, the policy alone, enforced, whatever its scope."""
    return [_run(policy, number, example, policies, example_site) for number, example in enumerate(policy.examples)]


def judge(example: ExamplePart, policies: PolicySet, site: Site) -> tuple[Reading, Decision]:
    """Read and judge an example's mail with its earlier messages."""
    now = example.date or EXAMPLE_DAY
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    raw, envelope, context = compose(example, now)
    seen = tuple(_seen(part, octets, env, site, policies, now) for part, octets, env in context if part.seen)
    thread = Thread(by_id=seen) if example.linked_by == "id" else Thread(by_tag=seen)
    reading = read(
        read_message(raw),
        envelope,
        Context(site=site, lexicon=policies.lexicon, thread=thread, now=now, auth_identity=example.auth, key=_KEY),
    )
    return reading, decide(reading, replace(policies, site=site), now=now)


def compose(example: ExamplePart, now: datetime) -> tuple[bytes, Envelope, list[tuple[ContextPart, bytes, Envelope]]]:
    """The octets and envelope of an example, and those of its earlier messages, oldest first, an hour apart."""
    earlier: list[tuple[ContextPart, bytes, Envelope]] = []
    ids: list[str] = []
    base_subject = example.subject.removeprefix("Re: ").removeprefix("Fwd: ")
    for number, part in enumerate(example.context):
        at = now - timedelta(hours=len(example.context) - number)
        fields = _fields(
            part.from_, part.to, part.cc, part.subject or base_subject, at, f"<context-{number}@example.invalid>", ids
        )
        octets = _octets(fields, part.headers, part.text)
        envelope = Envelope.of(_address(part.from_), map(_address, [*part.to, *part.cc, *part.bcc]))
        earlier.append((part, octets, envelope))
        ids.append(f"<context-{number}@example.invalid>")
    links = ids if example.linked_by == "id" else []
    fields = _fields(example.from_, example.to, example.cc, example.subject, now, "<example@example.invalid>", links)
    quoted = example.quoted
    at = now - timedelta(hours=1)
    if quoted is not None and quoted.style == "attached":
        attached = _octets(
            _fields(
                quoted.from_, quoted.to, quoted.cc, quoted.subject or base_subject, at, "<attached@example.invalid>", []
            ),
            quoted.headers,
            quoted.text,
        )
        raw = _with_attached(fields, example.headers, example.text, attached)
    else:
        text = example.text if quoted is None else _quoting(example.text, quoted, base_subject, at)
        raw = _octets(fields, example.headers, text)
    rcpt_to = map(_address, [*example.to, *example.cc, *example.bcc])
    return raw, Envelope.of(_address(example.from_), rcpt_to), earlier


def _run(policy: Policy, number: int, example: ExamplePart, policies: PolicySet, example_site: Site) -> ExampleResult:
    alone = replace(policy.in_profile(example.profile), scope=Scope(), mode="enforce", teams={})
    site = policies.site if example.site == "own" else example_site
    reading, decision = judge(example, replace(policies, policies=(alone,)), site)
    told = list(_differences(example, reading, decision))
    if told and reading.judged:
        told.append(explained(reading, alone, site))
        if policy.scope != Scope() or policy.teams:
            told.append("examples leave scope and teams aside")
    facts = ", ".join(sorted(reading.facts)) or "none"
    found = f"facts: {facts}" if reading.judged else f"it is not judged: {reading.why_not}"
    if reading.agent is None:
        found += f" (examples use the people of {'your' if example.site == 'own' else 'the shipped'} site.yaml)"
    return ExampleResult(policy.id, number, example.name, not told, "; ".join([*told, found]))


def _differences(example: ExamplePart, reading: Reading, decision: Decision) -> Iterator[str]:
    """What came out otherwise than the example says."""
    hit = any(not finding.exempt for finding in decision.findings)
    if hit != (example.expect == "hit"):
        yield "it should hit, and does not" if example.expect == "hit" else "it should miss, and hits"
    requester = reading.requester.mailbox.address if reading.requester else ""
    if example.requester is not None and requester.lower() != example.requester.lower():
        yield f"the requester should be {example.requester or 'unknown'}, and is {requester or 'unknown'}"
    if example.add_cc is not None:
        added = sorted(who.key for who in decision.add_cc)
        if added != sorted(address.lower() for address in example.add_cc):
            yield f"the fix should add {', '.join(example.add_cc) or 'nobody'}, and adds {', '.join(added) or 'nobody'}"
    if example.lang is not None and reading.lang != example.lang:
        yield f"the language should be {example.lang}, and is {reading.lang or 'unknown'}"


def _seen(
    part: ContextPart, raw: bytes, envelope: Envelope, site: Site, policies: PolicySet, now: datetime
) -> SeenMessage:
    direction: Literal["inbound", "outbound"] = "outbound" if site.agent(_address(part.from_)) else "inbound"
    return remember(read_message(raw), envelope, direction, site, policies.lexicon, now, _KEY)


def _fields(
    from_: str, to: Sequence[str], cc: Sequence[str], subject: str, at: datetime, message_id: str, links: Sequence[str]
) -> list[tuple[str, str]]:
    fields = [("From", _mailbox(from_))]
    fields += [(name, ", ".join(map(_mailbox, people))) for name, people in (("To", to), ("Cc", cc)) if people]
    fields += [("Subject", _encoded(subject)), ("Date", format_datetime(at)), ("Message-ID", message_id)]
    if links:
        fields += [("In-Reply-To", links[-1]), ("References", " ".join(links))]
    return fields


def _octets(fields: Sequence[tuple[str, str]], headers: Mapping[str, str], text: str) -> bytes:
    head = [f"{name}: {value}" for name, value in fields]
    head += [f"{name}: {_encoded(value)}" for name, value in headers.items()]
    body = base64.encodebytes(text.replace("\n", "\r\n").encode("utf-8", "replace")).replace(b"\n", _LINE)
    if not any(name.lower() == "content-type" for name in headers):
        head.append("Content-Type: text/plain; charset=utf-8")
    head += ["MIME-Version: 1.0", "Content-Transfer-Encoding: base64"]
    return "\r\n".join(head).encode("ascii", "replace") + _LINE * 2 + body


def _with_attached(fields: Sequence[tuple[str, str]], headers: Mapping[str, str], text: str, attached: bytes) -> bytes:
    border = b"=-example"
    head = [f"{name}: {value}" for name, value in fields] + [f"{name}: {_encoded(v)}" for name, v in headers.items()]
    head += ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="=-example"']
    parts = [_octets([], {}, text), b"Content-Type: message/rfc822" + _LINE * 2 + attached]
    body = b"".join(b"--" + border + _LINE + part + _LINE for part in parts) + b"--" + border + b"--" + _LINE
    return "\r\n".join(head).encode("ascii", "replace") + _LINE * 2 + body


def _quoting(text: str, quoted: EarlierPart, subject: str, at: datetime) -> str:
    """The new text with what it quotes below it, as common mail clients write it."""
    if getattr(quoted, "style", "reply") == "forward":
        lines = ["---------- Forwarded message ---------", f"From: {quoted.from_}", f"Date: {format_datetime(at)}"]
        lines += [f"Subject: {quoted.subject or subject}", f"To: {', '.join(quoted.to) or 'it-support@acme.example'}"]
        lines += [f"Cc: {', '.join(quoted.cc)}"] * bool(quoted.cc)
        return "\n".join([text.rstrip(), "", *lines, "", quoted.text])
    name, address = parseaddr(quoted.from_)
    day = f"{at:%a, %d %b %Y} at {at:%H:%M}"
    below = [f"> {line}".rstrip() for line in quoted.text.rstrip().split("\n")]
    return "\n".join([text.rstrip(), "", f"On {day}, {f'{name} ' if name else ''}<{address}> wrote:", *below, ""])


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    return formataddr((name, address)) if name else address


def _address(text: str) -> str:
    return parseaddr(text)[1]


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode()
