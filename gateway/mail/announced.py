"""What announces a quoted mail, looked at in its surroundings: blocks below a marker, names between dashes."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.mail.attribution import read_attribution, read_marked_attribution
from gateway.mail.headerblock import read_block, read_unlisted
from gateway.mail.heads import Found, label_of
from gateway.mail.lines import Line


def next_line(lines: Sequence[Line], at: int, far: int) -> int:
    """The next line with text within `far` lines, or 0."""
    for number in range(at, min(at + far, len(lines))):
        if lines[number].text.strip():
            return number
    return 0


def begins_quote(lines: Sequence[Line], at: int) -> bool:
    """Whether nothing but blank lines stands above within quote marks of this depth."""
    for above in range(at - 1, max(at - 4, -1), -1):
        if lines[above].depth < lines[at].depth:
            return True
        if lines[above].text:
            return False
    return at < 4


def block_near(lines: Sequence[Line], at: int, *, sure: bool) -> Found | None:
    """A header block at this line or, as Notes writes it, beginning with an unlabelled name up to five lines on."""
    for start in range(at, min(at + 6, len(lines))):
        if lines[start].text and label_of(lines[start]) is not None:
            found = read_block(lines, start, sure=sure)
            return found if found is not None or not sure else read_unlisted(lines, at)
        if start > at and lines[start].depth != lines[at].depth:
            break
    return read_unlisted(lines, at) if sure else None


def dashed_attribution(lines: Sequence[Line], at: int) -> Found | None:
    """ "---- On Mon, 3 May 2025 Jill <j@x> wrote ----" (Zoho), "-----Jill <j@x> wrote: -----" (Notes)."""
    middle = lines[at].text.strip("-_=*~ ").rstrip(": ")
    start = middle.lower().find("message from ")
    found = read_attribution([_alone(lines[at], middle[start + 13 :] if start >= 0 else middle)], 0, quoted_next=False)
    if found is None or not (found.strong or (start >= 0 and found.person is not None and found.person.address)):
        return None  # "--- Posted via a.example - complaints to b@x ---" says of nobody that they wrote
    found.first, found.end = at, at + 1
    return found


def group_wise(lines: Sequence[Line], at: int) -> Found | None:
    """ ">>> Jill Amory <jill@x> 5/3/2025 10:02 AM >>>"; the quote below has no marks."""
    found = read_marked_attribution([_alone(lines[at], lines[at].text.strip("> "))], 0, 1)
    if found is None or found.person is None or not found.date_text:
        return None
    found.first, found.end = at, at + 1
    return found


def _alone(line: Line, text: str) -> Line:
    shown = Line(text + ":", line.depth, line.part, 0)
    shown.links = line.links
    return shown
