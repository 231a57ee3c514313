"""Which mail went around the gateway, and which of ours the mail server knows nothing of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from gateway.relay_log import RelayMail

Why = Literal["unknown", "copy", "stopped"]
"""unknown: the gateway never saw it. copy: it has the Message-ID of a mail that went through here, and came elsewhere.
stopped: it has that of a mail that was stopped here."""

EDGE = timedelta(minutes=5)
"""What happened so near to the begin or end of a log may stand in the next one."""


@dataclass(slots=True)
class Known:
    """What the gateway has handed over: queue ids that the mail server gave, and Message-IDs with theirs."""

    queues: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """queue id -> (id of the mail here, when)."""
    ids: set[str] = field(default_factory=set)
    """Ids of judged mail, which our own replies name to a server in front."""
    message_ids: dict[str, set[str]] = field(default_factory=dict)
    delivered: set[str] = field(default_factory=set)
    """Those Message-IDs with which mail went out."""
    own: dict[str, str] = field(default_factory=dict)
    """Ids of the gateway's own mail, which begin its Message-IDs, with their senders: agents can read them."""


@dataclass(slots=True)
class Compared:
    """`seen`: mails of the log; `ours`: of these, those that came through the gateway; `not_meant`: by senders whose
    mail need not. `missing`: (id, queue id) of mail of ours that the log does not have."""

    seen: int = 0
    ours: int = 0
    not_meant: int = 0
    around: list[tuple[Why, RelayMail]] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None


def compare(mails: Iterable[RelayMail], known: Known, is_meant: Callable[[str], bool]) -> Compared:
    """Hold the log against what we know. `is_meant` says whether a sender's mail should pass the gateway."""
    found, queues, met = Compared(), set[str](), set[str]()
    for mail in mails:
        found.seen += 1
        found.first = min(found.first or mail.at, mail.at)
        found.last = max(found.last or mail.at, mail.at)
        queues.add(mail.queue)
        why = _why(mail, known, met)
        if why is None:
            found.ours += 1
        elif is_meant(mail.sender or ""):
            found.around.append((why, mail))
        else:
            found.not_meant += 1
    found.missing = sorted(_missing(found, known, queues))
    return found


def _why(mail: RelayMail, known: Known, met: set[str]) -> Why | None:
    """None where it came through us: under its queue id, or on to us from a server in front."""
    if mail.queue in known.queues or not mail.sent_on.isdisjoint(known.queues.keys() | known.ids):
        return None
    sender = known.own.get(mail.message_id[1:].partition("@")[0])
    if sender is not None and sender.lower() == (mail.sender or "").lower():
        return None
    theirs = known.message_ids.get(mail.message_id) if mail.message_id else None
    if theirs is None:
        return "unknown"
    if theirs or mail.message_id in met:
        return "copy"
    met.add(mail.message_id)  # where the server never told a queue id, the Message-ID must do, once
    return None if mail.message_id in known.delivered else "stopped"


def _missing(found: Compared, known: Known, queues: set[str]) -> Iterator[tuple[str, str]]:
    if found.first is None or found.last is None:
        return
    for queue, (id, at) in known.queues.items():
        if queue not in queues and found.first + EDGE < at < found.last - EDGE:
            yield id, queue
