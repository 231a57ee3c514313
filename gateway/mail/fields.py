"""Fields: where each header field stands in the original octets."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

HEADER_LIMIT = 65536
"""Octets of one header section that are read; more is `unreadable` (hostile headers take seconds beyond it)."""

# RFC 5322 §2.2: a name of printable ASCII, a colon; folded lines follow. Blanks before the colon are obsolete (§4.5.1).
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:(.*+(?:\n[ \t].*+)*+)(?:\n|\Z)")
_EMPTY_LINE = re.compile(rb"\r?\n")


class Field(NamedTuple):
    """One field. `start` and `end` bound it in the message, line end included; `body` is the octet after its colon."""

    name: bytes
    value: bytes
    start: int
    body: int
    end: int

    @property
    def key(self) -> bytes:
        """The lower-case name."""
        return self.name.lower()


class Section(NamedTuple):
    """One header section.

    `end` is the first octet after the last field (where the empty line stands, if there is one), `body` the first octet
    of the body. `fault` says in plain words why the section is not what RFC 5322 §2.2 says, "" when it is.
    """

    fields: tuple[Field, ...]
    end: int
    body: int
    fault: str
    truncated: bool = False


def scan(raw: bytes, start: int = 0, stop: int | None = None, boundaries: Container[bytes] = ()) -> Section:
    """Find the fields of the header section at `start`. Lines end in CRLF or LF. Linear, never raises.

    A line that is no field ends the section and begins the body, as Postfix and most parsers see it. A line that is
    one of `boundaries` (of MIME parts around) ends it too. Fields beyond HEADER_LIMIT octets are not listed.
    """
    stop = len(raw) if stop is None else stop
    cut = min(stop, start + HEADER_LIMIT)
    at = start
    fields: list[Field] = []
    if raw.startswith((b"From ", b">From "), start):  # an mbox line is no field
        at = _line_end(raw, start, stop)
    fault = ""
    while at < cut:
        found = _FIELD.match(raw, at, cut)
        if found is None:
            if cut < stop and raw.find(b"\n", at, cut) < 0:
                at = cut  # the bound fell into the field's name
            break
        name, value = found.groups()
        if name.startswith(b"--") and boundaries and is_boundary(raw, at, stop, boundaries):
            break
        end = found.end()
        fields.append(Field(name, value[:-1] if value.endswith(b"\r") else value, at, found.start(2), end))
        at = end
    if at >= cut and cut < stop:
        return Section(tuple(fields), *_far_end(raw, at, stop), "the header is longer than 64 KiB", True)
    if at >= stop:
        return Section(tuple(fields), stop, stop, "the header has no end")
    empty = _EMPTY_LINE.match(raw, at, stop)
    if empty:
        return Section(tuple(fields), at, empty.end(), fault)
    return Section(tuple(fields), at, at, "a line in the header is no field")


def is_boundary(raw: bytes, at: int, stop: int, boundaries: Container[bytes]) -> bool:
    """Whether the line at `at` delimits or closes one of the multiparts around (RFC 2046 §5.1.1)."""
    line = raw[at + 2 : min(_line_end(raw, at, stop), at + 1100)].rstrip(b" \t\r\n")
    return line in boundaries or (line.endswith(b"--") and line[:-2] in boundaries)


def _line_end(raw: bytes, at: int, stop: int) -> int:
    end = raw.find(b"\n", at, stop)
    return stop if end < 0 else end + 1


def _far_end(raw: bytes, at: int, stop: int) -> tuple[int, int]:
    """(end of the section, begin of the body) of a section that is too long to be read."""
    from_ = max(at - 1, 0)
    crlf = raw.find(b"\n\r\n", from_, stop)
    lf = raw.find(b"\n\n", from_, crlf + 1 if crlf >= 0 else stop)
    if lf >= 0:
        return lf + 1, lf + 2
    return (crlf + 1, crlf + 3) if crlf >= 0 else (stop, stop)
