"""Keeping `subjects` true: what came is taken in, what was erased goes, and of another database all are read anew."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, and_, func, or_, select, type_coerce
from sqlalchemy.engine import Connection

from gateway.store.base import Base
from gateway.store.errors import StoreAway
from gateway.store.schema import audit, instance, log_heads, log_notes
from gateway.store.subjects import EPOCH, State, Subjects

Mark = tuple[datetime, str]
"""Where a page begins: the time and id of the mail before it."""

RARE = 500
"""Mails that a subject may fit to be rare."""
READ_AT_ONCE = 20_000
"""Subjects that are read in one go: other questions come in between."""
KEPT = timedelta(days=1)
"""How long the subjects are kept in memory before they are read anew, whatever happens."""
FEW_DAYS = 30
"""Days of which something was erased that are read anew by themselves; of more, all are."""


class Recalling(Base):
    """The subjects of the log in memory."""

    _subjects: Subjects | None = None
    _learns = False
    _learning = threading.Lock()
    _minding = threading.Lock()

    def learn_subjects(self) -> int:
        """Read every subject, for searches to come; how many there are. Some seconds for a million."""
        with self._learning:
            self._learns = True
            # Before the rows: what comes meanwhile is read once more, and none is missed; what goes is seen to go.
            heads, state, erasures = self._read(lambda c: (_heads(c), self._state(c), _erasures(c)))
            made = Subjects(heads, self._clock(), state, erasures)
            last: Mark | None = None
            while rows := self._read(functools.partial(_subjects_after, last=last)):
                made.add((at, subject) for at, _, subject in rows)
                at, id, _ = rows[-1]
                last = (at if at.tzinfo else at.replace(tzinfo=UTC)), id
            self._subjects = made
        return len(made)

    def learn_beside(self) -> None:
        """The same in a thread, with nobody waiting for it; until then searches take longer, and find the same."""
        self._learns = True

        def work() -> None:
            try:
                self.learn_subjects()
            except Exception as error:  # whatever it was, nothing old is kept
                self._subjects = None
                if not isinstance(error, StoreAway):
                    raise

        threading.Thread(target=work, name="subjects", daemon=True).start()

    def watch_subjects(self) -> None:
        """Let go of subjects that were erased, and of all of them where the database is another one or away, or after a
        day; then learn what is there. For a timer: nobody has to search for it. Blocks."""
        if not self._learns:
            return
        try:
            if self._subjects is not None and self._read(functools.partial(self._mind, kept=self._subjects)):
                return
            self._subjects = None  # before the new ones are read: both at once would take twice the memory
            self.learn_subjects()
        except StoreAway:
            self._subjects = None

    def _times(self, connection: Connection, words: str) -> list[datetime] | None:
        """When mail with these words in its subject came, if it is rare; None where that is not known."""
        kept = self._subjects
        if kept is None or not words:
            return None
        if not self._mind(connection, kept):
            self._subjects = None
            self.learn_beside()
            return None
        return kept.times(words, RARE)

    def _mind(self, connection: Connection, kept: Subjects) -> bool:
        """Take in what came, let go of what was erased. False where all must be read anew."""
        with self._minding:
            heads, erasures = _heads(connection), _erasures(connection)
            back = any(heads.get(chain, 0) < seq for chain, seq in kept.heads.items())
            if back or kept.state != self._state(connection) or self._clock() - kept.made > KEPT:
                return False
            for chain, seq in heads.items():
                known = kept.heads.get(chain, 0)
                if seq > known:
                    those = (audit.c.run == chain) & (audit.c.seq > known)
                    rows = connection.execute(select(audit.c.at, audit.c.subject).where(those)).all()
                    kept.add(((row.at, row.subject) for row in rows), {chain: seq})
            if erasures == kept.erasures:
                return True
            return erasures > kept.erasures and _let_go(connection, kept, erasures)

    def _state(self, connection: Connection) -> State:
        """What is another one where it is another database, or a copy of before."""
        return self.database.check_file(), connection.scalar(select(instance.c.id).limit(1))


def _let_go(connection: Connection, kept: Subjects, erasures: int) -> bool:
    """Read the days anew of which something is gone: nothing says whose subject that was, and nothing should. False
    where these are many."""
    gone = set()
    for day, number in kept.days().items():  # one by one: a count by groups would sort a million
        if connection.scalar(select(func.count()).select_from(audit).where(_on(day))) != number:
            gone.add(day)
            if len(gone) > FEW_DAYS:
                return False
    kept.forget(gone)
    for day in sorted(gone):
        rows = connection.execute(select(audit.c.at, audit.c.subject).where(_on(day))).all()
        kept.add((row.at, row.subject) for row in rows)
    kept.erasures = erasures
    return True


def _on(day: int) -> ColumnElement[bool]:
    since = EPOCH + timedelta(days=day)
    return (audit.c.at >= since) & (audit.c.at < since + timedelta(days=1))


def _erasures(connection: Connection) -> int:
    """How many there were; they are never taken out."""
    return connection.scalar(select(func.count()).select_from(log_notes)) or 0


def _heads(connection: Connection) -> dict[str, int]:
    return {chain: seq for chain, seq in connection.execute(select(log_heads.c.chain, log_heads.c.seq))}


def _subjects_after(connection: Connection, last: Mark | None) -> Sequence[Any]:
    when = type_coerce(audit.c.at, DateTime())  # as the driver has it: a zone for each of a million takes its time
    query = select(when, audit.c.id, audit.c.subject).order_by(audit.c.at, audit.c.id).limit(READ_AT_ONCE)
    if last is not None:
        at, id = last
        query = query.where(and_(audit.c.at >= at, or_(audit.c.at > at, audit.c.id > id)))
    return connection.execute(query).all()
