"""Thread memory: which earlier messages a mail is linked to.

Messages are linked by ids, transitively: a message, those that it names, those that name it, and so on. Order is the
order of seeing, never a Date header: whoever can write a Date could otherwise become the first requester.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from gateway.mail.address import Mailbox
from gateway.reading.thread import EMPTY, SeenMessage, Thread
from gateway.store import chains
from gateway.store.columns import canonical, octets_of
from gateway.store.schema import seen, seen_links

MESSAGES = 200
"""Messages of one thread, by id and by tag each, that a look-up gives back. Of more, the oldest and the newest."""

KEYS = 4_000
"""Ids that one look-up follows, at most: a thread that names more is machine-made."""

NEAREST, OLDEST = 100, 20
"""References of one message that become links: In-Reply-To and the newest, and the oldest at the end of the list."""

FIRST = 20
"""The oldest messages of a thread that is too long whose own links are followed all the same."""

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
    if frontier:  # a flood of mail that names one id must not hide what stood there before it
        frontier = {key for number in sorted(known)[:FIRST] for key in id_keys(known[number])} - asked
        known |= find(frontier, 2 * FIRST, known.keys())
        known = {number: known[number] for number in oldest_and_newest(sorted(known), messages)}
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

_INSERT_LINKS = insert(seen_links)

_CARRYING = (
    select(seen_links.c.seen_id)
    .where(
        seen_links.c.key.in_(bindparam("keys", expanding=True)),
        seen_links.c.seen_id.not_in(bindparam("known", expanding=True)),
    )
    .distinct()
    .limit(bindparam("most"))
)
_COLUMNS = (seen.c.id, seen.c.message_id, seen.c.sent_at, seen.c.record, seen.c.lines)
_FIND_OLDEST, _FIND_NEWEST = (
    select(*_COLUMNS).where(seen.c.id.in_(_CARRYING.order_by(order))).order_by(order_of_rows)
    for order, order_of_rows in (
        (seen_links.c.seen_id, seen.c.id),
        (seen_links.c.seen_id.desc(), seen.c.id.desc()),
    )
)


def insert_seen(connection: Connection, messages: Sequence[tuple[SeenMessage, datetime]], run: str) -> None:
    """Record messages with the times of seeing; those that are known already are left as they are."""
    rows: dict[bytes, dict[str, Any]] = {}
    by_digest: dict[bytes, SeenMessage] = {}
    for message, at in messages:
        record = _record(message)
        digest = _digest(record, message)
        by_digest[digest] = message
        rows[digest] = {
            "digest": digest,
            "seen_at": at,
            "message_id": message.message_id,
            "author_address": message.author.address,
            "sent_at": message.sent_at,
            "record": record,
            "lines": message.lines,
        }
    numbers = chains.keep_new(connection, run, "seen/1", list(rows.values()), seen.c.digest)
    links = [{"key": key, "seen_id": row.id} for row in numbers for key in link_keys(by_digest[bytes(row.digest)])]
    if links:
        connection.execute(_INSERT_LINKS, links)


def find_thread(connection: Connection, references: Iterable[str], tags: Iterable[str]) -> Thread:
    """The thread in the database; one to three look-ups by index for an ordinary one."""

    def find(keys: Collection[bytes], most: int, known: Collection[int]) -> Found:
        found: Found = {}
        for some in _chunks(sorted(keys), 500):
            wanted = {"keys": some, "known": [*known, *found], "most": most}
            rows = connection.execute(_FIND_OLDEST, wanted).all()
            if len(rows) == most:
                rows = [*rows, *connection.execute(_FIND_NEWEST, wanted)]
            found.update((row.id, row_message(row)) for row in rows)
        return {number: found[number] for number in oldest_and_newest(sorted(found), most)}

    return gather(find, references, tags)


def _chunks(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def message_digest(message: SeenMessage) -> bytes:
    """Equal for the same message seen twice, not for a copy to other recipients."""
    return _digest(_record(message), message)


def _digest(record: str, message: SeenMessage) -> bytes:
    # Without an id of its own only the time tells two of the same form apart.
    what = f"{message.message_id or message.sent_at}\0{record}"
    return hashlib.sha256(what.encode("utf-8", "surrogatepass") + octets_of(message.lines)).digest()


def _record(message: SeenMessage) -> str:
    return canonical(
        [
            message.direction,
            _pair(message.author),
            [_pair(who) for who in message.to],
            [_pair(who) for who in message.cc],
            message.rcpt_to,
            message.subject,
            message.references,
            message.tags,
            message.marks,
        ]
    )


def row_message(row: Any) -> SeenMessage:
    """A row of `seen` as a message."""
    direction, author, to, cc, rcpt_to, subject, references, tags, marks = json.loads(row.record)
    return SeenMessage(
        message_id=row.message_id,
        direction=direction,
        author=Mailbox(*author),
        to=tuple(Mailbox(*pair) for pair in to),
        cc=tuple(Mailbox(*pair) for pair in cc),
        rcpt_to=tuple(rcpt_to),
        sent_at=row.sent_at,
        subject=subject,
        references=tuple(references),
        tags=tuple(tags),
        lines=row.lines,
        marks=marks,
    )


def _pair(who: Mailbox) -> list[str]:
    return [who.address, who.name]
