"""What goes wrong between the gateway and its database, in the three ways that callers tell apart.

Whatever is raised, nothing of the operation was written, with one exception: a commit whose answer was lost (the
database server went away at that moment, or the caller's time ran out while the commit was under way) may have been.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc


class StoreAway(Exception):
    """The store could not do it now: locked, unreachable, unwritable, gone, not upgraded, or overrun. Mail gets 451."""


class StoreFull(StoreAway):
    """The disk or the database is full. Mail gets 452."""


class StoreRefused(StoreAway):
    """The database refused this one row (a second row with the same id, a value it cannot hold). Others are fine."""


class ClaimLost(StoreAway):
    """The lease of this claim ran out and somebody else has the hold now: the caller must not send it."""


class Ambiguous(LookupError):
    """A prefix that fits several ids; `ids` are some of them."""

    def __init__(self, prefix: str, ids: tuple[str, ...]) -> None:
        super().__init__(f"{prefix} fits several: {', '.join(ids)}")
        self.ids = ids


class Unknown(LookupError):
    """There is no such row."""


Told = StoreAway | Ambiguous | Unknown


def translate(error: BaseException) -> Told:
    """The error of the store that stands for `error`. Whatever goes wrong down here becomes one of ours, so that after
    the upstream's 250 a caller has one exception to catch."""
    if isinstance(error, (StoreAway, Ambiguous, Unknown)):
        return error
    cause = error.orig if isinstance(error, exc.StatementError) and error.orig is not None else error
    words = " ".join(str(cause).split()) or type(cause).__name__
    if _is_full(cause):
        return StoreFull(words)
    away = isinstance(error, (exc.SQLAlchemyError, sqlite3.Error, OSError)) and not _is_about_the_row(error)
    return StoreAway(words) if away else StoreRefused(words)


def _is_full(cause: BaseException) -> bool:
    if isinstance(cause, OSError):
        return cause.errno in (errno.ENOSPC, errno.EDQUOT)
    code = getattr(cause, "sqlite_errorcode", None)
    return code == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", None) == "53100"  # disk_full


def _is_about_the_row(error: BaseException) -> bool:
    """A duplicate, a value that does not fit, a value that could not be made ready for the statement."""
    if isinstance(error, exc.DBAPIError):
        return isinstance(error, (exc.IntegrityError, exc.DataError))
    return isinstance(error, exc.StatementError)


@contextmanager
def told() -> Iterator[None]:
    """Raise whatever goes wrong inside as errors of the store."""
    try:
        yield
    except Exception as error:
        ours = translate(error)
        if ours is error:
            raise
        raise ours from error
