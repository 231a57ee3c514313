"""Dates as mail clients write them above quoted mail, in many languages: cheap, and None when in doubt."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

# The beginnings by which each month is known, over the locales of labels.py (a dot and any ending may follow).
_MONTHS = (
    "jan gen ene led sij led янв січ ocak sau styc január tammi jaan янв",
    "feb fév fev févr úno vel лют фев şub helmi veebr lut",
    "mar mär mrt maa ožu břez марта мар бер märz maalis märts marz",
    "apr avr abr dub tra апр кві nis huhti kwi ápr aprill",
    "may mai mei maj mag svi kvě máj мая май трав toukok maggio mayıs",
    "jun giu juin lip čer июн чер haz kesä cze jún juuni",
    "jul lug juil srp čec июл лип tem heinä júl juuli",
    "aug ago aoû août kol srp авг сер ağu elo sie",
    "sep set sept ruj zář сен вер eyl syys wrz szept",
    "oct okt ott out lis říj окт жов eki loka paź",
    "nov stu lis ноя лист kas marras",
    "dec dez dic déc pro gru дек груд ara joulu joul",
)
# Where two languages disagree about a word the longer spelling decides; these come first.
_SPELLINGS = {
    1: "stycznia siječnja ocak",
    2: "veljače",
    3: "березня ožujka marca",
    4: "travnja travanj tra",
    5: "maj травня травень svibnja května",
    6: "červen červn čvn lipnja lipanj червня haziran",
    7: "červenec července čvc lip lipca srpnja srpanj липня temmuz",
    8: "srp srpna серп sierpnia kolovoza",
    9: "вересня rujna",
    10: "listopada listopad ekim",
    11: "лист листопада lis listopadu marras stu studenoga kasım",
    12: "grudnia prosinca pro prosince aralık",
}
_MONTH_OF = {_word: _number for _number, _words in _SPELLINGS.items() for _word in _words.split()}
_STEMS: dict[str, int] = {}
for _number, _words in enumerate(_MONTHS, 1):
    for _word in _words.split():
        _STEMS.setdefault(_word[:5], _number)

_ZONE = re.compile(r"(?:\b(?:GMT|UTC)\s?)?([+-])(\d\d?):?(\d\d)?\b(?!\d)")
_TIME = re.compile(r"(?<!\d)(\d{1,2})(?:\s?[:h時시]\s?|\.)(\d\d)(?:[:.分](\d\d))?(?!\d)\s*([AaPp]\.?\s?[Mm]\b)?")
_ISO = re.compile(r"(?<!\d)(\d{4})\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(?<!\d)(\d{1,2})\s?[./-]\s?(\d{1,2})\s?[./-]\s?(\d{4}|\d\d)(?!\d)")
_PARTED = re.compile(r"[-/.年년]")
"""What parts the numbers of both."""
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_WORDS = re.compile(r"(?<!\w)(\d{1,2})(?!\d)|(\d{4})(?!\d)|([^\W\d_]{3,})")


def month_of(word: str) -> int:
    """1 to 12, or 0 when the word names no month in any of the languages."""
    word = word.lower()
    if word in _MONTH_OF:
        return _MONTH_OF[word]
    for length in (5, 4, 3):
        if len(word) >= length and word[:length] in _STEMS:
            return _STEMS[word[:length]]
    return 0


def parse_quoted_date(text: str, zone: tzinfo, *, day_first: bool = True) -> datetime | None:
    """The moment that `text` names; `zone` counts where it names none; `day_first` says how to read 05/06/2025."""
    text = text.replace("\u202f", " ").replace("\u00a0", " ")[:200].strip()
    if not text:
        return None
    if text[-5:].strip("+-").isdigit() and "," in text[:6]:
        try:
            found = parsedate_to_datetime(text)
            return found if found.tzinfo else found.replace(tzinfo=zone)
        except (ValueError, TypeError, IndexError):
            pass
    day = _read_day(text, day_first)
    if day is None:
        return None
    (year, month, number), start, end = day
    clock = _TIME.search(text, end) or _TIME.search(text[:start])
    hour = minute = second = 0
    if clock is not None:
        hour, minute, second = int(clock.group(1)), int(clock.group(2)), int(clock.group(3) or 0)
        half = clock.group(4)
        if half and hour <= 12:
            hour = hour % 12 + (12 if half[0] in "pP" else 0)
        named = _ZONE.search(text, clock.end())
        if named is not None:
            offset = timedelta(hours=int(named.group(2)), minutes=int(named.group(3) or 0))
            if offset < timedelta(hours=15):
                zone = timezone(offset if named.group(1) == "+" else -offset)
    try:
        return datetime(year, month, number, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _read_day(text: str, day_first: bool) -> tuple[tuple[int, int, int], int, int] | None:
    """(year, month, day) and where they stand: the clock must not be read from the same digits."""
    parted = _PARTED.search(text) is not None
    found = _ISO.search(text) if parted else None
    if found is not None:
        return (int(found.group(1)), int(found.group(2)), int(found.group(3))), *found.span()
    found = _NUMBERS.search(text) if parted else None
    if found is not None and (len(found.group(3)) > 2 or _YEAR.search(text) is None):  # else a clock: "kl. 10.02.11"
        first, second, year = int(found.group(1)), int(found.group(2)), int(found.group(3))
        year += 0 if year > 99 else 2000 if year < 70 else 1900
        if first > 12 or (day_first and second <= 12):
            first, second = second, first
        return (year, first, second), *found.span()
    year = month = day = 0
    for number, long, word in _WORDS.findall(_TIME.sub(lambda clock: " " * len(clock.group()), text)):
        if word and (not month or not year):  # the last before the year: "mar 29 apr 2025" begins with a Tuesday
            month = month_of(word) or month
        elif number and not day:
            day = int(number)
        elif long and not year:
            year = int(long)
    return ((year, month, day), 0, 0) if year and month and day else None
