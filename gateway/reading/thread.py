"""What the gateway remembers of a thread: who wrote when to whom, never the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gateway.mail.address import Mailbox


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """One earlier message of a thread, as recorded when it went through.

    `sent_at` is aware; `references` are all message ids it names (In-Reply-To first, then References), `tags` its
    ticket tags in canonical form ("48213", "ACME-1932"); `lines` are keyed 64-bit hashes of its normalised lines, with
    which the leak guard recognises quoted history without keeping a word of it; `marks` are small facts about it
    ({"leave_me_out": "yes", "questions": "2", "confidential": "yes", "asks": "request status", "requester": "a@b",
    "machine": "yes"}).
    """

    message_id: str
    direction: Literal["inbound", "outbound"]
    author: Mailbox
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    rcpt_to: tuple[str, ...] = ()
    sent_at: datetime | None = None
    subject: str = ""
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    lines: frozenset[int] = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thread:
    """The earlier messages that this mail is linked to, oldest first.

    `by_id` were linked by Message-ID, In-Reply-To or References (transitively); `by_tag` only by a ticket tag, which
    can be guessed, so they never grade above `quoted` (DESIGN.md §3).
    """

    by_id: tuple[SeenMessage, ...] = ()
    by_tag: tuple[SeenMessage, ...] = ()


EMPTY = Thread()
