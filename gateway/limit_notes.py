"""Notes about limits: advice to an agent, and what admins hear. Pure: facts and templates in, complete mails out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway import notices
from gateway.mail.address import Mailbox
from gateway.notice_facts import NoticeFacts, named
from gateway.notices import Letterhead
from gateway.policy.budget import Ceiling
from gateway.store.records import OutMail


def advice(facts: NoticeFacts, reached: Ceiling, head: Letterhead, *, id: str, now: datetime) -> OutMail:
    """The note to the sender of a mail that went out although it would have been stopped. Raises CannotRender."""
    values: dict[str, Any] = {
        "reasons": notices.reasons(facts, head.templates),
        "draft": notices.draft(facts, head.templates),
        "limit": reached.kind,
        "number": str(reached.most),
    }
    return notices.letter("advice", "notices/advice", facts, facts.agent, head, id=id, now=now, **values)


def to_admin(
    name: str, admin: Mailbox, lang: str, values: Mapping[str, Any], head: Letterhead, *, id: str, now: datetime
) -> OutMail:
    """A note to an admin; `name` is one of "budget", "bypass", "canary-off". Raises CannotRender."""
    facts = NoticeFacts(held_id="", agent=admin, subject="", lang=lang)
    more = {"admin_name": named(admin), **values}
    return notices.letter(name, f"notices/{name}", facts, admin, head, id=id, now=now, **more)
