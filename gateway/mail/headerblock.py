"""Header blocks above quoted mail ("Von: … Gesendet: …"), Notes heads, and the markers that announce them.

A single "From:" in a sentence never counts: a block needs two labels of one locale side by side, a marker, or the mark
of a mail client's own HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.mail.address import Mailbox
from gateway.mail.labels import FORWARD_STEMS, LABELS, LONGEST_LABEL, ORIGINAL_STEMS
from gateway.mail.lines import Line
from gateway.mail.people import clean_name, find_address, parse_person
from gateway.mail.phrases import phrases

EMPHASIS = " \t\u00a0\u3000*_"
DATEISH = re.compile(r"(?<!\d)(?:(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d\d|\d{1,2}[:.h]\d\d)(?!\d)")
CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.h時]\s?\d\d(?!\d)")
_SHORT_DATE = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}|\d{1,2}\.? \w{3,12}\.? \d{4}|\w{3,12} \d{1,2}, \d{4}"
)
_ON_DATE = re.compile(r"\s(?:on|am|le|el|il|op|em|den)\s+(?=\d)", re.IGNORECASE)
ENDS = ":\uff1a"
_NOTES_DATE = re.compile(r"(?:\s(?:on|am|le|el|il|op|em|den)\s+|\s{4})(?=\d{1,4}[./-]\d{1,2}[./-]\d)", re.IGNORECASE)
_CONTINUED = 250
_PARTICLES = frozenset(
    phrases(
        """
    de|da|do|dos|das|di|del|della|van|von|der|den|ten|ter|zu|la|le|el|al|bin|ibn|y|e|und|and|via|of|du
        """
    )
)


@dataclass(slots=True)
class Found:
    """A recognised head of quoted text: `first` to `end` (exclusive) are line numbers."""

    first: int
    end: int
    person: Mailbox | None
    date_text: str = ""
    subject: str = ""
    to: str = ""
    cc: str = ""
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    locale: str = ""
    strong: bool = True


def read_label(text: str) -> tuple[dict[str, str], str] | None:
    """({locale: field}, value) of a line such as "*Von:* Jill", or None."""
    at = text.find(":", 0, LONGEST_LABEL + 12)
    wide = text.find("\uff1a", 0, LONGEST_LABEL + 12)
    if wide >= 0 and (at < 0 or wide < at):
        at = wide
    if at <= 0:
        return None
    known = LABELS.get(text[:at].strip(EMPHASIS).lower())
    return (known, text[at + 1 :].strip(EMPHASIS)) if known else None


def label_of(line: Line) -> tuple[dict[str, str], str] | None:
    """As `read_label`, for a line: a table cell may hold a label without its colon (Notes in HTML)."""
    if line.mark == "label":
        return LABELS[line.text.lower()], ""
    return read_label(line.text.strip())


def is_rule(text: str) -> bool:
    """A line of nothing but underscores or dashes, as Outlook and OWA draw above a header block."""
    return len(text) >= 5 and text[0] in "_-=*\u2014\u2500\u2013" and not text.strip("_-=* \u2014\u2500\u2013")


def read_marker(text: str) -> str:
    """ "forward", "original" or "unknown" (words between dashes) for a line that announces a quoted mail; else ""."""
    text = text.strip()
    if not 4 < len(text) <= 200:
        return ""
    first = text[0]
    if first in "-_=*~\u2014\u2013" and text[1] in "-_=*~\u2014\u2013 ":
        middle = text.strip("-_=*~\u2014\u2013>< ").lower()
        if not middle or middle[0].isdigit():
            return ""
        closed = text[-1] in "-_=*~\u2014\u2013"
        if any(stem in middle for stem in FORWARD_STEMS):
            return "forward" if closed or len(middle) < 60 else ""
        if any(stem in middle for stem in ORIGINAL_STEMS):
            return "original" if closed or len(middle) < 30 else ""
        return "unknown" if closed and text[:2] == text[-2:] and len(middle) < 140 else ""
    if text[-1] in ENDS and len(text) < 80:
        lower = text.lower()
        if any(stem in lower for stem in FORWARD_STEMS):
            return "announced"
    return ""


def read_block(lines: Sequence[Line], start: int, *, sure: bool = False) -> Found | None:
    """The header block that begins at `start`; `sure` where a marker or markup announced it. Looks 250 lines far."""
    depth = lines[start].depth
    values: dict[str, str] = {}
    links: dict[str, tuple[str, ...]] = {}
    locales: set[str] | None = None
    last, end, blanks, others = "", start, 0, 0
    patience = 1  # blank lines between two labels; Notes puts more between the name and the recipients
    at = start
    for at in range(start, min(len(lines), start + _CONTINUED)):
        line = lines[at]
        if line.depth != depth:
            break
        text = line.text.strip()
        if not text:
            blanks += 1
            if blanks > patience:
                break
            continue
        label = label_of(line)
        if label is not None:
            known, value = label
            name = known.get("en", "")
            if not name or (locales and name and locales & known.keys()):
                common = (locales & known.keys()) if locales else set(known)
                if not common:
                    if not name:
                        break
                else:
                    locales = common
                    name = known[min(common)]
            if name in ("to", "cc") and values.get(name) and "from" in values and not blanks:
                value = f"{values[name]}, {value}"
            elif name in values and name != "other":
                break
            others += name == "other"
            values[name] = value
            links[name] = line.links
            last, end, blanks = name, at + 1, 0
            notes = name == "from" and _NOTES_DATE.search(value[:1000]) is not None
            patience = 5 if notes or (name == "other" and patience > 1) else 1
            continue
        if last == "from" and not blanks and len(text) < 40 and _SHORT_DATE.match(text) is not None:
            values["date"], end, patience = text, at + 1, 5
            continue
        if not last or blanks or not _continues(lines, at, last, values, depth):
            break
        values[last] = f"{values[last]} {text}" if len(values[last]) < 4000 else values[last]
        links[last] += line.links
        end, blanks = at + 1, 0
    if "from" not in values:
        return _read_notes(lines, start, end, values, links, locales)
    told = len(values.keys() & {"date", "to", "cc", "subject"})
    person_text, date_text = values["from"][:1000], values.get("date", "")
    dated = _NOTES_DATE.search(person_text)
    if dated is not None and not date_text:  # Notes: "From: Jill Amory on 04/13/2001 12:34 PM"
        person_text, date_text = person_text[: dated.start()], person_text[dated.end() :]
    person = parse_person(person_text, links["from"])
    if person is None and not sure:
        return None
    addressed = "@" in person_text or bool(links["from"])
    dateish = bool(date_text) and DATEISH.search(date_text) is not None
    plausible = (
        addressed or "subject" in values or (dateish and CLOCK.search(date_text) is not None and told + others > 1)
    )
    if (
        not (told and sure)
        and not (told and plausible and (addressed or is_name(person, 6)))
        and not (sure and addressed)
    ):
        return None
    locale = min(locales) if locales else "en"
    return Found(
        _letterhead(lines, start) if dated is not None else start,
        end,
        person,
        date_text,
        values.get("subject", ""),
        values.get("to", ""),
        values.get("cc", ""),
        links,
        locale,
    )


def _letterhead(lines: Sequence[Line], start: int) -> int:
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
    if dated is None or _SHORT_DATE.match(text, dated.end()) is None:
        return None
    person = parse_person(text[: dated.start()], line.links)
    return Found(at, at + 1, person, text[dated.end() :]) if is_name(person, 6) else None


def read_unlisted(lines: Sequence[Line], start: int) -> Found | None:
    """A header block in a language that nobody listed, where a client's marker or container announced one."""
    depth, end, person = lines[start].depth, start, None
    for at in range(start, min(len(lines), start + 8)):
        text = lines[at].text.strip(EMPHASIS)
        colon = text.find(":", 1, 31)
        if lines[at].depth != depth or colon < 0 or text[colon + 1 : colon + 3] == "//":
            break
        end = at + 1
        if person is None and (find_address(text, colon) or lines[at].links):
            person = parse_person(text[colon + 1 :], lines[at].links)
    return Found(start, end, person) if person is not None and end - start > 1 else None


def _continues(lines: Sequence[Line], at: int, name: str, values: dict[str, str], depth: int) -> bool:
    """Whether the line at `at` belongs to the label above: a folded value."""
    text, value, seen = lines[at].text.strip(), values[name], values.keys() - {"other"}
    if not value:
        return len(text) < 200
    if value[-1] in ",;" and name in ("to", "cc", "other"):
        return True
    if value.count("<") > value.count(">") or value.count("[") > value.count("]"):
        return True
    if name == "from":
        return text[0] in "<[("
    ahead = 1 if name in ("subject", "date") else 60
    for following in range(at + 1, min(len(lines), at + 1 + ahead)):
        line = lines[following]
        if line.depth != depth or not line.text.strip():
            break
        label = label_of(line)
        if label is not None:
            return not seen & set(label[0].values())
    return name in ("to", "cc") and "@" in text and " " not in text.split("@")[0].strip("<\"' ")


def _read_notes(
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
        if len(text) > 2 and not text.lower().startswith(
            ("sent by", "gesendet von", "please respond", "bitte antwort")
        ):
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
        if dated is not None and _SHORT_DATE.match(text, dated.end()):
            person, date_text, first = (
                parse_person(text[: dated.start()], lines[place].links),
                text[dated.end() :],
                place,
            )
            break
        if not date_text and _SHORT_DATE.search(text) is not None and len(text) < 60:
            when = _SHORT_DATE.search(text)
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


def is_name(person: Mailbox | None, words: int) -> bool:
    """Whether this could be how a person or a desk is called, rather than a piece of a sentence."""
    if person is None:
        return False
    if person.address:
        return True
    parts = person.name.split()
    plain = sum(1 for part in parts if part[:1].islower() and part not in _PARTICLES)
    return (
        0 < len(parts) <= words and plain <= (1 if len(parts) < 3 else 0) and person.name[-1] not in ".?!" + ENDS
    ) or (len(parts) == 2 and len(parts[-1]) == 2 and parts[-1][-1] == ".")
