"""Reads mails that tests write down in a few words, with the shipped lexicon and site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway.mail.envelope import Envelope
from gateway.mail.message import read_message
from gateway.policy.decide import decide
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.reading.lexicon import Lexicon
from gateway.reading.reader import Context, Reading, read
from gateway.reading.thread import Thread
from gateway.resources import shipped
from gateway.site.model import Site

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday."""


@pytest.fixture(scope="session")
def policies() -> PolicySet:
    return load_policies(shipped(), None, shipped=shipped())


@pytest.fixture(scope="session")
def lexicon(policies: PolicySet) -> Lexicon:
    return policies.lexicon


@pytest.fixture(scope="session")
def site(policies: PolicySet) -> Site:
    return policies.site


def mail(
    text: str,
    *,
    sender: str = "Dana Cole <dana.cole@acme.example>",
    to: str = "Rita Blom <rita.blom@acme.example>",
    cc: str = "",
    subject: str = "Re: Something",
    headers: str = "",
) -> bytes:
    """The octets of a plain mail."""
    head = f"From: {sender}\nTo: {to}\n" + (f"Cc: {cc}\n" if cc else "") + f"Subject: {subject}\n{headers}"
    head += "Date: Mon, 2 Mar 2026 10:00:00 +0100\nMessage-ID: <this@acme.example>\n"
    head += "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
    return f"{head}\n{text}\n".replace("\n", "\r\n").encode()


def replying(text: str, question: str, author: str = "Rita Blom <rita.blom@acme.example>") -> str:
    """A text above the mail that it answers."""
    lines = "".join(f"> {line}\n" for line in question.split("\n"))
    return f"{text}\n\nOn Mon, 2 Mar 2026 at 09:00, {author} wrote:\n{lines}"


def forwarding(text: str, original: str, author: str = "Rita Blom <rita.blom@acme.example>") -> str:
    """A text above a forwarded mail."""
    head = f"From: {author}\nDate: Mon, Mar 2, 2026 at 9:00 AM\nSubject: Something\nTo: <it-support@acme.example>\n"
    return f"{text}\n\n---------- Forwarded message ---------\n{head}\n{original}\n"


Read = Callable[..., Reading]


@pytest.fixture
def read_mail(policies: PolicySet) -> Read:
    def reading(raw: bytes, rcpt_to: list[str] | None = None, thread: Thread | None = None, **known: object) -> Reading:
        message = read_message(raw)
        recipients = rcpt_to or [box.address for box in (*message.to, *message.cc)]
        envelope = Envelope.of(message.author.address if message.author else "", recipients)
        context = Context(policies.site, policies.lexicon, NOW, thread or Thread(), key=b"tests", **known)  # type: ignore[arg-type]
        return read(message, envelope, context)

    return reading


@pytest.fixture
def found(policies: PolicySet, read_mail: Read) -> Callable[..., set[str]]:
    """The ids of the policies that stop a mail."""

    def stops(raw: bytes, **known: object) -> set[str]:
        decision = decide(read_mail(raw, **known), policies, now=NOW)
        return {finding.policy for finding in decision.enforced if not finding.exempt and finding.do != "notify"}

    return stops
