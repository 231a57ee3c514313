"""An admin's order that all mail passes unread, and the file that keeps it where the database cannot be reached."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

LONGEST = timedelta(days=7)
"""A bypass never lasts longer: by then whatever was broken is mended, or the service is switched off for good."""

MAX_OCTETS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """On until a time (aware), or off (`until` is None). The newest order counts, wherever it is written down."""

    id: str
    at: datetime
    until: datetime | None
    why: str
    by: str

    def on(self, now: datetime) -> bool:
        return self.until is not None and now < self.until

    @property
    def state(self) -> str:
        return "off" if self.until is None else "on"


def new_order(now: datetime, length: timedelta | None, why: str, by: str) -> Order:
    """An order of this moment; `length` None switches off."""
    until = None if length is None else now + min(length, LONGEST)
    return Order(secrets.token_hex(8), now, until, why, by)


def newest(*orders: Order | None) -> Order | None:
    return max((order for order in orders if order is not None), key=lambda order: (order.at, order.id), default=None)


def file_of(state: Path) -> Path:
    """Where the last order stands in a state folder."""
    return state / "bypass.json"


def write_order(state: Path, order: Order) -> None:
    """Put an order into the state folder, readable for whoever owns that. Raises OSError."""
    until = order.until.isoformat() if order.until else None
    told = {"id": order.id, "at": order.at.isoformat(), "until": until, "why": order.why, "by": order.by}
    fresh = state / f"bypass.json.{order.id}"
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            owner = state.stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)  # or the gateway could not read it
            json.dump(told, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(file_of(state))
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def read_order(state: Path) -> Order | None:
    """The order in a state folder; None without one. Raises OSError, and ValueError for a file that says nothing."""
    try:
        with file_of(state).open("rb") as file:
            told = json.loads(file.read(MAX_OCTETS))
    except FileNotFoundError:
        return None
    try:
        until = None if told["until"] is None else datetime.fromisoformat(told["until"])
        order = Order(str(told["id"]), datetime.fromisoformat(told["at"]), until, str(told["why"]), str(told["by"]))
        if order.at.tzinfo is None or (until is not None and not order.at < until <= order.at + LONGEST):
            raise ValueError("a time that no order has")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no order") from error
    return order
