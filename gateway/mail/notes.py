"""Notes heads: how Lotus Notes and old Exchange print a sender and a date, without labels of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.mail.address import Mailbox
from gateway.mail.heads import CLOCK, DATEISH, Found, is_name, label_of
from gateway.mail.lines import Line
from gateway.mail.markers import is_rule, read_marker
from gateway.mail.people import clean_name, parse_person

SHORT_DATE = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}|\d{1,2}\.? \w{3,12}\.? \d{4}|\w{3,12} \d{1,2}, \d{4}"
)
_ON_DATE = re.compile(r"\s(?:on|am|le|el|il|op|em|den)\s+(?=\d)", re.IGNORECASE)
_NOTES_DATE = re.compile(r"(?:\s(?:on|am|le|el|il|op|em|den)\s+|\s{4})(?=\d{1,4}[./-]\d{1,2}[./-]\d)", re.IGNORECASE)
BESIDE = ("sent by", "gesendet von", "please respond", "bitte antwort")
"""How lines begin that Notes prints beside a sender, and that name somebody else."""
_NUMBERS = re.compile(r"\d[./-]\d")


def notes_date(text: str) -> re.Match[str] | None:
    """What parts a name from the date behind it: "Jill Amory on 04/13/2001 12:34 PM"."""
    return _NOTES_DATE.search(text) if _NUMBERS.search(text) is not None else None  # nearly no name has numbers


def letterhead(lines: Sequence[Line], start: int) -> int:
    """Notes prints the company's name, indented, above the sender's: it belongs to the header."""
    for at in range(start - 1, max(start - 4, -1), -1):
        text = lines[at].text
        if text.strip():
            return at if text[0] in " \t" and len(text) < 80 and text[-1] not in "?!:," else start
    return start


def read_notes_line(line: Line, at: int) -> Found | None:
    """ "Jill Amory <j@x> on 05/25/2000 07:57:51 AM": all that Notes shows of a header at times."""
    text = line.text.strip()[:300]
    dated = _ON_DATE.search(text)
    if dated is None or SHORT_DATE.match(text, dated.end()) is None:
        return None
    person = parse_person(text[: dated.start()], line.links)
    return Found(at, at + 1, person, text[dated.end() :]) if is_name(person, 6) else None


def read_dated_name(line: Line, at: int) -> Found | None:
    """ "Jill Amory, 3 May 2025, 10:02": how Zendesk heads each mail of a ticket below a rule."""
    text = line.text.strip()[:200]
    dated = DATEISH.search(text)
    if dated is None or CLOCK.search(text) is None or text[-1] in ".?!":
        return None
    cut = text.find(", ")
    if not 0 < cut < dated.start():
        return None
    person = parse_person(text[:cut], line.links)
    several = person is not None and (person.address or len(person.name.split()) > 1)
    return Found(at, at + 1, person, text[cut + 2 :]) if several and is_name(person, 5) else None


def read_notes(
    lines: Sequence[Line],
    start: int,
    end: int,
    values: dict[str, str],
    links: dict[str, tuple[str, ...]],
    locales: set[str] | None,
) -> Found | None:
    """Notes and old Exchange: the name and the date stand unlabelled above "To: … cc: … Subject: …"."""
    if "to" not in values or not values.keys() & {"subject", "cc"}:
        return None
    above: list[int] = []
    at = start - 1
    while at >= 0 and start - at <= 7 and len(above) < 3 and lines[at].depth == lines[start].depth:
        text = lines[at].text.strip()
        if len(text) > 2 and not text.lower().startswith(BESIDE):
            above.append(at)
        at -= 1
    date_text = values.get("date", "")
    person = None
    first = start
    for place in above:
        text = lines[place].text.strip()
        if len(text) > 160 or read_marker(text) or is_rule(text) or label_of(lines[place]) is not None:
            break
        dated = _ON_DATE.search(text)
        if dated is not None and SHORT_DATE.match(text, dated.end()):
            person, date_text, first = (
                parse_person(text[: dated.start()], lines[place].links),
                text[dated.end() :],
                place,
            )
            break
        if not date_text and SHORT_DATE.search(text) is not None and len(text) < 60:
            when = SHORT_DATE.search(text)
            name = text[: when.start()].strip(" ,") if when else ""
            date_text, first = text[len(name) :].strip(" ,") if name else text, place
            if name and is_name(Mailbox("", clean_name(name)), 6):
                person = parse_person(name)
                break
            continue
        if date_text and text[-1] not in ".!?:,":
            candidate = parse_person(text, lines[place].links)
            if candidate is not None and is_name(candidate, 6):
                person, first = candidate, place
        break
    if person is None:
        return None
    return Found(
        first,
        end,
        person,
        date_text,
        values.get("subject", ""),
        values["to"],
        values.get("cc", ""),
        links,
        min(locales or {"en"}),
    )
