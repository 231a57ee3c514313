"""Looking at the log: search with keyset paging, and the counts of the overview. Everything blocks.

Each search reads an index in the order of time and stops when the page is full; only what is shown has its rows read.
Where a subject is rare, `subjects` says when such mail came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select, text
from sqlalchemy.engine import Connection

from gateway.store.exporting import CONFIDENTIAL
from gateway.store.folding import has_words
from gateway.store.process_schema import runs
from gateway.store.recalling import Mark, Recalling
from gateway.store.schema import audit, audit_policies, ledger, log_heads

OVERRIDDEN = ("overridden", "wrong")
"""Outcomes of mail that was sent all the same."""

STOPPED = audit.c.disposition != literal_column("'pass'")
"""As it stands in the index of stopped mail, which is used only for what is said in the same words."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; "" and None: anything. Times from `since` up to but without `until`. `person` is an address
    or the beginning of one; `within`: only mail of these teams, as a reviewer may see."""

    person: str = ""
    subject: str = ""
    policy: str = ""
    disposition: str = ""
    team: str = ""
    since: datetime | None = None
    until: datetime | None = None
    override: bool = False
    within: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One mail in a list."""

    id: str
    at: datetime
    agent: str
    team: str
    requester: str
    rcpt_to: tuple[str, ...]
    subject: str
    disposition: str
    outcome: str
    policies: tuple[str, ...]
    confidential: bool

    @property
    def mark(self) -> Mark:
        return self.at, self.id


@dataclass(frozen=True, slots=True)
class Counts:
    """What was stopped in a time. `days`: (day, disposition) -> n; `policies`: (policy, day) -> n; `teams`: team ->
    (mails stopped, different senders); `outcomes`: outcome -> n of what was stopped; `mails`: all that was judged."""

    mails: int
    days: dict[tuple[str, str], int]
    policies: dict[tuple[str, str], int]
    teams: dict[str, tuple[int, int]]
    outcomes: dict[str, int]


class Looking(Recalling):
    """Questions of the console."""

    def look(
        self, filters: Filters, *, older: Mark | None = None, newer: Mark | None = None, limit: int = 50
    ) -> list[Line]:
        """Mails, the newest first: those right before `older`, or right after `newer`."""
        return self._read(lambda connection: self._look(connection, filters, older, newer, limit))

    def _look(
        self, connection: Connection, filters: Filters, older: Mark | None, newer: Mark | None, limit: int
    ) -> list[Line]:
        times = self._times(connection, filters.subject)
        if times == []:
            return []
        if not self.database.is_sqlite:  # a page is full after some milliseconds, which starting workers takes too
            connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
        ids = [row.id for row in connection.execute(self._page(filters, older, newer, limit, times))]
        columns = [
            getattr(audit.c, name)
            for name in (
                "id", "at", "agent", "team", "requester", "rcpt_to", "subject", "disposition", "outcome", "findings",
                "facts",
            )
        ]  # fmt: skip
        rows = connection.execute(select(*columns).where(audit.c.id.in_(ids))).all()
        return sorted((_line(row) for row in rows), key=lambda line: line.mark, reverse=True)

    def _page(
        self,
        filters: Filters,
        older: Mark | None,
        newer: Mark | None,
        limit: int,
        times: list[datetime] | None = None,
    ) -> Select[Any]:
        """The ids of one page. Each way of being the person is a search of its own, in its own index."""
        branches = [
            self._branch(filters, who, older, newer, limit, times).subquery() for who in self._people(filters.person)
        ]
        if len(branches) == 1:
            return select(branches[0].c.id)
        found = select(branches[0].c.at, branches[0].c.id).union(
            *(select(each.c.at, each.c.id) for each in branches[1:])
        )
        both = found.subquery()
        order = (both.c.at, both.c.id) if newer is not None else (both.c.at.desc(), both.c.id.desc())
        return select(both.c.id).order_by(*order).limit(limit)

    def _branch(
        self, filters: Filters, who: ColumnElement[bool] | None, older: Mark | None, newer: Mark | None, limit: int,
        times: list[datetime] | None,
    ) -> Select[Any]:  # fmt: skip
        table: Any = audit
        at, id = audit.c.at, audit.c.id
        wanted: list[ColumnElement[bool]] = [] if who is None else [who]
        if filters.policy:
            table = audit_policies.join(audit, audit_policies.c.mail_id == audit.c.id)
            at, id = audit_policies.c.at, audit_policies.c.mail_id
            wanted.append(audit_policies.c.policy == filters.policy)
        if filters.since is not None:
            wanted.append(at >= filters.since)
        if filters.until is not None:
            wanted.append(at < filters.until)
        if filters.subject:
            wanted.append(self._subject(filters.subject))
        if times is not None:
            wanted.append(at.in_(times))
        if filters.disposition:
            wanted.append(audit.c.disposition == filters.disposition)
        # Beside a subject the team must not lead: its own index would have a row read for each mail of the team.
        team: ColumnElement[str] = audit.c.team.concat("") if filters.subject else audit.c.team
        if filters.team:
            wanted.append(team == filters.team)
        if filters.within is not None:
            wanted.append(team.in_(filters.within))
        if filters.override:
            wanted.append(audit.c.outcome.in_(OVERRIDDEN))
        if older is not None:
            wanted.append(or_(at < older[0], and_(at == older[0], id < older[1])))
            wanted.append(at <= older[0])  # what an index can begin with
        if newer is not None:
            wanted.append(or_(at > newer[0], and_(at == newer[0], id > newer[1])))
            wanted.append(at >= newer[0])
        order = (at, id) if newer is not None else (at.desc(), id.desc())
        return select(at, id.label("id")).select_from(table).where(*wanted).order_by(*order).limit(limit)

    def _subject(self, words: str) -> ColumnElement[bool]:
        """Words of a subject, in any case (on SQLite: of ASCII letters)."""
        if self.database.is_sqlite:  # LIKE folds ASCII by itself, and lower() would cost as much again
            return audit.c.subject.contains(words, autoescape=True)
        return has_words(audit.c.subject, words)

    def _people(self, person: str) -> Sequence[ColumnElement[bool] | None]:
        """As whom somebody may stand in the log: as the sender, and as the one who asked."""
        if not person:
            return (None,)
        columns = (audit.c.agent, audit.c.requester)
        forms = dict.fromkeys((person, person.lower()))
        if "@" in person and not person.endswith("@"):
            return [column == form for column in columns for form in forms]
        return [(column >= form) & (column < form + "\U0010ffff") for column in columns for form in forms]

    def counts(self, since: datetime, until: datetime, within: tuple[str, ...] | None = None) -> Counts:
        """What the overview shows. Times are UTC, and so are days."""
        when = (audit.c.at >= since, audit.c.at < until)
        ours = () if within is None else (audit.c.team.in_(within),)
        stopped = (*when, *ours, STOPPED)
        day = func.date(audit.c.at)

        def work(connection: Connection) -> Counts:
            mails = connection.scalar(select(func.count()).select_from(audit).where(*when, *ours)) or 0
            # By day first, or a database may walk through the index of another column, and read each row.
            ends = select(day, audit.c.disposition, audit.c.outcome, func.count()).where(*stopped)
            ends = ends.group_by(day, audit.c.disposition, audit.c.outcome)
            people = select(day.label("day"), audit.c.team, audit.c.agent, func.count().label("n")).where(*stopped)
            each = people.group_by(day, audit.c.team, audit.c.agent).subquery()
            teams = select(each.c.team, func.sum(each.c.n), func.count(each.c.agent.distinct())).group_by(each.c.team)
            days: Counter[tuple[str, str]] = Counter()
            outcomes: Counter[str] = Counter()
            for on, what, end, n in connection.execute(ends):
                days[str(on), what] += n
                outcomes[end] += n
            policy_day = func.date(audit_policies.c.at)
            policies = select(audit_policies.c.policy, policy_day, func.count()).where(
                audit_policies.c.at >= since, audit_policies.c.at < until
            )
            if within is not None:
                policies = policies.join(audit, audit.c.id == audit_policies.c.mail_id).where(*ours)
            policies = policies.group_by(audit_policies.c.policy, policy_day)
            return Counts(
                mails,
                dict(days),
                {(what, str(when)): n for what, when, n in connection.execute(policies)},
                {team: (int(n), senders) for team, n, senders in connection.execute(teams)},
                dict(outcomes),
            )

        return self._read(work)

    def chain_states(self) -> list[ChainState]:
        """The chains of the log, the newest first."""
        query = select(
            log_heads.c.chain, runs.c.host, runs.c.started_at, runs.c.alive_at, log_heads.c.seq, log_heads.c.covered
        ).outerjoin(runs, runs.c.id == log_heads.c.chain)
        rows = self._read(lambda connection: connection.execute(query).all())
        found = [ChainState(row[0], row[1] or "", *row[2:]) for row in rows]
        return sorted(found, key=lambda each: (each.began is not None, each.began or 0), reverse=True)  # type: ignore[arg-type, return-value]

    def open_ledger(self, now: datetime, within: tuple[str, ...] | None = None) -> dict[str, tuple[int, int]]:
        """kind -> (how many are open, how many of these are overdue)."""
        wanted = [ledger.c.state != "closed"]
        if within is not None:
            wanted.append(ledger.c.team.in_(within))
        kinds = select(ledger.c.kind, func.count()).group_by(ledger.c.kind)

        def work(connection: Connection) -> dict[str, tuple[int, int]]:
            every = {kind: n for kind, n in connection.execute(kinds.where(*wanted))}
            late = {kind: n for kind, n in connection.execute(kinds.where(*wanted, ledger.c.due < now))}
            return {kind: (n, late.get(kind, 0)) for kind, n in every.items()}

        return self._read(work)


@dataclass(frozen=True, slots=True)
class ChainState:
    """One chain: its process, when that began and was last alive, the number of its newest link, and that of the newest
    one that a checkpoint has."""

    chain: str
    host: str
    began: datetime | None
    alive: datetime | None
    seq: int
    covered: int


def _line(row: Any) -> Line:
    policies = dict.fromkeys(str(each["policy"]) for each in row.findings if each.get("policy"))
    return Line(
        row.id, row.at, row.agent, row.team, row.requester, tuple(row.rcpt_to), row.subject, row.disposition,
        row.outcome, tuple(policies), any(fact in row.facts for fact in CONFIDENTIAL),
    )  # fmt: skip
