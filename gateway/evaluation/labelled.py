"""Labelled texts: a mail made from each, since the gateway reads mail and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from typing import Any

from gateway.mail.envelope import Envelope
from gateway.mail.message import read_message
from gateway.mail.quoted_date import parse_quoted_date
from gateway.mail.quoting import split_body

AGENT, ASKER, COLLEAGUE = "agent@team.example", "asker@requesters.example", "colleague@others.example"
NOW = datetime(2025, 11, 3, 10, 0, tzinfo=UTC)
"""When a text without a date was written."""

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_SPELT = re.compile(r"(\S+) at (\S+\.\S+)")
_LETTER = re.compile(r"[^\W\d_]")
_HEADED = re.compile(r"^[\s>*_-]*(?:from|von|de|da|van|od)\s*:", re.IGNORECASE | re.MULTILINE)


def make_mail(row: Mapping[str, Any]) -> tuple[bytes, Envelope]:
    """RFC 5322 octets and the envelope of a labelled text.

    A hand-off goes to colleagues, about a quoted mail of the one who asked; every other text answers its recipient.
    Where the corpus has no usable address, one at `.example` stands for it; but whoever is known by name only stays so
    where a quoted head names people too, since an invented address would tell them from the same person there.
    """
    hands_off = row["labels"].get("referral") == "handoff_to_colleague"
    sender = address_of(row.get("from", "")) or AGENT
    asker = address_of(row.get("requester", "")) or ASKER
    named = bool(_HEADED.search(str(row.get("quoted") or "")))
    to = [found for each in row.get("to", []) if address_of(each) != sender and (found := _recipient(each, named))]
    cc = [found for each in row.get("cc", []) if address_of(each) != sender and (found := _recipient(each, named))]
    cc = [each for each in cc if each not in to]
    to = to or [COLLEAGUE if hands_off else asker]
    answered = asker if hands_off or row.get("requester") else to[0]
    subject = " ".join(str(row.get("subject", "")).split()) or "your question"
    if not re.match(r"(?i)(?:re|fwd?|aw|wg|sv|tr|rv)\s*:", subject):
        subject = ("Fwd: " if hands_off else "Re: ") + subject
    date = parse_quoted_date(str(row.get("date") or ""), UTC) or NOW
    head = [
        f"From: {sender}",
        f"To: {', '.join(to)}",
        *([f"Cc: {', '.join(cc)}"] if cc else []),
        f"Subject: {Header(subject, 'utf-8', maxlinelen=70).encode() if not subject.isascii() else subject[:900]}",
        f"Date: {format_datetime(date)}",
        "Message-ID: <labelled@text.example>",
        "In-Reply-To: <question@text.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    body = _without_attribution(str(row["text"]).replace("\r", "")).rstrip() + _quote(row, answered)
    octets = "\r\n".join([*head, "", *body.split("\n"), ""]).encode("utf-8", "replace")
    return octets, Envelope.of(sender, [each for each in (*to, *cc) if "@" in each])


def _without_attribution(text: str) -> str:
    """The text below an attribution whose quote the corpus took away: it would count as that quote."""
    body = split_body(read_message(b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode("utf-8", "replace")))
    head = None if body.new.text.strip() else next((a.span for a in body.authors if a.kind == "attribution"), None)
    return text.replace(head.text, "", 1).lstrip("\n") if head and text.lstrip().startswith(head.text) else text


def _quote(row: Mapping[str, Any], answered: str) -> str:
    quoted, question = str(row.get("quoted") or ""), str(row.get("previous_question") or "")
    if _HEADED.search(quoted):
        return f"\n\n{'' if quoted.lstrip().startswith('-') else '-----Original Message-----'}\n{quoted.lstrip()}"
    if not question.strip():
        return ""
    who = str(row.get("requester") or answered).split("<")[0].strip() or answered
    marked = "\n".join("> " + line for line in question.strip().splitlines())
    return f"\n\nOn Sun, 2 Nov 2025 at 10:00, {who} <{answered}> wrote:\n\n{marked}"


def _recipient(text: object, named: bool) -> str:
    """Whom a corpus names, as a header does: by the address, or by the name alone where `named`."""
    text = str(text or "")
    if not named or _ADDRESS.search(text) or _SPELT.match(text) or not _LETTER.search(text):
        return address_of(text)
    name = " ".join(re.sub(r'["\\]', "", text).replace(";", ",").split())  # "Amory; Jill L (GOV)"
    return f'"{name}"' if name.isascii() else Header(name, "utf-8", maxlinelen=300).encode()


def address_of(text: object) -> str:
    """The address in what a corpus says of somebody; an invented one for a name; "" for nothing."""
    text = str(text or "")
    if found := _ADDRESS.search(text):
        return found.group().lower()
    if found := _SPELT.match(text):
        return f"{found.group(1)}@{found.group(2)}".lower()
    words: Sequence[str] = re.findall(r"[a-z0-9]+", text.lower())
    return f"{'.'.join(words[:3])}@people.example" if words else ""
