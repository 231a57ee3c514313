"""Business hours and holidays: when a team works, and when a deadline falls. Pure: the time comes in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_SEARCH = 3660
"""Days that a search for working time looks ahead; a calendar without any gives plain time after that."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working week of a team in its own time zone.

    `week` has seven entries, Monday first, each a tuple of (start, end) in minutes after midnight;
    `days_off` are single dates; `country` and `region` name public holidays ("" for none).
    """

    zone: ZoneInfo
    week: tuple[tuple[tuple[int, int], ...], ...]
    days_off: frozenset[date] = frozenset()
    country: str = ""
    region: str = ""
    _public: Mapping[date, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        zone: ZoneInfo,
        week: tuple[tuple[tuple[int, int], ...], ...],
        days_off: frozenset[date] = frozenset(),
        country: str = "",
        region: str = "",
    ) -> Calendar:
        """Raises KeyError with the word at fault for a country or region that is not known."""
        public: Mapping[date, str] = {}
        if country:
            import holidays  # 0.1 s, which a site without public holidays does not pay

            kind = getattr(holidays, country, None) if re.fullmatch("[A-Z]{2}", country) else None
            if kind is None:
                raise KeyError(country)
            if region and region not in kind.subdivisions:
                raise KeyError(region)
            public = holidays.country_holidays(country, subdiv=region or None)
        return cls(zone, week, days_off, country, region, public)

    def is_holiday(self, day: date) -> bool:
        return day in self.days_off or day in self._public

    def is_open(self, at: datetime) -> bool:
        """True within business hours. `at` is aware."""
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return not self.is_holiday(local.date()) and any(a <= minute < b for a, b in self.week[local.weekday()])

    def after(self, start: datetime, work: timedelta) -> datetime:
        """The moment when `work` of business time has passed since `start` (aware), in the calendar's zone.

        Time outside business hours does not count, so a deadline of two hours that is set on Friday evening falls on
        Monday. A week without any business hours counts plain time.
        """
        if not any(self.week):
            return start.astimezone(self.zone) + work
        local, left = start.astimezone(self.zone), work
        day = local.date()
        for _ in range(LONGEST_SEARCH):
            for begin, end in () if self.is_holiday(day) else self.week[day.weekday()]:
                opens, closes = self._moment(day, begin), self._moment(day, end)
                opens = max(opens, local)
                # Differences are taken in UTC, so that a change of summer time counts as what it is.
                span = timedelta(seconds=max(0.0, closes.timestamp() - opens.timestamp()))
                if span > timedelta(0) and left <= span:
                    return datetime.fromtimestamp(opens.timestamp() + left.total_seconds(), self.zone)
                left -= span
            day += timedelta(days=1)
        return local + work

    def before(self, end: datetime, work: timedelta) -> datetime:
        """The moment from which `work` of business time is left until `end` (aware), in the calendar's zone.

        A week without any business hours counts plain time.
        """
        if not any(self.week):
            return end.astimezone(self.zone) - work
        local, left = end.astimezone(self.zone), work
        day = local.date()
        for _ in range(LONGEST_SEARCH):
            for begin, close in () if self.is_holiday(day) else reversed(self.week[day.weekday()]):
                opens, closes = self._moment(day, begin), min(self._moment(day, close), local)
                span = timedelta(seconds=max(0.0, closes.timestamp() - opens.timestamp()))
                if span > timedelta(0) and left <= span:
                    return datetime.fromtimestamp(closes.timestamp() - left.total_seconds(), self.zone)
                left -= span
            day -= timedelta(days=1)
        return local - work

    def closing(self, day: date) -> datetime | None:
        """When the business of a day ends; None on a day without any."""
        hours = () if self.is_holiday(day) else self.week[day.weekday()]
        return self._moment(day, max(end for _, end in hours)) if hours else None

    def end(self, at: datetime) -> datetime:
        """When the business hours of this day are over; of a day without any, or after them, those of the next day.

        A week without any business hours ends its days at midnight.
        """
        local = at.astimezone(self.zone)
        day = local.date()
        for _ in range(LONGEST_SEARCH if any(self.week) else 0):
            if (closes := self.closing(day)) is not None and closes > local:
                return closes
            day += timedelta(days=1)
        return self._moment(local.date() + timedelta(days=1), 0)

    def _moment(self, day: date, minute: int) -> datetime:
        midnight = datetime.combine(day, time(0), self.zone)
        return midnight + timedelta(minutes=minute)
