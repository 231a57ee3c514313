"""Heads of Notes in plain text whose labels stand on lines of their own, without colons.

Notes 6 and 7 print two columns, the name and the date at the left, and each label above its value at the right; other
versions print the same one below the other:

             Jill Amory
             <jill@acme.example>
                                                                        To
             03/04/2013 10:15         it-support@acme.example
             AM                                                         cc

                                                                   Subject
                                      The printer
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.mail.heads import Found, is_name
from gateway.mail.labels import LABELS, LONGEST_LABEL
from gateway.mail.lines import Line
from gateway.mail.notes import BESIDE, SHORT_DATE
from gateway.mail.people import parse_person
from gateway.mail.phrases import small

APART = frozenset(
    form for label, row in LABELS.items() if "to" in row.values() for form in (label.capitalize(), label.upper())
)
"""How a line reads that could begin the recipients of such a head."""
_GAP = re.compile(r"\s{3,}")
LINES_BELOW = 16
LINES_ABOVE = 7
LONGEST_LINE = 300
RIGHT = 30
"""Columns from which on a line belongs to the right column, where there are two."""


def read_apart(lines: Sequence[Line], at: int) -> Found | None:
    """The head whose recipients begin at this line, with nothing on it but "To"; None unless a name and a date stand
    above or at the left, and the label of a subject follows."""
    columns = _indent(lines[at].text) >= RIGHT
    values: dict[str, str] = {}
    left: list[str] = []
    field, end = "to", 0
    spoken = set(LABELS[small(lines[at].text.strip())])
    for number in range(at + 1, min(at + 1 + LINES_BELOW, len(lines))):
        line = lines[number]
        if line.depth != lines[at].depth or len(line.text) > LONGEST_LINE:
            break
        if not line.text.strip():
            continue
        parts = _GAP.split(line.text.strip())
        label, locales = _field(parts[-1])
        if columns and (len(parts) > 1 or (not label and _indent(line.text) < RIGHT)):
            left.append(parts.pop(0))
        if label:
            if label in values:
                return None
            field, values[label] = label, ""
            spoken = spoken & locales or spoken
        elif parts:
            values[field] = f"{values.get(field, '')} {' '.join(parts)}".strip()
            if field == "subject":
                end = number + 1
                break
    if not end or not values.get("to"):
        return None
    first, above = _above(lines, at)
    told = [*above, *left]
    dated = next((n for n, text in enumerate(told) if SHORT_DATE.search(text)), -1)
    if dated < 0:
        return None
    beside = next((n for n, text in enumerate(told) if text.lower().startswith(BESIDE)), dated)
    person = parse_person(" ".join(told[: min(dated, beside)]), lines[first].links)
    if person is None or not is_name(person, 6):
        return None
    if not (person.address or "@" in values["to"] or "/" in values["to"]):  # "Jill Amory/ACME"
        return None
    date, cc = " ".join(told[dated:]), values.get("cc", "")
    return Found(first, end, person, date, values["subject"], values["to"], cc, locale=min(spoken))


def _above(lines: Sequence[Line], at: int) -> tuple[int, list[str]]:
    """The lines that stand right above a head's first label, and the number of the first."""
    told: list[str] = []
    first = at
    for number in range(at - 1, max(at - 1 - LINES_ABOVE, -1), -1):
        text = lines[number].text.strip()
        if lines[number].depth != lines[at].depth or (told and not text) or len(text) > LONGEST_LINE:
            break
        if text:
            told.insert(0, text)
            first = number
    return first, told


def _field(text: str) -> tuple[str, set[str]]:
    """The field that a label without a colon names, "cc" or "subject", and in which locales; "" for anything else."""
    row = LABELS.get(small(text), {}) if len(text) < LONGEST_LABEL else {}
    field = next((name for name in ("cc", "subject") if name in row.values()), "")
    return field, {locale for locale, name in row.items() if name == field}


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
