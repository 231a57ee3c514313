"""What announces a quoted mail, looked at in its surroundings: blocks below a marker, names between dashes."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.mail.attribution import read_attribution, read_marked_attribution
from gateway.mail.headerblock import read_block, read_unlisted
from gateway.mail.heads import Found, label_of
from gateway.mail.lines import Line
from gateway.mail.markers import leading_marker, read_marker
from gateway.mail.oneline import read_one_line


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


def marked_line(line: Line, at: int) -> tuple[str, Found] | None:
    """(marker, block) of "----- Forwarded Message ----- From: Jill <j@x>To: IT <it@x>Sent: …": Yahoo's plain text."""
    parted = leading_marker(line.text)
    if parted is None:
        return None
    marker = read_marker(parted[0])
    found = read_one_line(line, at, parted[1], sure=marker in ("forward", "original"))
    return (marker, found) if found is not None else None


def marked_end(lines: Sequence[Line], at: int) -> int:
    """Where the lines end that markup calls an attribution; 0 where they are a header block or its marker."""
    end = at
    while end < len(lines) and lines[end].mark == "attribution" and end - at < 12:
        if read_marker(lines[end].text) or label_of(lines[end]) is not None:
            return 0
        end += 1
    while end > at + 1 and not lines[end - 1].text:
        end -= 1
    return end


def signed_from(lines: Sequence[Line], at: int) -> int:
    """Where the text begins below "-----BEGIN PGP SIGNED MESSAGE-----": RFC 9580 §7, headers to the next blank line."""
    end = at + 1
    while end < len(lines) and lines[end].text and end - at < 5:
        end += 1
    return end


def attribution_from(lines: Sequence[Line], at: int) -> Found | None:
    """The attribution that begins with this line and would be believed where it stands."""
    for end in range(at, min(at + 4, len(lines))):
        line = lines[end]
        if not line.text or line.depth != lines[at].depth:
            break
        if line.text.rstrip(" *_\u00a0-")[-1:] in (":", "\uff1a"):
            after = next_line(lines, end + 1, 3)
            deeper = bool(after) and lines[after].depth > line.depth
            found = read_attribution(lines, end, quoted_next=deeper)
            return found if found is not None and found.first == at and (deeper or found.strong) else None
    return None


def wrapped_attribution(lines: Sequence[Line], at: int) -> Found | None:
    """The attribution that begins with this line, where markup says that there is one, and ends with another."""
    for end in range(at + 1, min(at + 3, len(lines))):
        if lines[end].text.rstrip(" *_\u00a0")[-1:] in (":", "\uff1a"):
            found = read_marked_attribution(lines, at, end + 1)
            if found is not None:
                return found
    return None


def second_head(lines: Sequence[Line], found: Found, after: int) -> Found | None:
    """The header block at `after`, below an attribution of the same author: Notes and old Yahoo print both."""
    if not after or label_of(lines[after]) is None or lines[after].depth < lines[found.first].depth:
        return None
    block = read_block(lines, after, sure=True)
    if block is None or block.person is None or found.person is None:
        return None
    one, other = found.person, block.person
    if one.address and other.address:
        same = one.address.lower() == other.address.lower()
    else:
        same = bool(one.name) and one.name.lower() == other.name.lower()
    if not same:
        return None
    block.date_text = block.date_text or found.date_text
    return block


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
