"""The store, and what settles holds, as commands open them: beside a running gateway, without being one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.commands.shown import here, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.settling import Settling
    from gateway.store.store import Store


@contextmanager
def open_store(settings: Settings, origin: str = "") -> Iterator[Store]:
    """The store of a gateway that has run before, with its key: what is written here is read by that gateway. `origin`
    says who works with it, where that is no command that is run once. Exits 2 where either is not there, and where the
    store needs `db upgrade`."""
    from gateway.store.crypto import KeyUnusable, load_key
    from gateway.store.keys import WrongKey
    from gateway.store.store import Store

    if not settings.database and not (settings.state / "gateway.db").exists():
        user_error(
            f"there is no database in {settings.state}",
            "--state with the folder that serve uses (or --settings with its settings file)",
        )
    try:
        key = load_key(settings.key_file, state=settings.state)
    except KeyUnusable as unusable:
        user_error(str(unusable))
    password = settings.secret("database_password")
    store = Store.open(settings.database_url, key, password=password, create=False, origin=origin or here())
    try:
        if not store.is_current():
            user_error("the database is of another version", "referral-gateway db upgrade")
        try:
            store.check_key()
        except WrongKey as wrong:
            user_error(f"{settings.key_file}: {wrong}")
        yield store
    finally:
        store.close_now()


def open_settling(settings: Settings, store: Store) -> Settling:
    """What settles holds, with the same files as `serve`. Raises BadFiles."""
    import structlog

    from gateway.assembly import hold_key, letters_of, memory_key
    from gateway.commands.serve import STANDARD_ERROR
    from gateway.rules import Rules
    from gateway.service import files_of
    from gateway.settling import Settling

    # What it has to say goes to the person at the keyboard only when it is a warning.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(STANDARD_ERROR),
    )
    rules = Rules(lambda: files_of(settings), judging=settings.site is not None, key=memory_key(hold_key(settings)))
    return Settling(rules, store, letters_of(settings, rules))
