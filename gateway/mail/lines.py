"""Lines: the one shape in which plain text and HTML reach the reader of quotes.

A line remembers where each of its characters stands in the decoded part, so that evidence can be shown in place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from html import unescape
from itertools import islice

MOST_CHARACTERS = 1_000_000
"""Code points of one part that are read; what stands behind them is not judged (hostile sizes only)."""
MOST_LINES = 20_000
MOST_DEPTH = 99

Piece = tuple[int, int, int, bool]
"""(column in the text, start in the source, length in the source, verbatim or else collapsed and unescaped HTML)."""

_TURNS = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
DROPPED = dict.fromkeys(map(ord, "\u00ad\u034f" + _TURNS))
"""Characters without a glyph that mail builders sprinkle into HTML words."""
_SEEN = re.compile(f"[^{_TURNS}]+")
_MARKED = re.compile(r"\n(?:[ >|\uff1e]|[A-Za-z]{1,3}>)")
"""A line that quote marks may stand on."""
_MARKS = (" ", ">", "|", "\uff1e")
_UNSEEN = re.compile(f"[{_TURNS}]")

_FLOWED_MARKS = re.compile(r">*+ ?+(?:> ?+)*+")
"""RFC 3676 §4.1, §4.4: marks, then a stuffed blank; "> > text", too, by clients that quote without knowing of it."""

# The same grammar as the standard library's unescape(), so that text and trace agree.
_UNIT = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)|\s+|[^&\s]|&")


class Line:
    """One line as a reader sees it, without its quote marks.

    `start` is the code point of the part where `text` begins; `pieces` says more where the text is not one
    verbatim run (joined flowed lines, HTML); `skip` counts rendered characters that stood before `text` (quote marks).
    `mark` is "" or what the markup says: "boundary" (a quote surely begins), "hint" (one may begin), "attribution",
    "signature", "rule" (a horizontal rule), "picture" (one stands alone on its line), "label" (a table cell with the
    name of a header field). `zone` numbers the outermost quote container, 0 outside. `links` are the mailto addresses
    on the line. `source` is the HTML.
    """

    # Defaults of the class, not of the instance: a mail has many lines, and nearly all of them need only four values.
    pieces: list[Piece] | None = None
    skip: int = 0
    mark: str = ""
    zone: int = 0
    links: tuple[str, ...] = ()
    source: str = ""
    traces: dict[int, tuple[list[tuple[int, int]], Iterator[tuple[int, int]]]] | None = None
    """Number of a piece -> its trace as far as anybody asked, and the rest of it: several pieces of evidence, with two
    ends each, stand on one line; a whole page of one would take a hundred octets a character."""

    def __init__(self, text: str, depth: int, part: str, start: int) -> None:
        self.text = text
        self.depth = depth
        self.part = part
        self.start = start

    def __repr__(self) -> str:
        return f"Line({self.text!r}, depth={self.depth}, part={self.part!r}, start={self.start}, mark={self.mark!r})"

    def place(self, column: int) -> tuple[int, int]:
        """Start and end, in code points of the part, of the character at `column` of the text."""
        if self.pieces is None:
            return self.start + column, self.start + column + 1
        column += self.skip
        index = bisect_right(self.pieces, column, key=lambda piece: piece[0]) - 1
        if index < 0:
            return self.start, self.start
        first, source, length, verbatim = self.pieces[index]
        if verbatim:
            at = min(source + column - first, source + length)
            return at, min(at + 1, source + length)
        if self.traces is None:
            self.traces = {}
            self._find_verbatim()
            return self.place(column - self.skip)
        if index not in self.traces:
            self.traces[index] = ([], trace(self.source, source, length))
        traced, rest = self.traces[index]
        traced += islice(rest, max(0, column - first + 1 - len(traced)))
        if column - first < len(traced):
            return traced[column - first]
        return source + length, source + length  # the space between two pieces

    def _find_verbatim(self) -> None:
        """Tell which pieces of HTML are read as they stand, nearly all: where their characters are is then a sum."""
        for index, (column, start, length, verbatim) in enumerate(self.pieces or ()):
            raw = self.source[start : start + length]
            shown = raw.lstrip()
            if self.pieces and not verbatim and raw.isascii() and "&" not in raw and shown == " ".join(raw.split()):
                self.pieces[index] = (column, start + length - len(shown), len(shown), True)


def trace(source: str, start: int, length: int) -> Iterator[tuple[int, int]]:
    """For each character that a piece of HTML text renders to: its start and end in the source."""
    space: tuple[int, int] | None = None
    seen = False
    for unit in _UNIT.finditer(source, start, start + length):
        rendered = unit.group()
        if rendered[0] == "&" or not rendered.isascii():
            rendered = unescape(rendered).translate(DROPPED)
        for character in rendered:
            if character.isspace():
                space = space or unit.span()
                continue
            if space is not None and seen:
                yield space
            space, seen = None, True
            yield unit.span()


def split_plain(text: str, part: str, *, flowed: bool = False, delete_space: bool = False) -> list[Line]:
    """Lines of a text/plain part with their quote depth; `flowed` and `delete_space` as in RFC 3676 §4."""
    text = text[:MOST_CHARACTERS]
    lines = _split_flowed(text, part, delete_space) if flowed else _split_fixed(text, part)
    if not text.isascii() and _UNSEEN.search(text) is not None:
        for line in lines:
            if not line.text.isascii() and _UNSEEN.search(line.text) is not None:
                _drop_unseen(line)
    return lines


def _drop_unseen(line: Line) -> None:
    """Take out what has no glyph: phones put marks of direction around labels and addresses."""
    pieces: list[Piece] = []
    runs: list[str] = []
    width = 0
    for column, source, length, _ in line.pieces or [(0, line.start, len(line.text), True)]:
        for run in _SEEN.finditer(line.text, column, min(column + length, len(line.text))):
            pieces.append((width, source + run.start() - column, run.end() - run.start(), True))
            runs.append(run.group())
            width += run.end() - run.start()
    line.text = "".join(runs).rstrip()
    line.pieces = pieces or [(0, line.start, 0, True)]


def _split_fixed(text: str, part: str) -> list[Line]:
    rows = text.split("\n")[:MOST_LINES]
    lines: list[Line] = []
    add = lines.append
    start = 0
    if _MARKED.search(text) is None and text[:1] not in _MARKS and _MARKED.match("\n" + text[:8]) is None:
        for raw in rows:
            add(Line(raw.rstrip(), 0, part, start))
            start += len(raw) + 1
        return lines
    others = 0
    for raw in rows:
        body = raw.rstrip()
        lead = body[:1]
        if lead.isalnum() and body[1:2] != ">" and (body.find(">", 2, 5) < 0):
            add(Line(body, 0, part, start))
            start += len(raw) + 1
            continue
        if lead == " ":
            lead = body.lstrip()[:1]
        if lead == ">" and body.startswith(">>> ") and body.endswith(" >>>"):
            add(Line(body, 0, part, start))  # GroupWise names the author between such marks
        elif lead == ">" or lead == "\uff1e":
            rest = body.lstrip("> " if lead == ">" else "> \uff1e")
            column = len(body) - len(rest)
            depth = 1 if column < 3 else body.count(">", 0, column) + body.count("\uff1e", 0, column)
            if depth == 1 and body.startswith(">From ") and (not lines or not lines[-1].depth):
                depth, column, rest = 0, 1, body[1:]  # mboxrd escaped a line of the writer's own
            add(Line(rest, depth if depth < MOST_DEPTH else MOST_DEPTH, part, start + column))
        else:
            others += lead == "|" or ">" in body[1:5]
            add(Line(body, 0, part, start))
        start += len(raw) + 1
    if others > 1:
        _find_other_marks(lines)
    return lines


def _prefix_of(line: Line) -> str:
    """The quote mark other than ">" that a line begins with ("| ", "JA> "), or ""."""
    text = line.text
    if line.depth or len(text) < 2:
        return ""
    if text[0] == "|":
        return "|" if text.rfind("|") < text.find(" ") or text.count("|") == 1 else ""
    stem, mark, _ = text[:5].partition(">")
    return stem + ">" if mark and 1 <= len(stem) <= 3 and stem.isalpha() and stem.isupper() else ""


def _find_other_marks(lines: list[Line]) -> None:
    """Read "| " and "JA> " as quote marks where at least two neighbours have the same one."""
    prefixes = [_prefix_of(line) for line in lines]
    for index, line in enumerate(lines):
        prefix = prefixes[index]
        if not prefix or prefix not in (prefixes[index - 1] if index else "", *prefixes[index + 1 : index + 2]):
            continue
        rest = (
            line.text.lstrip("|> " if prefix == "|" else " ")
            if prefix == "|"
            else line.text[len(prefix) :].lstrip("> ")
        )
        column = len(line.text) - len(rest)
        depth = line.text.count(prefix[-1], 0, column)
        line.text, line.depth, line.start = rest, depth, line.start + column


def _split_flowed(text: str, part: str, delete_space: bool) -> list[Line]:
    lines: list[Line] = []
    add = lines.append
    start = 0
    last: Line | None = None  # the line before, which asks to be joined
    for raw in text.split("\n")[:MOST_LINES]:
        body, column, depth = raw, 0, 0
        if raw[:1] == ">":
            column = _FLOWED_MARKS.match(raw).end()  # type: ignore[union-attr]  # it matches whatever there is
            body, depth = raw[column:], min(raw.count(">", 0, column), MOST_DEPTH)
        elif raw[:1] == " ":
            body, column = raw[1:], 1  # RFC 3676 §4.4: space-stuffing
        # RFC 3676 §4.3: the signature line is never flowed
        flows = body[-1:] == " " and body != "-- "
        kept = body.rstrip() if not flows else body[:-1] if delete_space else body  # RFC 3676 §4.1, DelSp
        if last is not None and last.depth == depth and body != "-- ":
            if last.pieces is None:
                last.pieces = [(0, last.start, len(last.text), True)]
            last.pieces.append((len(last.text), start + column, len(kept), True))
            last.text += kept
            if not flows:
                last = None
        else:
            if last is not None:
                last.text = last.text.rstrip()
            line = Line(kept, depth, part, start + column)
            add(line)
            last = line if flows else None
        start += len(raw) + 1
    if last is not None:
        last.text = last.text.rstrip()
    return lines
