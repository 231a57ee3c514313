"""One line: a header block whose fields stand on one line, as Yahoo and text made from HTML tables have it."""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.mail.heads import DATEISH, ENDS, Found, is_name
from gateway.mail.labels import LABELS
from gateway.mail.lines import Line
from gateway.mail.people import parse_person

_LONGEST = 4000
_FROM = re.compile(r"[\s*_>]*([^\s:\uff1a*_<>@\d][^:\uff1a<>@\d]{0,24}?)[\s\u00a0*_]*[:\uff1a]")


def read_one_line(line: Line, at: int, text: str = "", *, sure: bool = False) -> Found | None:
    """The block on the line `at` ("From: Jill <jill@x>To: IT <it@x>Sent: …Subject: …"), or None.

    `text` counts instead of the line's where given; without `sure` the author must have an address.
    """
    text = (text or line.text)[:_LONGEST]
    head = _FROM.match(text)
    known = LABELS.get(head.group(1).lower()) if head is not None else None
    if head is None or known is None:
        return None
    best: dict[str, str] = {}
    spoken = ""
    for locale, field in known.items():
        if field == "from":
            values = _cut(text, head.end(), locale)
            if len(values) > len(best):
                best, spoken = values, locale
    told = best.keys() & {"to", "date", "subject"}
    if len(told) < 2:
        return None
    person = parse_person(best["from"], line.links[:1])
    dated = DATEISH.search(best.get("date", "")) is not None
    if person is None or not (person.address or (sure and dated and is_name(person, 6))):
        return None
    return Found(
        at,
        at + 1,
        person,
        best.get("date", ""),
        best.get("subject", ""),
        best.get("to", ""),
        best.get("cc", ""),
        {"from": line.links[:1]},
        spoken,
    )


def _cut(text: str, start: int, locale: str) -> dict[str, str]:
    """The values by field; the subject is the last, for whatever follows may be part of it."""
    values: dict[str, str] = {}
    field = "from"
    for found in _labels_of(locale).finditer(text, start):
        label = LABELS[found.group(1).lower()]
        name = label.get(locale) or label["en"]
        if name in values or name in ("from", field):
            continue
        values[field] = text[start : found.start()].strip(" \t\u00a0*_" + ENDS)
        field, start = name, found.end()
        if name == "subject":
            break
    values[field] = text[start:].strip(" \t\u00a0*_")
    return values


@lru_cache(maxsize=64)
def _labels_of(locale: str) -> re.Pattern[str]:
    """Matches the labels of a locale and the English ones, as headers spell them: with a capital, and a colon."""
    words = [word for word, places in LABELS.items() if {locale, "en"} & places.keys()]
    spelled = {form for word in words for form in (word.capitalize(), word.title())}
    spelled |= {word.upper() for word in words if len(word) < 4}
    listed = "|".join(map(re.escape, sorted((each for each in spelled if len(each) > 1), key=len, reverse=True)))
    # A label of one letter ("A:") needs a blank or a bracket in front of it; any other may follow "AM" or "GMT+2".
    single = "|".join(sorted(each for each in spelled if len(each) == 1)) or "(?!)"
    return re.compile(rf"[*_]*((?<!-)(?:{listed})|(?<=[\s>;\"a-z])(?:{single}))[*_]*[ \u00a0]?[:\uff1a]")
