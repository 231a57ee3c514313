"""Markers: the lines with which clients announce a quoted or forwarded mail, and the rules they draw above it."""

from __future__ import annotations

import re

import re2

from gateway.mail.heads import ENDS
from gateway.mail.labels import FORWARD_STEMS, ORIGINAL_STEMS, REPLY_ABOVE
from gateway.mail.lines import Line
from gateway.mail.phrases import small

_FORWARD = re2.compile("|".join(map(re2.escape, FORWARD_STEMS)))
_ORIGINAL = re2.compile("|".join(map(re2.escape, ORIGINAL_STEMS)))
_DASHES = "-_=*~\u2014\u2013\u2010"
RULES = "_-=*\u2014\u2500\u2013\u2010"
_LEADING = re.compile(r"\s*(-{2,}[^-:]{4,80}-{2,})\s+(?=[^\s-])")


def is_rule(text: str) -> bool:
    """A line of nothing but underscores or dashes, as Outlook and OWA draw above a header block."""
    return len(text) >= 5 and text[0] in RULES and not text.strip(RULES + " ")


def asks_to_reply_above(text: str) -> bool:
    """The line of a ticket system: "##- Please type your reply above this line -##"."""
    if text[0] not in "#-_=*~" or len(text) >= 160:
        return False
    lower = small(text)
    return any(words in lower for words in REPLY_ABOVE)


def read_marker(text: str) -> str:
    """What announces a quoted mail: "forward", "original", "unknown" (words between dashes), "announced" or ""."""
    text = text.strip()
    if not 4 < len(text) <= 200:
        return ""
    first = text[0]
    if first in _DASHES and text[1] in _DASHES + " ":
        middle = small(text.strip(_DASHES + ">< "))
        if not middle or middle[0].isdigit():
            return ""
        closed = text[-1] in _DASHES
        if _FORWARD.search(middle):
            return "forward" if closed or len(middle) < 60 else ""
        if _ORIGINAL.search(middle):
            return "original" if closed or len(middle) < 30 else ""
        return "unknown" if closed and text[:2] == text[-2:] and len(middle) < 140 else ""
    announces = text[-1] in ENDS and len(text) < 80 and _FORWARD.search(small(text))
    return "announced" if announces else ""


def names_quote(line: Line) -> bool:
    """Whether a line says "Original Message" and no more; only what stands below can tell that it means it."""
    text = small(line.text.strip(" _*"))
    if not 6 < len(text) < 40 or text[-1] in ".?!,;":
        return False
    return len(text.split()) < 4 and bool(_FORWARD.search(text) or _ORIGINAL.search(text))


def leading_marker(text: str) -> tuple[str, str] | None:
    """(marker, rest) of a line that goes on behind its marker, as Yahoo writes it into plain text."""
    found = _LEADING.match(text[:400])
    return (found.group(1), text[found.end() :]) if found is not None else None
