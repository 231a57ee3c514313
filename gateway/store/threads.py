"""Thread memory: which earlier messages a mail is linked to.

Messages are linked by ids, transitively: a message, those that it names, those that name it, and so on. Order is the
order of seeing, never a Date header: whoever can write a Date could otherwise become the first requester.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from gateway.mail.address import Mailbox
from gateway.reading.thread import EMPTY, SeenMessage, Thread
from gateway.store.columns import canonical
from gateway.store.schema import seen, seen_links

MESSAGES = 200
"""Messages of one thread, by id and by tag each, that a look-up gives back. Of more, the oldest and the newest."""

KEYS = 4_000
"""Ids that one look-up follows, at most: a thread that names more is machine-made."""

NEAREST, OLDEST = 100, 20
"""References of one message that become links: In-Reply-To and the newest, and the oldest at the end of the list."""

Found = dict[int, SeenMessage]
Find = Callable[[Collection[bytes], int, Collection[int]], Found]
"""(keys, how many at most, numbers known already) -> the messages that carry one of the keys, by number."""


def id_key(message_id: str) -> bytes:
    """Sixteen octets that stand for a message id (RFC 5322 §3.6.4: compared exactly)."""
    return _key("id", message_id.strip())


def tag_key(tag: str) -> bytes:
    """Sixteen octets that stand for a ticket tag."""
    return _key("tag", tag)


def _key(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def id_keys(message: SeenMessage) -> set[bytes]:
    """The keys of the message's own id and of those that it names."""
    named = message.references
    if len(named) > NEAREST + OLDEST:
        named = named[:NEAREST] + named[-OLDEST:]
    return {id_key(each) for each in (message.message_id, *named) if each.strip()}


def link_keys(message: SeenMessage) -> set[bytes]:
    """All keys under which the message is found."""
    return id_keys(message) | {tag_key(tag) for tag in message.tags if tag}


def gather(find: Find, references: Iterable[str], tags: Iterable[str], messages: int = MESSAGES) -> Thread:
    """Follow the links. The same for the database and for memory."""
    known: Found = {}
    asked: set[bytes] = set()
    frontier = {id_key(each) for each in references if each.strip()}
    while frontier and len(known) < messages and len(asked) < KEYS:
        asked |= frontier
        found = find(frontier, messages - len(known), known.keys())
        known |= found
        frontier = {key for message in found.values() for key in id_keys(message)} - asked
    tag_keys = {tag_key(tag) for tag in tags if tag}
    tagged = find(tag_keys, messages, known.keys()) if tag_keys else {}
    if not known and not tagged:
        return EMPTY
    return Thread(tuple(known[each] for each in sorted(known)), tuple(tagged[each] for each in sorted(tagged)))


def oldest_and_newest(numbers: Sequence[int], most: int) -> Sequence[int]:
    """Both ends of a sorted list that is too long: the first requester is at one, the latest word at the other."""
    if len(numbers) <= most:
        return numbers
    newest = most // 2
    return [*numbers[: most - newest], *(numbers[-newest:] if newest else ())]


class MemoryThreads:
    """The same memory without a database, for `explain`, `evaluate` and policy examples. Not shared between threads."""

    def __init__(self, messages: Iterable[SeenMessage] = ()) -> None:
        self._messages: list[SeenMessage] = []
        self._by_key: dict[bytes, list[int]] = {}
        self._digests: set[bytes] = set()
        for message in messages:
            self.remember(message)

    def remember(self, message: SeenMessage) -> None:
        """Add a message; one that was seen before in the same form is not added again."""
        digest = message_digest(message)
        if digest in self._digests:
            return
        self._digests.add(digest)
        self._messages.append(message)
        for key in link_keys(message):
            self._by_key.setdefault(key, []).append(len(self._messages) - 1)

    def thread(self, references: Iterable[str], tags: Iterable[str] = ()) -> Thread:
        """The messages that a mail with these references and ticket tags is linked to."""
        return gather(self._find, references, tags)

    def _find(self, keys: Collection[bytes], most: int, known: Collection[int]) -> Found:
        numbers = sorted({number for key in keys for number in self._by_key.get(key, ())} - set(known))
        return {number: self._messages[number] for number in oldest_and_newest(numbers, most)}


# --- in the database -------------------------------------------------------------------------------------------------

_INSERT = {
    "sqlite": sqlite.insert(seen).on_conflict_do_nothing().returning(seen.c.id),
    "postgresql": postgresql.insert(seen).on_conflict_do_nothing().returning(seen.c.id),
}
_INSERT_LINKS = insert(seen_links)


def message_digest(message: SeenMessage) -> bytes:
    """Equal for the same message seen twice (by tap and by feed), not for a copy to other recipients."""
    form = [
        message.message_id or (message.sent_at and message.sent_at.isoformat()),
        message.direction,
        _pair(message.author),
        [_pair(who) for who in message.to],
        [_pair(who) for who in message.cc],
        sorted(message.rcpt_to),
        message.subject,
        message.references,
        message.lines,
    ]
    return hashlib.sha256(canonical(form).encode()).digest()


def insert_seen(connection: Connection, message: SeenMessage, at: datetime) -> bool:
    """Record a message. False when it is known already."""
    row = {
        "digest": message_digest(message),
        "seen_at": at,
        "message_id": message.message_id,
        "direction": message.direction,
        "author_address": message.author.address,
        "author_name": message.author.name,
        "to": [_pair(who) for who in message.to],
        "cc": [_pair(who) for who in message.cc],
        "rcpt_to": message.rcpt_to,
        "sent_at": message.sent_at,
        "subject": message.subject,
        "references": message.references,
        "tags": message.tags,
        "lines": message.lines,
        "marks": message.marks,
    }
    number = connection.execute(_INSERT[connection.dialect.name], row).scalar()
    if number is None:
        return False
    links = [{"key": key, "seen_id": number} for key in link_keys(message)]
    if links:
        connection.execute(_INSERT_LINKS, links)
    return True


def find_thread(connection: Connection, references: Iterable[str], tags: Iterable[str]) -> Thread:
    """The thread in the database; two or three look-ups by index for an ordinary one."""

    def find(keys: Collection[bytes], most: int, known: Collection[int]) -> Found:
        enough = most + len(known)
        numbers: set[int] = set()
        for some in _chunks(sorted(keys), 500):
            carrying = select(seen_links.c.seen_id).where(seen_links.c.key.in_(some)).distinct().limit(enough)
            oldest = connection.scalars(carrying.order_by(seen_links.c.seen_id)).all()
            numbers.update(oldest)
            if len(oldest) == enough:
                numbers.update(connection.scalars(carrying.order_by(seen_links.c.seen_id.desc())))
        wanted = oldest_and_newest(sorted(numbers - set(known)), most)
        if not wanted:
            return {}
        rows = connection.execute(select(seen).where(seen.c.id.in_(wanted)))
        return {row.id: _message(row) for row in rows}

    return gather(find, references, tags)


def _chunks(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _pair(who: Mailbox) -> list[str]:
    return [who.address, who.name]


def _message(row: Row[Any]) -> SeenMessage:
    form = row._mapping  # "to" and "references" are words of SQL, columns of ours
    return SeenMessage(
        message_id=row.message_id,
        direction=row.direction,
        author=Mailbox(row.author_address, row.author_name),
        to=tuple(Mailbox(*pair) for pair in form["to"]),
        cc=tuple(Mailbox(*pair) for pair in form["cc"]),
        rcpt_to=tuple(form["rcpt_to"]),
        sent_at=row.sent_at,
        subject=row.subject,
        references=tuple(form["references"]),
        tags=tuple(form["tags"]),
        lines=row.lines,
        marks=form["marks"],
    )
