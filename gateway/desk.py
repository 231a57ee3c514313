"""The desk: everything between the gateway and an agent about one mail. Notices out, answers in.

The desk composes and decides; it sends nothing itself. What it writes goes into the store's outbox in the same
transaction as the thing it is about, and the dispatcher sends it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway import notices
from gateway.answers import Answer, parse_answer
from gateway.mail.address import split_tag
from gateway.mail.envelope import Path
from gateway.mail.message import read_message
from gateway.mail.quoting import split_body
from gateway.rules import Rules
from gateway.smtp import replies
from gateway.smtp.gate import Incoming
from gateway.smtp.replies import Reply
from gateway.store.records import Hold, NewHold, OutMail
from gateway.store.store import Store

if TYPE_CHECKING:
    from gateway.pipeline import Judged

log = structlog.get_logger("gateway.desk")


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer came to: `done` is False when nothing changed, and `ack` names the acknowledgement."""

    done: bool
    ack: str


def token_hash(token: str) -> str:
    """The form in which tokens are stored: whoever reads the store cannot answer for an agent."""
    return hashlib.sha256(token.lower().encode("ascii", "replace")).hexdigest()


def fresh_token() -> str:
    """128 random bits in lower-case hex: local parts may lose their case on the way."""
    return secrets.token_hex(16)
