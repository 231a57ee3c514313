"""Parts: the leaves of a MIME body, found in one pass over the original octets.

The standard library's parser recurses per level and copies per line, and hostile mail makes it take minutes; here every
octet is looked at a bounded number of times, and what lies beyond the bounds is named instead of read.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.mail.charset import decode
from gateway.mail.fields import Section, is_boundary, scan
from gateway.mail.params import Valued, read_params
from gateway.mail.words import header_text, unbase64

MOST_PARTS = 500
DEEPEST = 50
TEXT_LIMIT = 1 << 20
"""Octets of one text part, decoded, that are read."""
ALL_TEXT_LIMIT = 4 << 20
_MOST_DASH_LINES = 200_000

_NO_PARAMS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the mail.

    `id` counts as IMAP does (RFC 3501 §6.4.5); `content_type` is lower-case; `charset` as declared; `disposition` is
    "inline", "attachment" or "" ; `text` is the decoded text of text/* (CRLF as LF), None for everything else; `size`
    counts the octets as they stand, still encoded; `start` and `end` bound them in the mail; `in_alternative` says
    that a multipart/alternative is around it.
    """

    id: str
    content_type: str
    charset: str
    disposition: str
    filename: str
    text: str | None
    size: int
    in_alternative: bool
    start: int = 0
    end: int = 0
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def attachment(self) -> bool:
        """Whether it is a file beside the text rather than the text."""
        return self.disposition == "attachment" or bool(self.filename and self.disposition != "inline")

    @property
    def flowed(self) -> bool:
        """format=flowed (RFC 3676 §4)."""
        return self.params.get("format", "").lower() == "flowed"

    @property
    def delsp(self) -> bool:
        """DelSp=yes: the blank at the end of a flowed line goes away (RFC 3676 §4)."""
        return self.params.get("delsp", "").lower() == "yes"


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
        text = None
        if content_type.startswith("text/"):
            text = self.text_of(number, start, stop, encoding, kind.params.get("charset", ""))
        elif content_type in ("message/rfc822", "message/global"):
            self.tree.attached.append((number, self.inner_section(start, stop, encoding)))
        self.tree.parts.append(
            Part(
                number, content_type, kind.params.get("charset", ""),
                shown.value if shown.value in ("inline", "") else "attachment",  # RFC 2183 §2.8
                shown.params.get("filename", "") or kind.params.get("name", ""),
                text, stop - start, alternative, start, stop, kind.params,
            )
        )  # fmt: skip

    def inner_section(self, start: int, stop: int, encoding: str) -> Section:
        """The header section of an attached message; RFC 2046 §5.2.1 forbids encoding it, some senders do."""
        if encoding in ("base64", "quoted-printable"):
            return scan(unencode(self.raw[start : min(stop, start + 98304)], encoding)[0])
        return scan(self.raw, start, stop)

    def text_of(self, number: str, start: int, stop: int, encoding: str, charset: str) -> str:
        limit = min(TEXT_LIMIT, self.text_left)
        # Encoded text is up to 3 octets for one (=41) and line ends.
        cut = min(stop, start + (limit * 4 if encoding in ("base64", "quoted-printable") else limit))
        octets, oddity = unencode(self.raw[start:cut], encoding)
        if cut < stop or len(octets) > limit:
            octets = _whole_characters(octets[:limit])
            self.note_unreadable(f"part {number} is too long, only its beginning was read")
        self.text_left -= len(octets)
        text, charset_oddity = decode(octets, charset)
        self.tree.oddities += [f"part {number}: {each}" for each in (oddity, charset_oddity) if each]
        return text.replace("\r\n", "\n") if "\r" in text else text

    def note_unreadable(self, reason: str) -> None:
        if reason not in self.tree.unreadable and len(self.tree.unreadable) < 20:
            self.tree.unreadable.append(reason)


def unencode(octets: bytes, encoding: str) -> tuple[bytes, str]:
    """Undo a Content-Transfer-Encoding; broken input gives what can be had and an oddity. Never raises."""
    if encoding == "base64":
        try:
            return binascii.a2b_base64(octets), ""
        except binascii.Error:
            pass
        line = octets[:200].partition(b"\n")[0].strip()
        if (len(octets) < 16 and len(line) % 4 == 1) or b" " in line or not line.isascii():
            return octets, "called base64, and is plain text"
        return unbase64(octets), "broken base64"
    if encoding == "quoted-printable":
        return binascii.a2b_qp(octets), ""
    return octets, "" if encoding in ("", "7bit", "8bit", "binary") else f"unknown encoding {encoding!a}"


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


def _whole_characters(octets: bytes) -> bytes:
    """Cut the rest of a UTF-8 character off the end, so that a bounded read does not look like a wrong charset."""
    for back in range(1, min(4, len(octets)) + 1):
        if octets[-back] >= 0xC0:
            return octets[:-back]
        if octets[-back] < 0x80:
            break
    return octets
