"""When: finds points in time in a text, in all languages of the lexicon, and resolves them against `now`.

Our own grammar (RE2, linear) over the words of the lexicon files. A weekday is the next one unless the sentence tells
of the past; a day and month without a year are the nearest ones; what cannot be resolved to a day is "in words".
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from gateway.reading.automaton import Captures, Pattern
from gateway.reading.phrases import fold
from gateway.reading.sentences import Prepared


class CalendarWords(BaseModel):
    """The words of time of one language, as a lexicon file gives them (`dates:`)."""

    model_config = ConfigDict(extra="forbid")
    months: dict[str, int] = {}
    weekdays: dict[str, int] = {}
    days: dict[str, int] = {}
    """today: 0, tomorrow: 1, yesterday: -1"""
    units: dict[str, str] = {}
    """minutes: minute; the values are minute, hour, day, week, month, year"""
    numbers: dict[str, int] = {}
    within: list[str] = []
    """in, within: stand before a number and a unit"""
    ago: list[str] = []
    next: list[str] = []
    last: list[str] = []
    spans: dict[str, int] = {}
    """fixed expressions and how many days from now they end: end of the week: 5"""
    at: list[str] = []
    """at, by, until, on: stand before a time of day or a bare date"""
    oclock: list[str] = []
    """pm, Uhr, o'clock: stand behind a number"""
    of: list[str] = []
    """of, de: may stand between day and month"""
    short: dict[str, int] = {}
    """Mon, lun: weekdays that are other words as well; they count behind a word of `at` or `within`, before a mark"""
    weeks: list[str] = []
    """week, KW: stand before the number of a calendar week"""
    parts: dict[str, int] = {}
    """end of: 31, mid: 15: stand before a month; the day until which that part of it lasts"""
    slashes: Literal["day-first", "unclear"] = "day-first"
    """What 5/6 is: the fifth of June, or nobody knows"""


class When(NamedTuple):
    """One point in time: offsets in the text, the day where it can be told (`value` an ISO date or "in words")."""

    start: int
    end: int
    value: str
    past: bool
    vague: bool
    """A weekday or a time of day, whose direction only the sentence can tell."""


@dataclass(frozen=True)
class Calendar:
    """The grammar of time over all languages."""

    pattern: Pattern | None = field(repr=False, default=None)
    captures: Captures | None = field(repr=False, default=None)
    """The same grammar, to tell what a match is made of."""
    months: Mapping[str, int] = field(default_factory=dict)
    weekdays: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    spans: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    last: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()
    """The words before a date of the languages in which 5/6 may be either."""

    @classmethod
    def of(cls, words: Mapping[str, CalendarWords]) -> Calendar:
        """Build the grammar from all languages' words."""
        if not words:
            return cls()
        every = list(words.values())
        months, weekdays, days = (_merged(getattr(w, name) for w in every) for name in ("months", "weekdays", "days"))
        units: dict[str, str] = {fold(k): v for w in every for k, v in w.units.items()}
        numbers, spans, short, parts = (
            _merged(getattr(w, name) for w in every) for name in ("numbers", "spans", "short", "parts")
        )
        small = ("within", "ago", "next", "last", "at", "oclock", "of", "weeks")
        within, ago, after, last, at, oclock, of, weeks = (
            _any(x for w in every for x in getattr(w, name)) for name in small
        )
        month, weekday, unit = _any(months), _any(weekdays), _any(units)
        number = rf"(?:\d{{1,3}}|{_any(numbers)})"
        only_clock = _any(word for w in every for word in w.oclock if fold(word) not in units)
        clock = rf"\d{{1,2}}(?:[:.h]\d{{2}})?\s?(?:{oclock})|\d{{1,2}}:\d{{2}}"
        ago_form = rf"(?P<ago>{number}\s(?:{unit})\s(?:{ago})|(?:{ago})\s(?:[a-z\x80-\xff]+\s)?{number}\s(?:{unit}))"
        forms = [
            r"(?P<iso>\d{4}-\d{2}-\d{2})",
            rf"(?P<dm>\d{{1,2}})(?:st|nd|rd|th|\.|º|er)?\s?(?:(?:{of})\s?)?(?P<dm_month>{month})\.?(?:,?\s(?P<dm_year>20\d\d))?",
            rf"(?P<md_month>{month})\s(?P<md>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<md_year>20\d\d))?",
            r"(?P<num_d>\d{1,2})(?P<num_s>[./-])(?P<num_m>\d{1,2})[./-](?P<num_y>20\d\d|\d\d)",
            r"(?P<de_d>\d{1,2})\.\s?(?P<de_m>\d{1,2})\.",
            rf"(?P<on>{weekday}|{_any(short)})[.,]?\s(?P<on_d>\d{{1,2}})/(?P<on_m>\d{{1,2}})",
            rf"(?P<at>{at})\s(?P<at_d>\d{{1,2}})/(?P<at_m>\d{{1,2}})",
            rf"(?P<part>{_any(parts)})[\s-](?P<part_month>{month})(?:\s(?P<part_year>20\d\d))?",
            rf"(?:{weeks})\s?(?P<week>\d{{1,2}})",
            rf"(?:{at})\s(?:the\s)?(?P<nth>\d{{1,2}})(?:st|nd|rd|th)",
            rf"(?P<span>{_any(spans)})",
            rf"(?P<in>(?:{within})\s(?:[a-z\x80-\xff']+\s)?(?P<in_n>{number})(?:\s?(?:-|–|to|bis|à|a|o|oder|or|ou)\s?{number})?\s(?:[a-z\x80-\xff]+\s)?(?P<in_u>{unit}))",
            rf"(?P<hour>\d{{1,2}}(?:[:.h]\d{{2}})?\s?(?:{only_clock}))",  # "15 Uhr an" is no French year
            rf"(?P<for_n>{number})(?:\s?(?:-|–|to|bis|à|a|o|oder|or|ou)\s?{number})?\s(?:[a-z\x80-\xff]+\s)?(?P<for_u>{unit})",
            rf"(?:(?P<wd_dir>{after}|{last})\s)?(?P<wd>{weekday})(?:\s(?P<wd_dir2>{after}|{last}))?",
            rf"(?:{at}|{within})\s(?P<short>{_any(short)})\.?",
            rf"(?P<dir>{after}|{last})\s(?P<dir_u>{unit})|(?P<dir_u2>{unit})\s(?P<dir2>{after}|{last})",
            rf"(?P<day>{_any(days)})",
            rf"(?:{at})\s(?P<time>{clock}|\d{{1,2}})",
            rf"(?P<clock>{clock})",
        ]
        lead = rf"(?:(?P<lead>{at})\s)?"
        source = rf"[^a-z0-9_/.\x80-\xff-]({ago_form}|{lead}(?:{'|'.join(forms)}))[^a-z0-9_\x80-\xff]"
        octets = source.encode()
        return cls(
            Pattern(octets),
            Captures(octets),
            months,
            weekdays | short,
            days,
            units,
            numbers,
            spans,
            parts,
            frozenset(fold(x) for w in every for x in w.last),
            frozenset(fold(x) for w in every for x in w.at if w.slashes == "unclear"),
        )

    def find(self, prepared: Prepared, now: datetime) -> tuple[When, ...]:
        """Every point in time of a text, in order. `now` is aware; days are counted in its own zone."""
        found = []
        for first, last, named in self.matches(prepared):
            resolved = self._resolve(named, now.date())
            if resolved is not None:
                value, past, vague = resolved
                found.append(When(prepared.offset(first), prepared.offset(last), value, past, vague))
        return tuple(found)

    def matches(self, prepared: Prepared) -> Iterator[tuple[int, int, Mapping[str, str]]]:
        """What the grammar finds: its place in `prepared.data` in octets, and what it is made of, by group name."""
        if self.pattern is None or self.captures is None:
            return
        data, at = prepared.data, 0
        while (span := self.pattern.find(data, at)) is not None:
            match = data[span[0] : span[1]]
            (start, end), named = self.captures.of(match)
            first, last = start + span[0], end + span[0]
            at = last  # what bounds this one may bound the next
            if named and not data[first:last].endswith(b"24/7") and ("short" not in named or _is_marked(data, last)):
                yield first, last, named

    def day_of(self, named: Mapping[str, str], today: date) -> date | None:
        """The day of a match, None where it names none or lies back."""
        resolved = self._resolve(named, today)
        if resolved is None or resolved[1] or resolved[0] == "in words":
            return None
        return date.fromisoformat(resolved[0])

    def is_unclear(self, named: Mapping[str, str]) -> bool:
        """Whether a match is a date like 5/6 in a language in which either number may be the day."""
        if named.get("at", named.get("lead", "")) not in self.unclear:
            return False
        slashed = "at_d" if "at_d" in named else "num_d" if named.get("num_s") == "/" else ""
        if not slashed:
            return False
        first, second = int(named[slashed]), int(named[f"{slashed[:-1]}m"])
        return first != second and first <= 12 and second <= 12

    def _resolve(self, g: Mapping[str, str], today: date) -> tuple[str, bool, bool] | None:
        """(value, past, vague), or None where the numbers are no date."""
        if "iso" in g:
            return _told(_day(*map(int, g["iso"].split("-"))), today)
        if "dm" in g:
            return _told(_nearest(int(g["dm"]), self.months.get(g["dm_month"], 0), g.get("dm_year"), today), today)
        if "md" in g:
            return _told(_nearest(int(g["md"]), self.months.get(g["md_month"], 0), g.get("md_year"), today), today)
        for d, m, y in (("num_d", "num_m", "num_y"), ("de_d", "de_m", ""), ("at_d", "at_m", "")):
            if d in g:
                first, second = int(g[d]), int(g[m])
                if self.is_unclear(g):
                    either = [_nearest(*numbers, g.get(y), today) for numbers in ((first, second), (second, first))]
                    return "in words", all(each is not None and each < today for each in either), False
                day, month = (second, first) if second > 12 else (first, second)
                return _told(_nearest(day, month, g.get(y), today), today)
        if "on" in g:
            numbers = int(g["on_d"]), int(g["on_m"])
            either = [_nearest(day, month, None, today) for day, month in (numbers, numbers[::-1])]
            # "Tue 12/29": its weekday tells the day from the month.
            meant = (each for each in either if each and each.weekday() == self.weekdays[g["on"]])
            return _told(next(meant, either[0] or either[1]), today)
        if "nth" in g:
            return _told(_coming(int(g["nth"]), today), today)
        if "part" in g:
            month = self.months.get(g["part_month"], 0)
            last = self.parts[g["part"]]
            length = monthrange(today.year, month)[1] if month else 0
            return _told(_nearest(min(last, length), month, g.get("part_year"), today), today)
        if "week" in g:
            return _told(_friday_of(int(g["week"]), today), today)
        if "span" in g:
            ahead = self.spans.get(g["span"], 0)
            return (today + timedelta(days=ahead)).isoformat(), ahead < 0, False
        if "ago" in g:
            return "in words", True, False
        for n, u in (("in_n", "in_u"), ("for_n", "for_u")):
            if n in g:
                days = self._count(g[n], g[u])
                told = (today + timedelta(days=days)).isoformat() if n == "in_n" and days else "in words"
                return told, False, n == "for_n"
        if "wd" in g or "short" in g:
            ahead = (self.weekdays[g.get("wd") or g["short"]] - today.weekday()) % 7 or 7
            back = (g.get("wd_dir") or g.get("wd_dir2") or "") in self.last
            return (today + timedelta(days=ahead - 7 if back else ahead)).isoformat(), back, True
        if "dir" in g or "dir2" in g:
            back = (g.get("dir") or g.get("dir2") or "") in self.last
            days = self._count("1", g.get("dir_u") or g.get("dir_u2") or "")
            return ("in words" if back else (today + timedelta(days=days)).isoformat()), back, False
        if "day" in g:
            ahead = self.days[g["day"]]
            return (today + timedelta(days=ahead)).isoformat(), ahead < 0, ahead == 0
        return today.isoformat(), False, True

    def _count(self, number: str, unit: str) -> int:
        count = int(number) if number.isdigit() else self.numbers.get(number, 1)
        return count * {"day": 1, "week": 7, "month": 30, "year": 365}.get(self.units.get(unit, ""), 0)


def _told(day: date | None, today: date) -> tuple[str, bool, bool] | None:
    return (day.isoformat(), day < today, False) if day else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nearest(day: int, month: int, year: str | None, today: date) -> date | None:
    """The day in its year; without one, the coming one, or one that lies back no more than four months."""
    if year:
        return _day(int(year) + (2000 if len(year) < 4 else 0), month, day)
    this = _day(today.year, month, day)
    if this is None:
        return None
    if (today - this).days > 120:
        return _day(today.year + 1, month, day)
    if (this - today).days > 245:
        return _day(today.year - 1, month, day)
    return this


def _coming(day: int, today: date) -> date | None:
    """The next day of that number: of this month, or else of the next month that has it."""
    if not 1 <= day <= 31:
        return None
    year, month = today.year, today.month
    while (found := _day(year, month, day)) is None or found < today:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def _friday_of(week: int, today: date) -> date | None:
    """The Friday of a calendar week (ISO 8601): of this year's, or of the next one's where it is long over."""
    for year in (today.year, today.year + 1):
        try:
            friday = date.fromisocalendar(year, week, 5)
        except ValueError:  # not every year has a week 53
            continue
        if (today - friday).days <= 60:
            return friday
    return None


def _is_marked(data: bytes, end: int) -> bool:
    """Whether a mark, a number or the end stands behind a short weekday: "am Di, 29.12.", not "el mar de"."""
    return data[end - 1 : end] == b"." or re.match(rb"[.,;:!?)(\n]|\s?\d|\s*$", data[end : end + 3]) is not None


def _merged(maps: Iterable[Mapping[str, int]]) -> dict[str, int]:
    return {fold(word): value for each in maps for word, value in each.items()}


def _any(words: Iterable[str]) -> str:
    """An alternative over words, longest first; one that never matches where there are none."""
    folded = sorted({fold(w) for w in words}, key=lambda w: (-len(w), w))
    return "|".join(re.escape(w).replace(r"\ ", r"\s") for w in folded) or r"[^\s\S]"
