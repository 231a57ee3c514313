"""Cases: a mail, its envelope and the thread's earlier messages, as `explain` and `evaluate` read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gateway.mail.envelope import Envelope
from gateway.mail.message import Message, read_headers, read_message
from gateway.policy.decide import Decision, decide
from gateway.policy.model import PolicySet
from gateway.reading.memory import remember
from gateway.reading.reader import Context, Reading, read
from gateway.store.threads import MemoryThreads

MAX_OCTETS = 100 * 1024 * 1024
"""Mails larger than this are refused unread."""

_KEY = b"cases are nobody's secret"


class CannotRead(Exception):
    """A PATH that is neither a mail nor a case; the text says why and what would be."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier message of the thread that the gateway has seen."""

    raw: bytes
    envelope: Envelope
    direction: Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Case:
    """One outgoing mail under test."""

    path: str
    raw: bytes
    envelope: Envelope
    earlier: tuple[Earlier, ...] = ()


def read_case(path: Path, *, envelope: Path | None = None, context: Path | None = None) -> Case:
    """A mail, or a folder with message.eml, envelope.json and context/. The other arguments replace the folder's own.

    A mail without an envelope takes From, and To + Cc + Bcc. Raises CannotRead.
    """
    mail = path
    if path.is_dir():
        mail = path / "message.eml"
        if not mail.is_file():
            raise CannotRead("the folder has no message.eml")
        envelope = envelope or _if_there(path / "envelope.json")
        context = context or _if_there(path / "context")
    raw = _octets(mail)
    return Case(
        str(path),
        raw,
        _envelope(_json(envelope), envelope) if envelope else envelope_of(read_headers(raw)),
        _context(context) if context else (),
    )


def judge(case: Case, policies: PolicySet, *, observe: bool = False) -> tuple[Reading, Decision]:
    """Read and judge a case from an empty memory. Now is the mail's Date, or this moment where it has none."""
    memory = MemoryThreads()
    site, lexicon = policies.site, policies.lexicon
    message = read_message(case.raw)
    now = _now(message, policies)
    for each in case.earlier:
        before = read_message(each.raw)
        memory.remember(remember(before, each.envelope, each.direction, site, lexicon, _now(before, policies), _KEY))
    thread = memory.thread(message.references, site.ticket_tags(message.subject))
    reading = read(
        message, case.envelope, Context(site=site, lexicon=lexicon, now=now, thread=thread, peer_listed=True, key=_KEY)
    )
    return reading, decide(reading, policies, observe=observe, now=now)


def envelope_of(headers: Any) -> Envelope:
    """The envelope that a mail's own headers would make."""
    people = (*headers.to, *headers.cc, *headers.bcc)
    author = headers.author.address if headers.author else ""
    return Envelope.of(author, dict.fromkeys(who.address for who in people if "@" in who.address))


def _now(message: Message, policies: PolicySet) -> datetime:
    date = message.date
    if date is None:
        return datetime.now(UTC)
    return date if date.tzinfo else date.replace(tzinfo=policies.site.zone)


def _context(folder: Path) -> tuple[Earlier, ...]:
    """The messages NN.eml with NN.json, in name order, only those that the gateway saw."""
    if not folder.is_dir():
        raise CannotRead(f"{folder}: there is no such folder; write a folder with 01.eml and 01.json")
    found = []
    for mail in sorted(folder.glob("*.eml")):
        beside = mail.with_suffix(".json")
        raw = _octets(mail)
        told = _json(beside) if beside.is_file() else {}
        if not told.get("seen_by_gateway", True):
            continue
        direction = told.get("direction", "inbound")
        if direction not in ("inbound", "outbound"):
            raise CannotRead(f'{beside}: "direction" must be inbound or outbound')
        envelope = _envelope(told, beside) if "rcpt_to" in told else envelope_of(read_headers(raw))
        found.append(Earlier(raw, envelope, direction))
    return tuple(found)


def _envelope(told: dict[str, Any], path: Path) -> Envelope:
    sender, recipients = told.get("mail_from", ""), told.get("rcpt_to", [])
    if not isinstance(sender, str) or not _is_texts(recipients):
        raise CannotRead(f'{path}: write {{"mail_from": "a@example.org", "rcpt_to": ["b@example.org"]}}')
    return Envelope.of(sender, recipients)


def _is_texts(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_octets(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CannotRead(f"{path}: this is not JSON: {str(error)[:120]}") from None
    if not isinstance(value, dict):
        raise CannotRead(f"{path}: write an object, with mail_from and rcpt_to")
    return value


def _octets(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_OCTETS:
            raise CannotRead(f"{path} is larger than {MAX_OCTETS:,} octets")
        return path.read_bytes()
    except OSError as error:
        raise CannotRead(f"{path} cannot be read: {(error.strerror or 'unknown error').lower()}") from None


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None
