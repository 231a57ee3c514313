"""What an amended mail comes to, were its sender to send it now: for the gateway, and for the console beside it."""

from __future__ import annotations

from datetime import datetime

from gateway.mail.envelope import Envelope
from gateway.mail.message import read_headers
from gateway.policy.decision import Decision
from gateway.policy.model import PolicySet
from gateway.readers.pool import Readers
from gateway.readers.work import Task
from gateway.store.store import Store


async def judge_again(
    raw: bytes, envelope: Envelope, agent: str, rules: PolicySet, store: Store, readers: Readers, now: datetime
) -> Decision:
    """The decision. Raises as reading does."""
    headers = read_headers(raw)
    thread = await store.thread(headers.references, rules.site.ticket_tags(headers.subject))
    task = Task("judge", "outbound", envelope, now, thread, auth_identity=agent)
    found = await readers.work(task, raw, rules, mail="amended")
    assert found.decision is not None
    return found.decision
