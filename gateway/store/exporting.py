"""The log as records, one for each judged mail and one for each thing that happened, by what auditors ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, or_, select, true, tuple_, type_coerce
from sqlalchemy.engine import Connection

from gateway.completeness import Known
from gateway.logged import OVERRIDES, WENT_OUT
from gateway.relay_log import QUEUED
from gateway.store.audit import UNSHOWN
from gateway.store.base import Base
from gateway.store.columns import canonical
from gateway.store.errors import told
from gateway.store.folding import has_words, lowered, small
from gateway.store.schema import audit, audit_events, audit_policies, log_notes, outbox, rule_events

PAGE = 1000
"""Entries that are read at a time."""

CONFIDENTIAL = ("confidential", "confidential_recipient")
"""Facts of mail that only its own circle may read."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What to look for; everything given must fit. `since` up to but without `until`.

    `person` is an address in any case: sender, requester, one of the recipients, or who acted. `subject` is a part of
    the Subject in any case. `override`: only mail that went out as it was although it had been stopped (False: only
    other mail).
    """

    since: datetime | None = None
    until: datetime | None = None
    person: str = ""
    subject: str = ""
    policy: str = ""
    disposition: str = ""
    outcome: str = ""
    team: str = ""
    override: bool | None = None

    @property
    def of_mail(self) -> bool:
        """Whether something is asked that only judged mail has."""
        return bool(self.subject or self.policy or self.disposition or self.outcome or self.team) or (
            self.override is not None
        )


def conditions(wanted: LogFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on `audit`."""
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit.c.at < wanted.until)
    for column, value in ((audit.c.disposition, wanted.disposition), (audit.c.outcome, wanted.outcome)):
        if value:
            found.append(column == value)
    if wanted.team:
        found.append(audit.c.team == wanted.team)
    if wanted.person:
        found.append(_names(wanted.person))
    if wanted.subject:
        found.append(has_words(audit.c.subject, wanted.subject))
    if wanted.policy:
        theirs = select(audit_policies.c.mail_id).where(audit_policies.c.policy == wanted.policy)
        found.append(audit.c.id.in_(theirs))
    if wanted.override is not None:
        overridden = audit.c.outcome.in_(OVERRIDES)
        found.append(overridden if wanted.override else ~overridden)
    return found


def _names(person: str) -> ColumnElement[bool]:
    person = small(person)
    one = (lowered(column) == person for column in (audit.c.agent, audit.c.requester, audit.c.mail_from))
    quoted = canonical(person)  # with its quotes: a whole address in the list
    recipients = lowered(type_coerce(audit.c.rcpt_to, Text)).contains(quoted, autoescape=True)
    acted = select(audit_events.c.mail_id).where(lowered(audit_events.c.by) == person)
    return or_(*one, recipients, audit.c.id.in_(acted))


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log. `mail` is the entry of the judged mail that it is about, where there is one."""

    at: datetime
    subject: str
    """What it is about: the id of a mail, "gateway", "log", "account/NAME", "policy/NAME", "bypass", "rules"."""
    what: str
    detail: str
    by: str
    origin: str
    mail: Mapping[str, Any] | None
    chain: str
    seq: int | None
    is_decision: bool = False
    secret: bool = False
    """Its words are not for whoever asks, whatever its facts say."""

    @property
    def confidential(self) -> bool:
        """Whether only the mail's own circle may read its words."""
        facts = self.mail["facts"] if self.mail is not None else {}
        return self.secret or any(name in facts for name in CONFIDENTIAL)


class Exporting(Base):
    """Reads the log record by record. For commands: blocks."""

    def records(self, wanted: LogFilter) -> Iterator[Record]:
        """Judged mail with its history, the oldest mail first; then, where nothing is asked that only mail has, what
        happened otherwise. Bounded memory."""
        with told():
            self.database.check_file()
            with self.database.reader.connect() as connection:
                yield from _mails(connection, wanted)
                if not wanted.of_mail:
                    yield from _others(connection, wanted)

    def decisions(self, ids: Sequence[str]) -> list[Record]:
        """What was decided about these mails, the newest first."""
        query = select(audit).where(audit.c.id.in_(ids)).order_by(audit.c.at.desc(), audit.c.id.desc())
        return list(map(_decision, self._read(lambda connection: connection.execute(query).all())))

    def timeline(self, subject: str) -> list[Record]:
        """Everything that happened to one thing (a mail's id, "gateway", "log", "rules", "console", "bypass",
        "policy/NAME", "account/NAME"), the oldest first, with who and from where."""
        query = select(audit_events).where(audit_events.c.mail_id == subject, audit_events.c.outcome.not_in(UNSHOWN))

        def work(connection: Connection) -> list[Record]:
            found = list(map(_event, connection.execute(query.order_by(audit_events.c.id))))
            if subject == "log":
                found = sorted([*found, *_erasures(connection, LogFilter())], key=lambda record: record.at)
            if subject == "rules":
                found += _rules(connection, LogFilter())
            return found

        return self._read(work)

    def links_of(self, wanted: LogFilter) -> set[tuple[str, int]]:
        """(chain, number) of every record that fits."""
        return {(record.chain, record.seq) for record in self.records(wanted) if record.seq is not None}

    def handed_over(self, first: datetime, last: datetime) -> Known:
        """What the mail server behind was given between two times and a day around them, our own mail too."""
        since, until = first - DAY, last + DAY
        known = Known()
        entries = select(audit.c.id, audit.c.message_id).where(audit.c.at >= since, audit.c.at < until)
        columns = (audit_events.c.mail_id, audit_events.c.at, audit_events.c.outcome, audit_events.c.detail)
        said = select(*columns).where(audit_events.c.at >= since, audit_events.c.at < until)
        with told():
            self.database.check_file()
            with self.database.reader.connect() as connection:
                ids = {row.id: row.message_id for row in connection.execute(entries)}
                known.ids.update(ids)
                known.message_ids.update((message_id, set()) for message_id in ids.values() if message_id)
                for row in connection.execute(said):
                    message_id = ids.get(row.mail_id, "")
                    if message_id and row.outcome in WENT_OUT:
                        known.delivered.add(message_id)
                    if (queue := QUEUED.search(row.detail)) is not None:
                        known.queues[queue[1]] = (row.mail_id, row.at)
                        known.message_ids.setdefault(message_id, set()).add(queue[1])
                own = select(outbox.c.id, outbox.c.mail_from).where(outbox.c.at >= since, outbox.c.at < until)
                known.own.update(tuple(row) for row in connection.execute(own))
        return known


DAY = timedelta(days=1)


def _mails(connection: Connection, wanted: LogFilter) -> Iterator[Record]:
    after: tuple[datetime, str] | None = None
    while True:
        query = select(audit).where(*conditions(wanted)).order_by(audit.c.at, audit.c.id).limit(PAGE)
        if after is not None:
            query = query.where(tuple_(audit.c.at, audit.c.id) > after)
        rows = connection.execute(query).all()
        history = _history(connection, [row.id for row in rows])
        for row in rows:
            decision = _decision(row)
            yield decision
            yield from (replace(event, mail=decision.mail) for event in history.get(row.id, ()))
        if len(rows) < PAGE:
            return
        after = (rows[-1].at, rows[-1].id)


def _decision(row: Any) -> Record:
    return Record(
        row.at, row.id, row.disposition, row.reason, row.agent, f"mail from {row.peer}", dict(row._mapping), row.run,
        row.seq, is_decision=True,
    )  # fmt: skip


def _history(connection: Connection, ids: Sequence[str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    if ids:
        query = select(audit_events).where(audit_events.c.mail_id.in_(ids)).order_by(audit_events.c.id)
        for row in connection.execute(query):
            found.setdefault(row.mail_id, []).append(_event(row))
    return found


def _event(row: Any) -> Record:
    return Record(row.at, row.mail_id, row.outcome, row.detail, row.by, row.origin, None, row.run, row.seq)


def _others(connection: Connection, wanted: LogFilter) -> Iterator[Record]:
    """Events that are about no judged mail, and changes of the rules, each in their order."""
    events = and_(
        audit_events.c.mail_id.not_in(select(audit.c.id)),
        *_when(audit_events.c, wanted),
        *_by(audit_events.c.by, wanted),
    )
    yield from map(_event, _paged(connection, audit_events, events))
    yield from _erasures(connection, wanted)
    yield from _rules(connection, wanted)


def _erasures(connection: Connection, wanted: LogFilter) -> Iterator[Record]:
    for row in connection.execute(select(log_notes).where(*_when(log_notes.c, wanted)).order_by(log_notes.c.at)):
        said = row.said
        if not wanted.person or str(said.get("by", "")).lower() == wanted.person.lower():
            number = sum(last - first + 1 for _, first, last in said["links"])
            detail = f"{number} entries: {said.get('why', '')}"
            by, origin = str(said.get("by", "")), str(said.get("origin", ""))
            yield Record(row.at, "log", "erasure", detail, by, origin, None, row.run, row.seq)


def _rules(connection: Connection, wanted: LogFilter) -> Iterator[Record]:
    rules = and_(true(), *_when(rule_events.c, wanted), *_by(rule_events.c.by, wanted))
    for row in _paged(connection, rule_events, rules):
        detail = f"{row.how}; {row.before or 'nothing'} -> {row.version}" + (f"\n{row.detail}" if row.detail else "")
        origin = f"{'command' if row.by else 'serve'} on {row.host}"  # only commands change rules for somebody
        yield Record(row.at, "rules", row.kind, detail, row.by, origin, None, row.run, row.seq)


def _when(columns: Any, wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield columns.at >= wanted.since
    if wanted.until is not None:
        yield columns.at < wanted.until


def _by(column: ColumnElement[str], wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.person:
        yield lowered(column) == small(wanted.person)


def _paged(connection: Connection, table: Any, where: ColumnElement[bool]) -> Iterator[Any]:
    after = 0
    while rows := connection.execute(
        select(table).where(where, table.c.id > after).order_by(table.c.id).limit(PAGE)
    ).all():
        yield from rows
        after = rows[-1].id
