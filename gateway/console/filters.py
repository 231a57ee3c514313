"""The filters of the log as they stand in an address. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.console.names import DISPOSITIONS
from gateway.store.looking import Filters, Mark

NAMES = ("person", "subject", "policy", "disposition", "team", "from", "to", "override")


@dataclass(frozen=True, slots=True)
class WrongFilter(Exception):
    """A filter that cannot be: its field, and what was written there."""

    field: str
    value: str


def read_filters(given: Mapping[str, str], zone: tzinfo, within: tuple[str, ...] | None) -> Filters:
    """Days are those of the site's zone; "to" is the last day that counts. Raises WrongFilter."""
    said = {name: given.get(name, "").strip()[:300] for name in NAMES}
    if said["disposition"] not in ("", *DISPOSITIONS):
        raise WrongFilter("disposition", said["disposition"])
    if said["person"].startswith("@"):  # every row would have to be read
        raise WrongFilter("person", said["person"])
    if said["override"] not in ("", "1"):
        raise WrongFilter("override", said["override"])
    since, until = _day("from", said["from"], zone), _day("to", said["to"], zone)
    if since is not None and until is not None and until < since:
        raise WrongFilter("to", said["to"])
    if until is not None:
        until = _midnight(until.astimezone(zone).date() + timedelta(days=1), zone)
    return Filters(
        person=said["person"],
        subject=said["subject"],
        policy=said["policy"],
        disposition=said["disposition"],
        team=said["team"],
        since=since,
        until=until,
        override=bool(said["override"]),
        within=within,
    )


def _day(field: str, text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        day = date.fromisoformat(text)
        if not 1990 <= day.year <= 2200:
            raise ValueError
        return _midnight(day, zone)
    except ValueError:
        raise WrongFilter(field, text) from None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def write_mark(mark: Mark) -> str:
    """A place in the log, for an address."""
    return f"{mark[0].astimezone(UTC).strftime('%Y%m%dT%H%M%S.%f')}~{mark[1]}"


def read_mark(text: str, field: str) -> Mark | None:
    """Raises WrongFilter."""
    if not text:
        return None
    when, _, id = text.partition("~")
    try:
        if not id or not id.isascii() or len(id) > 200:
            raise ValueError
        return datetime.strptime(when, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), id
    except ValueError:
        raise WrongFilter(field, text[:80]) from None
