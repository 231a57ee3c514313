"""Leads: what a client prints above a head and nobody wrote: rules, announcements, the first words in a summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.mail.address import Mailbox
from gateway.mail.heads import EMPHASIS, ENDS, Found, is_name
from gateway.mail.labels import ANNOUNCEMENTS
from gateway.mail.lines import Line
from gateway.mail.markers import RULES, names_quote
from gateway.mail.notes import SHORT_DATE
from gateway.mail.people import clean_name
from gateway.mail.phrases import small

_MESSAGE_OF = re.compile(r"Message du\s?:?\s?(?=\d)")


def is_drawn(line: Line) -> bool:
    """A rule, however short, where a head below it tells what it is: "---", "  _____", "<hr>"."""
    if line.mark == "rule":
        return True
    return line.text[-1] in RULES and len(line.text.strip()) > 2 and not line.text.strip(RULES + " \u00a0")


def announces(line: Line) -> bool:
    """Whether a line is what a client always writes above a forwarded mail: "Begin forwarded message:"."""
    return 10 < len(line.text) < 60 and small(line.text.strip(EMPHASIS + ENDS)) in ANNOUNCEMENTS


def announced_above(lines: Sequence[Line], first: int) -> int:
    """The line of such an announcement above the line `first`, or -1."""
    for at in range(first - 1, max(first - 4, -1), -1):
        text = lines[at].text
        if text:
            told = text[-1] in ENDS and announces(lines[at]) and lines[at].depth == lines[first].depth
            return at if told else -1
    return -1


def take_lead(lines: Sequence[Line], found: Found) -> None:
    """Let a header block begin with what the client printed above it, and take the date that stands nowhere else."""
    at = found.first - 1
    if at < 0:
        return
    if lines[at].text and (names_quote(lines[at]) or announces(lines[at])):
        found.first = at  # BlackBerry: "  Original Message  "; The Bat!
        return
    dated = _MESSAGE_OF.match(lines[at].text) if lines[at].depth == lines[found.first].depth else None
    if dated is not None and len(lines[at].text) < 60:  # Orange: "Message du 05/05/25 10:02"
        found.first, found.date_text = at, found.date_text or lines[at].text[dated.end() :]
        return
    found.first = _summary_above(lines, found.first)


def _summary_above(lines: Sequence[Line], first: int) -> int:
    """Notes 8: "Jill Amory ---05/05/2025 10:02:11 AM---Hello, my screen is", which may be wrapped; `first` if none."""
    passed = 0
    for at in range(first - 1, max(first - 5, -1), -1):
        text = lines[at].text
        if lines[at].depth != lines[first].depth or passed > 1:
            break
        if "---" in text:
            name, _, rest = text.partition("---")
            date, dashes, _ = rest.partition("---")
            if dashes and SHORT_DATE.match(date.strip()) and is_name(Mailbox("", clean_name(name[:100])), 6):
                return at
        passed += bool(text)
    return first
