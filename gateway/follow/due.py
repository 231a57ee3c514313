"""When a promise falls due: the words of a date, as the end of the time that they name, in the working time of a team.

"By Friday" ends with Friday's business, "at 3 pm" at that minute, "in two hours" two hours on; "soon" names no time.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

from gateway.reading.dates import Calendar as Grammar
from gateway.reading.sentences import prepare
from gateway.site.calendar import Calendar

MOST_PIECES = 8
"""Pieces of evidence that are looked at."""
FARTHEST = timedelta(days=400)
"""Beyond this a date is a slip of the pen or the reading's."""

_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s?([ap])?")
_HALF_OF_DAY = re.compile(r"\d\s?([ap])\.?m\b")
_RANGE = re.compile(r"\d{1,3}\s?(?:-|–|to|bis|tot|à|a|o|oder|of|or|ou)\s?(\d{1,3})\b")
_HOURS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_HALF = re.compile(r"\b(?:half|halbe\w*|demi|media|mezz\w*|meia)\b")
_SEASON = 90
"""Days ahead from which a time of the grammar ("by Christmas", "next spring") has no clear end."""
_WEEK_ENDS = 4
"""Friday: what "the end of the week" means to people who work."""


def due_of(value: str, pieces: Iterable[str], at: datetime, calendar: Calendar, grammar: Grammar) -> datetime | None:
    """When what was promised at `at` (aware) is due, in the calendar's zone; None where no time is named ("soon").

    `value` and `pieces` are the fact `eta`: an ISO date or "in words", and the words in which it was said.
    """
    now = at.astimezone(calendar.zone)
    wanted = _iso(value)
    named = [
        each
        for piece in _joined(list(pieces)[:MOST_PIECES], grammar)
        for each in _moments(piece, now, calendar, grammar)
    ]
    found = [(each, day) for each, day in named if each is None or now < each <= now + FARTHEST]
    for each, day in found:
        if wanted is None or wanted in (day, each.date() if each else None):
            return each
    if wanted is not None:
        end = _end_of(wanted, calendar)
        return end if now < end <= now + FARTHEST else None
    return None


def _joined(pieces: list[str], grammar: Grammar) -> list[str]:
    """A day and the time of day behind it are one piece of evidence: "by Wednesday", "at 3 pm"."""
    joined: list[str] = []
    timed = True
    for piece in pieces:
        found = [named for _, _, named in grammar.matches(prepare(piece))]
        clock = bool(found) and all(map(_clock_in, found))
        if clock and not timed:
            joined[-1] += f" {piece}"
        else:
            joined.append(piece)
        timed = clock or not found or any(map(_clock_in, found))
    return joined


def _moments(
    piece: str, now: datetime, calendar: Calendar, grammar: Grammar
) -> Iterable[tuple[datetime | None, date | None]]:
    """The ends of the times that a piece of evidence names, each with the day that the grammar gives for it; None for a
    time that has no clear end ("by Christmas"). A time of day belongs to the day beside it."""
    prepared = prepare(piece)
    days: list[tuple[date | None, date | None]] = []
    clocks: list[tuple[int, int, bool]] = []
    weekday = False
    for first, last, named in grammar.matches(prepared):
        text = prepared.data[first:last].decode("utf-8", "replace")
        span = _span(named, text, grammar)
        if span is not None:
            yield now + span, None
            continue
        if clock := _clock_in(named):
            if (minute := _minute(clock, text)) is not None:
                clocks.append(minute)
            continue
        if "for_n" in named:
            continue
        day = grammar.day_of(named, now.date())
        if day is not None:
            called = "wd" in named or "short" in named
            if weekday and days[-1][1] is not None and not called and days[-1][1].weekday() == day.weekday():
                days.pop()  # "Tuesday 29 December" is one day, and the date tells which
            weekday = called
            days.append((_last_day(day, named, now.date(), grammar), day))
    if clocks:
        until, day = days[0] if days else (None, None)
        yield _at_clock(until, clocks[0], now, calendar), day
        days = days[1:]
    for until, day in days:
        yield (_end_of(until, calendar) if until else None), day


def _clock_in(named: Mapping[str, str]) -> str:
    """The time of day of a match, "" where it has none."""
    return named.get("time") or named.get("hour") or named.get("clock") or ""


def _span(named: Mapping[str, str], text: str, grammar: Grammar) -> timedelta | None:
    """ "in two hours", "within 30 minutes"; of "2-3 hours" the longer."""
    for number, unit in (("in_n", "in_u"), ("for_n", "for_u")):
        length = _HOURS.get(grammar.units.get(named.get(unit, ""), "")) if number in named else None
        if length is None:
            continue
        said = named[number]
        if longer := _RANGE.search(text):
            return int(longer[1]) * length
        if _HALF.search(text):
            return length / 2
        return (int(said) if said.isdigit() else grammar.numbers.get(said, 1)) * length
    return None


def _last_day(day: date, named: Mapping[str, str], today: date, grammar: Grammar) -> date | None:
    """The last day of the time that `day` stands for, None where nobody could say which that is. "Next week" is kept
    until its Friday, and "the end of the month" is this month's."""
    monday = today - timedelta(days=today.weekday())
    ahead = grammar.spans.get(named.get("span", ""))
    if ahead is not None:
        match ahead:
            case 5:  # the end of this week, or of the next on its last day
                return today + timedelta(days=(_WEEK_ENDS - today.weekday()) % 7)
            case 12:
                return monday + timedelta(days=7 + _WEEK_ENDS)
            case 30:
                return _month_end(today)
            case 60:
                return _month_end(_month_end(today) + timedelta(days=1))
        return None if ahead >= _SEASON else day
    match grammar.units.get(named.get("dir_u") or named.get("dir_u2") or ""):
        case "week":
            return monday + timedelta(days=7 + _WEEK_ENDS)
        case "month":
            return _month_end(_month_end(today) + timedelta(days=1))
        case "year":
            return None
    return day


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _minute(clock: str, text: str) -> tuple[int, int, bool] | None:
    """(hour, minute, whether it is certain which half of the day)."""
    found = _CLOCK.search(clock)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    half = _HALF_OF_DAY.search(text)
    if half is not None:
        hour = hour % 12 + (12 if half[1] == "p" else 0)
    if hour > 23 or minute > 59:
        return None
    return hour, minute, half is not None or hour > 12 or found[2] is not None


def _at_clock(day: date | None, clock: tuple[int, int, bool], now: datetime, calendar: Calendar) -> datetime:
    """That time on that day; without a day, the next time that the clock shows it. "At 3" is within business hours
    where one of its two meanings is."""
    hour, minute, certain = clock
    on = day or now.date()
    moment = datetime.combine(on, time(hour, minute), calendar.zone)
    if not certain and hour < 12 and not calendar.is_open(moment) and calendar.is_open(moment + timedelta(hours=12)):
        moment += timedelta(hours=12)
    while day is None and moment <= now:
        moment += timedelta(hours=12 if not certain and hour < 12 else 24)
    return moment


def _end_of(day: date, calendar: Calendar) -> datetime:
    """The end of business; of a day on which nobody works, the end of the day itself."""
    return calendar.closing(day) or datetime.combine(day, time(23, 59), calendar.zone)


def _iso(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
