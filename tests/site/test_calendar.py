"""Business hours: deadlines fall into them, and never on weekends, holidays or into the night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.site.calendar import Calendar

BRUSSELS = ZoneInfo("Europe/Brussels")
NINE_TO_FIVE = (((540, 1020),),) * 5 + ((), ())
WEEK = Calendar.of(BRUSSELS, NINE_TO_FIVE, frozenset({date(2026, 12, 24)}), "BE")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-27T10:00", 2, "2026-11-27T12:00"),
        ("2026-11-27T16:00", 2, "2026-11-30T10:00"),  # Friday afternoon: Monday morning
        ("2026-11-28T12:00", 8, "2026-11-30T17:00"),  # a whole day, from a Saturday
        ("2026-12-23T16:30", 1, "2026-12-28T09:30"),  # the 24th is off, the 25th public, then a weekend
        ("2026-10-23T16:00", 2, "2026-10-26T10:00"),  # over the end of summer time
        ("2026-11-30T03:00", 0, "2026-11-30T09:00"),
    ],
)
def test_deadlines(start: str, hours: float, end: str) -> None:
    assert WEEK.after(at(start), timedelta(hours=hours)) == at(end)


def test_a_start_in_another_zone_counts_in_the_calendars() -> None:
    assert WEEK.after(datetime(2026, 11, 27, 15, 0, tzinfo=UTC), timedelta(hours=2)) == at("2026-11-30T10:00")


def test_open_hours() -> None:
    assert WEEK.is_open(at("2026-11-27T09:00")) and WEEK.is_open(at("2026-11-27T16:59"))
    assert not WEEK.is_open(at("2026-11-27T17:00")) and not WEEK.is_open(at("2026-11-28T10:00"))
    assert not WEEK.is_open(at("2026-12-24T10:00")) and not WEEK.is_open(at("2026-12-25T10:00"))


def test_a_week_without_hours_counts_plain_time() -> None:
    empty = Calendar.of(BRUSSELS, ((),) * 7)
    assert empty.after(at("2026-11-27T10:00"), timedelta(hours=2)) == at("2026-11-27T12:00")


def test_the_night_summer_time_ends_is_an_hour_longer() -> None:
    always = Calendar.of(BRUSSELS, (((0, 1440),),) * 7)
    assert always.after(at("2026-10-25T00:00"), timedelta(hours=24)) == at("2026-10-25T23:00")


@pytest.mark.parametrize(("country", "region"), [("XX", ""), ("Belgium", ""), ("DE", "XX"), ("os", "")])
def test_unknown_countries_are_named(country: str, region: str) -> None:
    with pytest.raises(KeyError, match=region or country):
        Calendar.of(BRUSSELS, NINE_TO_FIVE, country=country, region=region)
