"""Parts: the leaves of a MIME body, found in one pass over the original octets.

The standard library's parser recurses per level and copies per line, and hostile mail makes it take minutes; here every
octet is looked at a bounded number of times, and what lies beyond the bounds is named instead of read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.mail.fields import Section, is_boundary, scan
from gateway.mail.params import Valued, read_params
from gateway.mail.part import Part, unencode
from gateway.mail.words import header_text

MOST_PARTS = 500
DEEPEST = 50
TEXT_LIMIT = 1 << 20
"""Octets of one text part, decoded, that are read."""
ALL_TEXT_LIMIT = 4 << 20
_MOST_DASH_LINES = 200_000


@dataclass(slots=True)
class Tree:
    """What `walk` found: leaves, the multiparts around them, and what was too much or not as it should be.

    `attached` are the (part id, header section) of message/rfc822 parts, whose own parts belong to another mail.
    """

    parts: list[Part] = field(default_factory=list)
    multiparts: list[Valued] = field(default_factory=list)
    attached: list[tuple[str, Section]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A multipart whose end has not been seen."""

    id: str
    boundary: bytes
    subtype: str
    alternative: bool
    body: int
    children: int = 0


def walk(raw: bytes, top: Section) -> Tree:
    """The parts of the mail whose header section is `top`. Linear, never raises."""
    walker = _Walker(raw)
    walker.begin(top, len(raw))
    if walker.stack:
        walker.delimiters()
    return walker.tree


class _Walker:
    """One pass over the delimiter lines with a stack of open multiparts."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.tree = Tree()
        self.stack: list[_Open] = []
        self.boundaries: set[bytes] = set()
        self.leaf: tuple[str, Section, bool, str, Valued] | None = None
        self.text_left = ALL_TEXT_LIMIT

    def begin(self, section: Section, stop: int) -> int:
        """Open the multipart or note the leaf that begins at `section`; returns where its body begins."""
        around = self.stack[-1] if self.stack else None
        if around:
            around.children += 1
        number = f"{around.id}{around.children}" if around else ""
        kind = read_params(_first(section, b"content-type"))
        alternative = bool(around and around.alternative)
        boundary = kind.params.get("boundary", "").rstrip().encode("utf-8", "replace")
        if kind.value.startswith("multipart/"):
            if boundary and len(self.stack) < DEEPEST:
                self.tree.multiparts.append(kind)
                inside = f"{number}." if number else ""
                inside_alternative = alternative or kind.value == "multipart/alternative"
                self.stack.append(_Open(inside, boundary, kind.value[10:], inside_alternative, section.body))
                self.boundaries.add(boundary)
                self.leaf = None
                return section.body
            if boundary:
                self.note_unreadable(f"parts are nested deeper than {DEEPEST}")
            else:
                self.tree.oddities.append(f"part {number or '1'} is a multipart without a boundary")
        digest = bool(around and around.subtype == "digest")
        self.leaf = (number or "1", section, alternative, "message/rfc822" if digest else "text/plain", kind)
        if not self.stack:
            self.end_leaf(stop)
        return section.body

    def delimiters(self) -> None:
        """Follow the delimiter lines; each ends a leaf, and begins the next part or closes a multipart."""
        raw, seen = self.raw, 0
        at = self.stack[-1].body - 1
        while self.stack and (at := raw.find(b"\n--", at)) >= 0:
            seen += 1
            if seen > _MOST_DASH_LINES:
                self.note_unreadable("too many lines look like boundaries")
                break
            line = at + 1
            if not is_boundary(raw, line, len(raw), self.boundaries):
                at = line
                continue
            stop = at - 1 if raw[at - 1] == 13 else at  # the line end before it is part of the delimiter
            next_line = raw.find(b"\n", line) + 1 or len(raw)
            self.end_leaf(stop)
            at = line
            if self.close(raw[line + 2 : next_line].rstrip(b" \t\r\n"), stop) and next_line < len(raw):
                if len(self.tree.parts) >= MOST_PARTS or len(self.tree.multiparts) >= MOST_PARTS:
                    self.note_unreadable(f"more than {MOST_PARTS} parts")
                    return
                at = self.begin(scan(raw, next_line, None, self.boundaries), len(raw)) - 1
        self.end_leaf(len(raw))
        while self.stack:
            self.pop(len(raw))

    def close(self, line: bytes, stop: int) -> bool:
        """Close what `line` ends, inner parts too (RFC 2046 §5.1.2); True when a new part begins there."""
        opens = line in self.boundaries
        wanted = line if opens else line[:-2]
        while self.stack[-1].boundary != wanted:
            self.pop(stop)
        if not opens:
            self.pop(-1)
        return opens

    def pop(self, stop: int) -> None:
        """Leave a multipart that ends at `stop` (-1: at its own closing delimiter)."""
        gone = self.stack.pop()
        self.boundaries = {each.boundary for each in self.stack}
        if gone.children or not self.raw[gone.body : min(stop, gone.body + 65536)].strip() or stop < 0:
            return
        # Its boundary never came: people see the body as text, so it is read as text.
        self.tree.oddities.append("a multipart whose boundary never comes")
        section = Section((), gone.body, gone.body, "")
        self.leaf = (f"{gone.id}1", section, gone.alternative, "text/plain", Valued("text/plain", {}))
        self.end_leaf(stop)

    def end_leaf(self, stop: int) -> None:
        """Make the part that ends at `stop`, if one is open."""
        if self.leaf is None:
            return
        number, section, alternative, default, kind = self.leaf
        self.leaf = None
        start, stop = section.body, max(stop, section.body)
        shown = read_params(_first(section, b"content-disposition"))
        content_type = kind.value if kind.value.count("/") == 1 else default
        if content_type.startswith("multipart/"):
            content_type = "text/plain"  # without a usable boundary (RFC 2046 §5.1): shown as text
        encoding = _encoding(_first(section, b"content-transfer-encoding"))
        if content_type in ("message/rfc822", "message/global"):
            self.tree.attached.append((number, self.inner_section(start, stop, encoding)))
        kind = kind if kind.value == content_type else Valued(content_type, kind.params)
        limit = max(min(TEXT_LIMIT, self.text_left), 0)
        part = Part(self.raw, number, kind, shown, encoding, start, stop, alternative, limit)
        if part.is_text:
            self.budget(part)
        self.tree.parts.append(part)

    def budget(self, part: Part) -> None:
        """Take the part's text off what is read of a mail. Only text that may be too long is decoded for that."""
        if part.size <= part.limit:  # decoding makes it shorter
            self.text_left -= part.size
            return
        self.text_left -= min(part.limit, part.size)
        if not part.attachment and part.cut:
            self.note_unreadable(f"part {part.id} is too long, only its beginning was read")

    def inner_section(self, start: int, stop: int, encoding: str) -> Section:
        """The header section of an attached message; RFC 2046 §5.2.1 forbids encoding it, some senders do."""
        if encoding in ("base64", "quoted-printable"):
            return scan(unencode(self.raw[start : min(stop, start + 98304)], encoding)[0])
        return scan(self.raw, start, stop)

    def note_unreadable(self, reason: str) -> None:
        if reason not in self.tree.unreadable and len(self.tree.unreadable) < 20:
            self.tree.unreadable.append(reason)


def fields_named(section: Section, key: bytes) -> Iterator[bytes]:
    """The values of every field called `key` (lower-case), in order."""
    for each in section.fields:
        if len(each.name) == len(key) and each.name.lower() == key:
            yield each.value


def _first(section: Section, key: bytes) -> bytes:
    return next(fields_named(section, key), b"")


_ENCODINGS = {"8-bit": "8bit", "7-bit": "7bit", "8bits": "8bit", "b": "base64", "q": "quoted-printable"}


def _encoding(value: bytes) -> str:
    name = header_text(value).partition(";")[0].partition("(")[0].strip(" \t\"'.").lower()
    return _ENCODINGS.get(name, name)[:40]
