"""Accounts of the console and their sessions. Everything here blocks: for commands, and for threads of the console.

What is changed stands in the history of the log, in the same transaction, with who did it and from where (`origin`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection, Row

from gateway.store import audit, budget, chains
from gateway.store.base import Base
from gateway.store.console_schema import console_accounts, console_sessions, hold_claims
from gateway.store.crypto import CannotOpen
from gateway.store.errors import StoreAway
from gateway.store.schema import audit_events
from gateway.store.standing import account_digest, powers

Role = Literal["auditor", "reviewer", "admin"]
ROLES: tuple[Role, ...] = ("auditor", "reviewer", "admin")

ALL_TEAMS = "*"

CONSOLE = "console"
"""What stands for a mail's id in the history of log-ins, searches and exports."""

CLAIMED = timedelta(minutes=30)
"""How long somebody who said "I look after this" is believed to."""

SEEN_AGAIN = timedelta(seconds=30)
"""How exactly a session knows when it was last used: not every click is a write."""


def account_subject(name: str) -> str:
    """What stands for a mail's id in the history of an account."""
    return f"account/{name}"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in. `teams`: those whose held mail a reviewer settles, ALL_TEAMS for every one; `password`
    is argon2's own notation; `has_code`: a one-time code is asked for too."""

    name: str
    shown: str
    address: str
    role: Role
    teams: tuple[str, ...]
    at: datetime
    password: str = ""
    has_code: bool = False
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in; `csrf` must come back with every form."""

    id: str
    account: Account
    csrf: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HoldClaim:
    """Somebody looks after a held mail since `at`."""

    hold_id: str
    by: str
    at: datetime


def session_id(cookie: str) -> str:
    """What the store knows a cookie by: whoever reads the database cannot log in with it."""
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()


class Accounts(Base):
    """Who may see the console."""

    # --- accounts --------------------------------------------------------------------------------------------------

    def accounts(self) -> list[Account]:
        """All, by name."""
        query = select(console_accounts).order_by(console_accounts.c.name)
        return self._read(lambda connection: [_account(row) for row in connection.execute(query)])

    def account(self, name: str) -> Account | None:
        """The account of this name."""
        query = select(console_accounts).where(console_accounts.c.name == name)
        row = self._read(lambda connection: connection.execute(query).first())
        return _account(row) if row is not None else None

    def add_account(self, account: Account, by: str, origin: str) -> bool:
        """False when the name is taken."""

        def work(connection: Connection) -> bool:
            budget.stand_in_line(connection)
            if connection.scalar(select(console_accounts.c.name).where(console_accounts.c.name == account.name)):
                return False
            row = {
                "name": account.name, "shown": account.shown, "address": account.address, "role": account.role,
                "teams": list(account.teams), "password": account.password, "totp": None, "totp_used": 0,
                "at": account.at,
            }  # fmt: skip
            connection.execute(insert(console_accounts), row)
            self._note(
                connection, account_subject(account.name), "account-added", powers(account.role, account.teams), by,
                account.at, origin,
            )  # fmt: skip
            self._bind(connection, account.name, account.at)
            return True

        return self._writer.run_now(work)

    def change_account(self, name: str, role: Role, teams: Iterable[str], by: str, now: datetime, origin: str) -> bool:
        """Give another role or other teams; whoever is logged in under it has to do it again. False when there is no
        such account, or nobody would be an admin any more."""

        def work(connection: Connection) -> bool:
            budget.stand_in_line(connection)
            if not _others_remain(connection, name, role):
                return False
            here = console_accounts.c.name == name
            values: dict[str, Any] = {"role": role, "teams": list(teams)}
            if connection.execute(update(console_accounts).where(here).values(values)).rowcount != 1:
                return False
            _end_sessions(connection, name)
            said = powers(role, values["teams"])
            self._note(connection, account_subject(name), "account-changed", said, by, now, origin)
            self._bind(connection, name, now)
            return True

        return self._writer.run_now(work)

    def set_password(self, name: str, password: str, by: str, now: datetime, origin: str, *, keep: str = "") -> bool:
        """Set the hash of a new password, and end every session but `keep`."""

        def work(connection: Connection) -> bool:
            here = console_accounts.c.name == name
            if connection.execute(update(console_accounts).where(here).values(password=password)).rowcount != 1:
                return False
            _end_sessions(connection, name, keep=keep)
            self._note(connection, account_subject(name), "password-set", "", by, now, origin)
            self._bind(connection, name, now)
            return True

        return self._writer.run_now(work)

    def set_code(self, name: str, secret: bytes | None, by: str, now: datetime, origin: str, *, step: int = 0) -> bool:
        """Ask for one-time codes of this secret from now on (None: for none); `step` is the one that was just used."""
        sealed = self._sealer.seal(secret, f"totp:{name}") if secret is not None else None

        def work(connection: Connection) -> bool:
            here = update(console_accounts).where(console_accounts.c.name == name)
            if connection.execute(here.values(totp=sealed, totp_used=step)).rowcount != 1:
                return False
            word = "code-set" if secret is not None else "code-removed"
            self._note(connection, account_subject(name), word, "", by, now, origin)
            self._bind(connection, name, now)
            return True

        return self._writer.run_now(work)

    def code_secret(self, name: str) -> bytes | None:
        """The secret of the one-time codes; None where none are asked for. Raises StoreAway without its key."""
        query = select(console_accounts.c.totp).where(console_accounts.c.name == name)
        sealed = self._read(lambda connection: connection.scalar(query))
        if sealed is None:
            return None
        try:
            return self._sealer.open(bytes(sealed), f"totp:{name}")
        except CannotOpen as error:
            raise StoreAway(str(error)) from error

    def use_code(self, name: str, step: int) -> bool:
        """Use a time step up (RFC 6238 §5.2: each code serves once). False when it, or a later one, was used."""
        fresh = (console_accounts.c.name == name) & (console_accounts.c.totp_used < step)
        used = update(console_accounts).where(fresh).values(totp_used=step)
        return self._writer.run_now(lambda connection: connection.execute(used).rowcount == 1)

    def remove_account(self, name: str, by: str, now: datetime, origin: str) -> bool:
        """False when there is no such account, or it is the last admin's."""

        def work(connection: Connection) -> bool:
            budget.stand_in_line(connection)
            if not _others_remain(connection, name, None):
                return False
            _end_sessions(connection, name)
            gone = connection.execute(delete(console_accounts).where(console_accounts.c.name == name)).rowcount == 1
            if gone:
                self._note(connection, account_subject(name), "account-removed", "", by, now, origin)
            return gone

        return self._writer.run_now(work)

    # --- sessions --------------------------------------------------------------------------------------------------

    def begin_session(self, account: str, now: datetime, origin: str, *, before: str = "", how: str = "") -> str:
        """A fresh session; the cookie that opens it. The session of the cookie `before` ends: nobody can have prepared
        the one that is logged in (session fixation). `how`: by what other way than a password."""
        cookie = secrets.token_urlsafe(32)
        csrf = self._sealer.tag(_session(cookie, account, now))
        row = {"id": session_id(cookie), "account": account, "csrf": csrf, "at": now, "seen_at": now}

        def work(connection: Connection) -> None:
            if before:
                connection.execute(delete(console_sessions).where(console_sessions.c.id == session_id(before)))
            connection.execute(insert(console_sessions), row)
            connection.execute(update(console_accounts).where(console_accounts.c.name == account).values(seen_at=now))
            self._note(connection, CONSOLE, "log-in", how, account, now, origin)

        self._writer.run_now(work)
        return cookie

    def session(self, cookie: str, now: datetime, idle: timedelta, most: timedelta) -> Session | None:
        """The session of a cookie, if it was used within `idle` and is not older than `most`."""
        wanted = session_id(cookie)
        query = (
            select(
                console_sessions.c.csrf,
                console_sessions.c.at.label("began"),
                console_sessions.c.seen_at.label("used"),
                console_accounts,
            )
            .join(console_accounts, console_accounts.c.name == console_sessions.c.account)
            .where(console_sessions.c.id == wanted)
        )  # fmt: skip
        row = self._read(lambda connection: connection.execute(query).first())
        if row is None or row.used <= now - idle or row.began <= now - most:
            return None
        if not self._sealer.is_tag(row.csrf, _session(cookie, row.name, row.began)):
            return None  # a row that somebody with the database and without the key has put there, or changed
        if row.used <= now - SEEN_AGAIN:
            again = update(console_sessions).where(console_sessions.c.id == wanted).values(seen_at=now)
            self._writer.run_now(lambda connection: connection.execute(again))
        return Session(wanted, _account(row), row.csrf, row.began)

    def seal_cookie(self, body: bytes, name: str) -> str:
        """What a browser is to keep and bring back unread and unchanged; every console of this store can open it."""
        return base64.urlsafe_b64encode(self._sealer.seal(body, f"cookie:{name}")).decode("ascii")

    def open_cookie(self, cookie: str, name: str) -> bytes | None:
        """The same again; None where it is none of ours."""
        try:
            return self._sealer.open(base64.urlsafe_b64decode(cookie), f"cookie:{name}")
        except (CannotOpen, ValueError):
            return None

    def end_session(self, session: Session, now: datetime, origin: str) -> None:
        """Log out."""

        def work(connection: Connection) -> None:
            connection.execute(delete(console_sessions).where(console_sessions.c.id == session.id))
            self._note(connection, CONSOLE, "log-out", "", session.account.name, now, origin)

        self._writer.run_now(work)

    def sweep_sessions(self, now: datetime, idle: timedelta, most: timedelta) -> int:
        """Remove what has expired."""
        old = (console_sessions.c.seen_at <= now - idle) | (console_sessions.c.at <= now - most)
        return self._writer.run_now(lambda connection: connection.execute(delete(console_sessions).where(old)).rowcount)

    def same_csrf(self, session: Session, given: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(session.csrf.encode(), given.encode("utf-8", "surrogatepass"))

    # --- what people did -------------------------------------------------------------------------------------------

    def note(self, subject: str, outcome: str, detail: str, by: str, now: datetime, origin: str) -> None:
        """Write down what somebody did at the console, and from where; `subject` is the id of a mail, or CONSOLE."""
        self._writer.run_now(lambda connection: self._note(connection, subject, outcome, detail, by, now, origin))

    def noted(self, subject: str, limit: int) -> list[tuple[datetime, str, str, str, str]]:
        """(when, what, detail, by, from where), the newest first."""
        columns = (
            audit_events.c.at, audit_events.c.outcome, audit_events.c.detail, audit_events.c.by, audit_events.c.origin,
        )  # fmt: skip
        query = select(*columns).where(audit_events.c.mail_id == subject, audit_events.c.outcome.not_in(audit.UNSHOWN))
        query = query.order_by(audit_events.c.id.desc())
        return self._read(lambda connection: [tuple(row) for row in connection.execute(query.limit(limit))])  # type: ignore[misc]

    def _note(
        self, connection: Connection, subject: str, outcome: str, detail: str, by: str, now: datetime, origin: str
    ) -> None:
        audit.add_events(connection, [audit.Event(subject, now, outcome, detail, by, origin)], self.run_id, self.origin)

    def _bind(self, connection: Connection, name: str, now: datetime) -> None:
        """What makes the account is in the log as a digest, so that who edits the table is seen."""
        row = connection.execute(select(console_accounts).where(console_accounts.c.name == name)).one()
        event = audit.Event(account_subject(name), now, "bound", account_digest(row))
        audit.add_events(connection, [event], self.run_id, self.origin)

    # --- who looks after a held mail -------------------------------------------------------------------------------

    def claim_hold(self, hold_id: str, by: str, now: datetime, origin: str, *, over: str = "") -> HoldClaim:
        """Say that `by` looks after a held mail; whoever was first keeps it, unless it is `over` taken from them.
        Gives who has it now."""

        def work(connection: Connection) -> HoldClaim:
            budget.stand_in_line(connection)
            found = _claim(connection, hold_id, now)
            if found is not None and found.by not in (by, over):
                return found
            connection.execute(delete(hold_claims).where(hold_claims.c.hold_id == hold_id))
            connection.execute(insert(hold_claims), {"hold_id": hold_id, "by": by, "at": now})
            if found is None or found.by != by:
                detail = f"from {found.by}" if found is not None else ""
                self._note(connection, hold_id, "claimed", detail, by, now, origin)
            return HoldClaim(hold_id, by, now)

        return self._writer.run_now(work)

    def unclaim_hold(self, hold_id: str, by: str, now: datetime, origin: str) -> bool:
        """No longer look after it. False when somebody else does, or nobody."""
        mine = (hold_claims.c.hold_id == hold_id) & (hold_claims.c.by == by)

        def work(connection: Connection) -> bool:
            if connection.execute(delete(hold_claims).where(mine)).rowcount != 1:
                return False
            self._note(connection, hold_id, "unclaimed", "", by, now, origin)
            return True

        return self._writer.run_now(work)

    def hold_claims(self, now: datetime) -> dict[str, HoldClaim]:
        """Who looks after what, by the id of the held mail."""
        query = select(hold_claims).where(hold_claims.c.at > now - CLAIMED)
        rows = self._read(lambda connection: connection.execute(query).all())
        return {row.hold_id: HoldClaim(row.hold_id, row.by, row.at) for row in rows}


def _claim(connection: Connection, hold_id: str, now: datetime) -> HoldClaim | None:
    query = select(hold_claims).where(hold_claims.c.hold_id == hold_id, hold_claims.c.at > now - CLAIMED)
    row = connection.execute(query).first()
    return HoldClaim(row.hold_id, row.by, row.at) if row is not None else None


def _others_remain(connection: Connection, name: str, role: Role | None) -> bool:
    """Whether there is still an admin once `name` has this role (None: is gone)."""
    if role == "admin":
        return True
    admins = select(func.count()).select_from(console_accounts).where(console_accounts.c.role == "admin")
    mine = select(console_accounts.c.role).where(console_accounts.c.name == name)
    if connection.scalar(mine) != "admin":
        return True
    return bool(connection.scalar(admins.where(console_accounts.c.name != name)))


def _end_sessions(connection: Connection, name: str, *, keep: str = "") -> None:
    theirs = (console_sessions.c.account == name) & (console_sessions.c.id != keep)
    connection.execute(delete(console_sessions).where(theirs))


def _session(cookie: str, account: str, began: datetime) -> str:
    """What a session is bound to: whose browser it is, whose account, and since when."""
    return f"session\0{cookie}\0{account}\0{chains.plain_time(began)}"


def _account(row: Row[Any]) -> Account:
    return Account(
        row.name, row.shown, row.address, row.role, tuple(row.teams), row.at, row.password, row.totp is not None,
        row.seen_at,
    )  # fmt: skip
