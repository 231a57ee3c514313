"""A mail as somebody sends it who deletes all that they quote: the same octets, only without the quoted text.

What is quoted the product's own reader of lines says, for the plain text and for the HTML each by itself. Header
fields, attachments and attached mails stay as they are.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable

from gateway.mail.blocks import sort_lines
from gateway.mail.html import split_html
from gateway.mail.labels import FORWARD_SUBJECTS
from gateway.mail.lines import Line, split_plain
from gateway.mail.message import read_message
from gateway.mail.part import Part
from gateway.mail.splice import Splice, apply

_TOKEN = re.compile(r"<!--.*?-->|<(/?)([a-zA-Z][\w:-]*)[^>]*>|<![^>]*>", re.DOTALL)
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_KEPT = frozenset({"html", "head", "body", "title", "style"})
_SHOWS = re.compile(r"[^\s>]")


def without_quotes(raw: bytes) -> bytes:
    """The mail without what its text quotes, forwards, or says above a quote ("On Monday Mary wrote:")."""
    message = read_message(raw)
    forwards = message.subject.partition(":")[0].strip().lower() in FORWARD_SUBJECTS
    splices = []
    for part in message.parts:
        if part.attachment or part.content_type not in ("text/plain", "text/html"):
            continue
        text = part.text or ""
        kept = plain(text, part, forwards) if part.content_type == "text/plain" else page(text, part.id, forwards)
        if kept != text:
            splices.append(Splice(part.start, _encoded(kept, part), raw[part.start : part.end]))
    return apply(raw, splices)


def plain(text: str, part: Part, forwards: bool) -> str:
    """The rows of a plain text that hold nothing of a quoted line, without blank rows at the end."""
    lines = split_plain(text, part.id, flowed=part.flowed, delete_space=part.delsp)
    gone = {text.count("\n", 0, place) for place in _places(_quoted(lines, forwards))}
    rows = [row for number, row in enumerate(text.split("\n")) if number not in gone]
    return "\n".join(rows).rstrip() + "\n" if gone else text


def page(html: str, part: str, forwards: bool) -> str:
    """An HTML text without the words of quoted lines, and without the elements that held nothing else."""
    gone = set(_places(_quoted(split_html(html, part), forwards)))
    return _prune(html, gone) if gone else html


def _quoted(lines: list[Line], forwards: bool) -> Iterable[Line]:
    kinds = sort_lines(lines, forwards=forwards).kinds
    return (line for line, kind in zip(lines, kinds, strict=True) if kind != "new")


def _places(lines: Iterable[Line]) -> Iterable[int]:
    """Every place of the part at which a piece of one of the lines stands."""
    for line in lines:
        if line.pieces is None:
            yield line.start
        for _, start, length, _ in line.pieces or ():
            yield from range(start, start + max(length, 1))


def _prune(html: str, gone: set[int]) -> str:
    """One pass with a stack: (tag, where its text begins in `out`, whether something went, whether something shows)."""
    out: list[str] = []
    stack: list[list[object]] = [["", 0, False, False]]
    at = 0

    def add(text: str, start: int) -> None:
        left = "".join(char for place, char in enumerate(text, start) if place not in gone)
        stack[-1][2] = bool(stack[-1][2]) or len(left) < len(text)
        stack[-1][3] = bool(stack[-1][3]) or _SHOWS.search(left) is not None
        out.append(left)

    def close() -> None:
        tag, first, went, shows = stack.pop()
        assert isinstance(first, int)
        if went and not shows and tag not in _KEPT:
            del out[first:]
        stack[-1][2] = bool(stack[-1][2]) or went
        stack[-1][3] = bool(stack[-1][3]) or shows

    for token in _TOKEN.finditer(html):
        add(html[at : token.start()], at)
        at = token.end()
        name = (token.group(2) or "").lower()
        if token.group(1) and any(each[0] == name for each in stack):
            while stack[-1][0] != name:
                close()
            out.append(token.group())
            close()
            continue
        if name and not token.group(1) and name not in _VOID and not token.group().endswith("/>"):
            stack.append([name, len(out), False, False])
        elif name == "img":
            stack[-1][3] = True
        out.append(token.group())
    add(html[at:], at)
    while len(stack) > 1:
        close()
    return "".join(out)


def _encoded(text: str, part: Part) -> bytes:
    """The octets of a part with another text, in its own charset and encoding."""
    try:
        octets = text.replace("\n", "\r\n").encode(part.charset or "utf-8")
    except (LookupError, UnicodeEncodeError):
        octets = text.replace("\n", "\r\n").encode("utf-8")
    if part.encoding == "base64":
        return b"\r\n".join(
            binascii.b2a_base64(octets[at : at + 57], newline=False) for at in range(0, len(octets), 57)
        )
    if part.encoding == "quoted-printable":
        return binascii.b2a_qp(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return octets
