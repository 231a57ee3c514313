"""Amending: one more paragraph among the sender's own words, set into the original octets. Pure.

What the sender was asked for goes right behind what they wrote, before signature and quote, in plain text and HTML
alike: both or neither. Every other octet stays where it is; only where a part's encoding cannot carry the new words is
that part, and what its header says of its encoding, written anew. What cannot be done surely is refused, and the sender
gets the text to send it themselves.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape
from typing import Literal

from gateway.mail.charset import codec_of
from gateway.mail.fields import Field, scan
from gateway.mail.message import Message, read_message
from gateway.mail.part import Part, unencode
from gateway.mail.parts import Tree
from gateway.mail.quoting import split_body
from gateway.mail.splice import Splice, apply

WIDTH = 76
"""Columns of a line of new plain text (RFC 5322 §2.1.1 asks for at most 78)."""
ALIKE = 20
"""Letters and digits at the end of the sender's words in which plain text and HTML must agree."""
_CLOSING = re.compile(r"(?:</(?:a|b|i|u|em|strong|span|font|code|small)\s*>)+", re.IGNORECASE)
"""Inline elements that end right behind the last word: new words are not part of a link or of bold type."""
_CHARSET = re.compile(rb"(charset\s*=\s*)(\"[^\"]*\"|[^\s;()\"]+)", re.IGNORECASE)
_IDENTITY = ("", "7bit", "8bit", "binary")


Obstacle = Literal["sealed", "unreadable", "covered", "differing", "wordless", "scattered", "encoding"]

OBSTACLES: Mapping[Obstacle, str] = {
    "sealed": "it is signed or encrypted",
    "unreadable": "part of it could not be read",
    "covered": "a signature or a checksum covers its text",
    "differing": "plain text and HTML do not say the same",
    "wordless": "it has no words of the sender's own",
    "scattered": "it is not clear where the sender's words end",
    "encoding": "its text is not encoded in a way that can be edited safely",
}
"""Why a mail is not edited, as the end of a sentence; in other languages: `gateway.guard_words`."""


class CannotAmend(Exception):
    """No safe edit exists. `why` is one of OBSTACLES, `about` says more to whoever maintains this."""

    def __init__(self, why: Obstacle, about: str = "") -> None:
        super().__init__(OBSTACLES[why] + (f" ({about})" if about else ""))
        self.why: Obstacle = why


def amend(raw: bytes, words: str) -> tuple[Splice, ...]:
    """The edits that set `words` (one or more lines) behind what the sender wrote.

    Raises CannotAmend. What comes back has been applied and read again: the same text with the words in it, every
    attachment as it was.
    """
    message = read_message(raw)
    _untouchable(message)
    splices: list[Splice] = []
    expected: dict[str, str] = {}
    places = [(part, *_place(message, part)) for part in _texts(message)]
    if len({tail for _, _, tail in places}) > 1:
        raise CannotAmend("differing")
    for part, at, _ in places:
        splice, text = _into(raw, part, at, words)
        splices += splice
        expected[part.id] = text
    _check(raw, splices, message, expected)
    return tuple(splices)


def _untouchable(message: Message) -> None:
    if message.signed or message.encrypted:
        raise CannotAmend("sealed")
    if message.unreadable:
        raise CannotAmend("unreadable")
    names = {field.key for field in message.section.fields}
    if names & {b"dkim-signature", b"arc-message-signature"}:  # they cover the body (RFC 6376 §3.7)
        raise CannotAmend("covered")
    if b"content-md5" in names:  # RFC 1864
        raise CannotAmend("covered")


def _texts(message: Message) -> list[Part]:
    """The parts that show the sender's words: the only text, or plain text and HTML side by side."""
    texts = [part for part in message.parts if not part.attachment and part.content_type in ("text/plain", "text/html")]
    sides = {part.content_type for part in texts if part.in_alternative}
    if len(texts) == 1 or (len(texts) == 2 and len(sides) == 2):
        return texts
    raise CannotAmend("scattered" if texts else "wordless")


def _into(raw: bytes, part: Part, at: int, words: str) -> tuple[list[Splice], str]:
    """The edits that set words behind the code point `at` of a part, and its text as it will read."""
    assert part.text is not None
    page = part.content_type == "text/html"
    if page:
        closing = _CLOSING.match(part.text, at)
        at = closing.end() if closing else at
    shown = _page_words(words) if page else _plain_words(words, part)
    text = part.text[:at] + shown + part.text[at:]
    octets, _ = unencode(raw[part.start : part.end], part.encoding)
    codec = codec_of(part.charset) or "utf-8"
    offset = _octet(octets, codec, part.text, at)
    new = shown.replace("\n", "\r\n" if b"\r\n" in octets or b"\r\n" in raw else "\n")
    if page:
        new = new.encode("ascii", "xmlcharrefreplace").decode("ascii")
        text = part.text[:at] + new.replace("\r\n", "\n") + part.text[at:]
    try:
        inserted = new.encode(_declared(part))
    except UnicodeEncodeError:
        return _anew(raw, part, octets[:offset].decode(codec) + new + octets[offset:].decode(codec)), text
    if part.encoding in _IDENTITY:
        return [Splice(part.start + offset, inserted)], text
    if part.encoding == "base64":
        whole = octets[:offset] + inserted + octets[offset:]
        old = raw[part.start : part.end]
        return [Splice(part.start, _base64(whole, old), old)], text
    if part.encoding == "quoted-printable":
        where = _quoted_octet(raw, part, offset)
        before = b"" if inserted.startswith(b"\r\n") else b"=\r\n"
        after = b"" if raw[where : where + 2] == b"\r\n" else b"=\r\n"
        return [Splice(where, before + _quoted(inserted) + after)], text
    raise CannotAmend("encoding", "unknown")


def _place(message: Message, part: Part) -> tuple[int, str]:
    """Behind which code point of the part the sender's own words end, and the last letters of these."""
    if part.oddities or part.cut or part.text is None:
        raise CannotAmend("encoding", "not as it says")
    body = split_body(replace(message, tree=Tree(parts=[part])))
    own = [block for block in body.blocks if block.kind == "new" and block.text]
    if not own:
        raise CannotAmend("wordless")
    longest = max(own, key=lambda block: len(block.text))  # answers between quotes: the fullest of them
    span = longest.lines.locate(0, len(longest.text))
    if span.part != part.id or not 0 < span.end <= len(part.text):
        raise CannotAmend("scattered")
    return span.end, "".join(filter(str.isalnum, longest.text))[-ALIKE:]


def _plain_words(words: str, part: Part) -> str:
    lines: list[str] = []
    for line in words.split("\n"):
        wrapped = textwrap.wrap(line, WIDTH - 2, break_long_words=False, break_on_hyphens=False) or [""]
        if part.flowed:  # RFC 3676 §4.2: a blank at the end says that the paragraph goes on; with DelSp it goes away
            gap = "  " if part.delsp else " "
            wrapped = [each + gap for each in wrapped[:-1]] + wrapped[-1:]
            wrapped = [" " + each if each[:1] in (" ", ">") or each.startswith("From ") else each for each in wrapped]
        lines += wrapped
    return "\n\n" + "\n".join(lines)


def _page_words(words: str) -> str:
    return "<br><br>\n" + "<br>\n".join(escape(line) for line in words.split("\n"))


def _octet(octets: bytes, codec: str, text: str, at: int) -> int:
    """Where in the octets of a part the code point `at` of its text stands, whose line ends are LF."""
    try:
        whole = octets.decode(codec)
    except (UnicodeDecodeError, LookupError):
        raise CannotAmend("encoding", "not as it says") from None
    if whole.replace("\r\n", "\n") != text:
        raise CannotAmend("encoding", "not as it says")
    near = passed = 0
    for ends, line in enumerate(whole.split("\r\n")):  # each CRLF before the place is one code point more
        passed += len(line)
        near = at + ends
        if passed >= at:
            break
        passed += 1
    offset = len(whole[:near].encode(codec))
    if octets[:offset].decode(codec, "replace") != whole[:near]:  # a charset with a state, such as ISO-2022-JP
        raise CannotAmend("encoding", "a charset with states")
    return offset


def _declared(part: Part) -> str:
    """The charset that the part says it has, more narrowly than it is read; ASCII where it says none."""
    if part.encoding in ("", "7bit"):
        return "ascii"
    try:
        return codecs.lookup(part.charset).name
    except LookupError:
        return "ascii"


def _quoted_octet(raw: bytes, part: Part, offset: int) -> int:
    """Where in the quoted-printable text (RFC 2045 §6.7) the decoded octet `offset` stands."""
    seen = 0
    for at, width, octets in _quoted_units(raw, part.start, part.end):
        if seen == offset:
            return at
        seen += octets
        if seen > offset:
            break
        last = at + width
        if seen == offset:
            return last
    raise CannotAmend("encoding", "not as it says")


def _quoted_units(raw: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(position, width, decoded octets) of each unit: "=41", a soft line break, or one octet."""
    unit = re.compile(rb"=[0-9A-Fa-f]{2}|=[ \t]*\r?\n|(?s:.)")
    while at < end:
        found = unit.match(raw, at, end)
        assert found is not None
        soft = found[0][:1] == b"=" and found[0][-1:] == b"\n"
        yield at, len(found[0]), 0 if soft else 1
        at = found.end()


def _quoted(octets: bytes) -> bytes:
    """Quoted-printable with CRLF line ends, no line longer than 76 (RFC 2045 §6.7)."""
    encoded = binascii.b2a_qp(octets.replace(b"\r\n", b"\n"), istext=True)
    return encoded.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _base64(octets: bytes, old: bytes) -> bytes:
    """In lines of 76 (RFC 2045 §6.8), ending as the old text did."""
    lines = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    tail = old[len(old.rstrip(b"\r\n")) :]
    return lines.rstrip(b"\r\n") + tail


def _anew(raw: bytes, part: Part, text: str) -> list[Splice]:
    """The part as UTF-8 in quoted-printable, and its header saying so."""
    section = _header_of(raw, part)
    old = raw[part.start : part.end]
    splices = [Splice(part.start, _quoted(text.encode()), old)]
    kinds = [field for field in section if field.key == b"content-type"]
    encodings = [field for field in section if field.key == b"content-transfer-encoding"]
    if len(kinds) > 1 or len(encodings) > 1:
        raise CannotAmend("encoding", "said twice")
    new = b""
    if not kinds:
        new += b"Content-Type: text/plain; charset=utf-8\r\n"
    else:
        splices.append(_charset(raw, kinds[0]))
    if encodings:
        field = encodings[0]
        splices.append(Splice(field.body, b" quoted-printable\r\n", raw[field.body : field.end]))
    else:
        new += b"Content-Transfer-Encoding: quoted-printable\r\n"
    if not any(field.key == b"mime-version" for field in scan(raw).fields):
        new += b"MIME-Version: 1.0\r\n"
    if new:
        splices.append(Splice(section[-1].end if section else part.start - 2, new))
    return splices


def _header_of(raw: bytes, part: Part) -> tuple[Field, ...]:
    """The fields of a part: of the mail itself, or those below the delimiter line before it."""
    top = scan(raw)
    if top.body == part.start:
        return top.fields
    line = raw.rfind(b"\n--", 0, part.start) + 1
    section = scan(raw, raw.find(b"\n", line) + 1)
    if not line or section.body != part.start or section.fault or not section.fields:
        raise CannotAmend("encoding", "no clear header")
    return section.fields


def _charset(raw: bytes, field: Field) -> Splice:
    value = raw[field.body : field.end]
    found = _CHARSET.findall(value)
    if len(found) > 1 or b"(" in value or b"*" in value:
        raise CannotAmend("encoding", "no clear charset")
    if found:
        new = _CHARSET.sub(rb"\1utf-8", value)
    else:
        bare = value.rstrip(b" \t\r\n;")
        new = bare + b"; charset=utf-8" + value[len(value.rstrip(b" \t\r\n")) :]
    return Splice(field.body, new, value)


def _check(raw: bytes, splices: list[Splice], before: Message, expected: dict[str, str]) -> None:
    """Read the result again; an edit that does anything but add the words is our own fault and never leaves."""
    after = read_message(apply(raw, splices))
    old = [(part.id, part.content_type) for part in before.parts]
    if [(part.id, part.content_type) for part in after.parts] != old:
        raise CannotAmend("encoding", "the result reads otherwise")
    mended = (b"content-type", b"content-transfer-encoding", b"mime-version")
    kept = [[(f.name, f.value) for f in each.section.fields if f.key not in mended] for each in (before, after)]
    if kept[0] != kept[1]:
        raise CannotAmend("encoding", "the result reads otherwise")
    for was, now in zip(before.parts, after.parts, strict=True):
        if now.id in expected:
            fits = now.text == expected[now.id] and not now.oddities
        else:
            fits = raw[was.start : was.end] == now.raw[now.start : now.end]
        if not fits:
            raise CannotAmend("encoding", "the result reads otherwise")
