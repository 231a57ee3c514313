"""HTML to lines: what a reader sees, which of it mail clients mark as quoted, and where each word stands.

One pass over the tags, each met once, no tree: linear on anything. Hidden text is left out.
"""

from __future__ import annotations

import re
from html import unescape

from gateway.mail.labels import LABELS
from gateway.mail.lines import DROPPED, MOST_CHARACTERS, MOST_DEPTH, MOST_LINES, Line, Piece
from gateway.mail.phrases import phrases
from gateway.mail.tags import Tag, meaning

_BLOCKS = frozenset(
    phrases(
        """
    address|article|aside|blockquote|body|caption|center|dd|details|dir|div|dl|dt|fieldset|figure|footer|form|h1|h2|
    h3|h4|h5|h6|header|hr|html|legend|li|main|menu|nav|ol|p|pre|section|summary|table|tbody|tfoot|thead|tr|ul
        """
    )
)
_VOIDS = frozenset(
    phrases(
        """
    area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr
        """
    )
)
_RAW = frozenset(
    phrases(
        """
    head|iframe|noembed|noframes|object|script|select|style|svg|template|textarea|title|xml
        """
    )
)
_CELLS = frozenset(("td", "th"))
_SELF_CLOSING = frozenset(("p", "li", "dt", "dd", "option"))
_GLYPHLESS = re.compile("[" + "".join(map(chr, DROPPED)) + "]")


class _Page:
    """The lines written so far and the state of the elements that stand open."""

    def __init__(self, source: str, part: str) -> None:
        self.source, self.part = source, part
        self.lines: list[Line] = []
        self.words: list[str] = []
        self.pieces: list[Piece] = []
        self.links: list[str] = []
        self.width = 0
        self.space = False
        self.blank = False  # a no-break space stands on the line: how Word writes an empty one
        self.depth = self.zone = self.zones = 0
        self.hidden = self.keeps_space = False
        self.region = self.pending = ""
        self.open: list[tuple[str, tuple[int, int, bool, bool, str] | None]] = []
        self.counts: dict[str, int] = {}

    def write(self, start: int, end: int) -> None:
        """Add the text between two tags."""
        raw = self.source[start:end]
        if self.keeps_space and "\n" in raw:
            for number, row in enumerate(raw.split("\n")):
                if number:
                    self.end_line(blank=True)
                self._write_run(row, start)
                start += len(row) + 1
            return
        self._write_run(raw, start)

    def _write_run(self, raw: str, start: int) -> None:
        shown = unescape(raw) if "&" in raw else raw
        if not shown.isascii() and _GLYPHLESS.search(shown):
            shown = shown.translate(DROPPED)
        text = " ".join(shown.split())
        if not text:
            self.space = self.space or bool(shown)
            self.blank = self.blank or "\u00a0" in shown
            return
        if self.words and (self.space or shown[0].isspace()):
            self.words.append(" ")
            self.width += 1
        self.pieces.append((self.width, start, len(raw), False))
        self.words.append(text)
        self.width += len(text)
        self.space = shown[-1].isspace()

    def end_line(self, *, blank: bool = False) -> None:
        """Close the line; with `blank` an empty one counts as an empty line."""
        lines = self.lines
        blank = blank or self.blank
        self.space = self.blank = False
        if not self.words:
            if blank and lines and lines[-1].text and len(lines) < MOST_LINES:
                lines.append(self._line("", lines[-1].start, [], ""))
            return
        text = "".join(self.words)
        pieces = self.pieces
        line = self._line(
            text, pieces[0][1], pieces, self.region if self.region and self.pending != "boundary" else self.pending
        )
        if self.links:
            line.links = tuple(self.links)
        if text[0] == ">":  # plain text that was turned into HTML
            rest = text.lstrip("> ")
            line.skip = len(text) - len(rest)
            line.depth = min(line.depth + text.count(">", 0, line.skip), MOST_DEPTH)
            line.text = rest
        if len(lines) < MOST_LINES:
            lines.append(line)
        self.words, self.pieces, self.links, self.width, self.pending = [], [], [], 0, ""

    def _line(self, text: str, start: int, pieces: list[Piece], mark: str) -> Line:
        line = Line(text, self.depth, self.part, start)
        line.pieces, line.source, line.mark, line.zone = pieces, self.source, mark, self.zone
        return line

    def start_tag(self, tag: Tag, at: int) -> None:
        name = tag.name
        if name in _BLOCKS:
            if self.open and name in _SELF_CLOSING and self.open[-1][0] == name:
                self.end_tag(name)
            self.end_line(blank=tag.paragraph and not (self.hidden or tag.hidden))
            if name == "hr" and not self.hidden:
                self.lines.append(self._line("_" * 32, at, [(0, at, 0, True)], "rule"))
        elif name == "br":
            self.end_line(blank=True)
            return
        elif name in _CELLS:
            self.space = True
        elif tag.alt and not self.hidden:
            self.pieces.append((self.width, at, 1, True))
            self.words.append(tag.alt)
            self.width += len(tag.alt)
        if tag.mailto:
            self.links.append(tag.mailto)
        if tag.pending:
            self.pending = tag.pending if self.pending != "boundary" else self.pending
        if name in _VOIDS:
            return
        saved = None
        if tag.hidden or tag.quotes or tag.region or tag.pending or tag.keeps_space is not None or name == "pre":
            saved = (self.depth, self.zone, self.hidden, self.keeps_space, self.region)
            self.hidden = self.hidden or tag.hidden
            self.region = tag.region or self.region
            if name == "pre" or tag.keeps_space is not None:
                self.keeps_space = name == "pre" or bool(tag.keeps_space)
            if tag.quotes:
                self.depth = min(self.depth + 1, MOST_DEPTH)
            if not self.zone and tag.zone:
                self.zones += 1
                self.zone = self.zones
        self.open.append((name, saved))
        self.counts[name] = self.counts.get(name, 0) + 1

    def end_tag(self, name: str) -> None:
        """Close the innermost element of that name and all within; each is closed once, so the whole is linear."""
        if name in _BLOCKS:
            self.end_line(blank=name in ("p", "pre") and bool(self.words) and not self.keeps_space and name == "pre")
        if name in _CELLS:
            self._mark_label()
        if not self.counts.get(name):
            return
        while self.open:
            closed, saved = self.open.pop()
            self.counts[closed] -= 1
            if saved is not None:
                self.depth, self.zone, self.hidden, self.keeps_space, self.region = saved
            if closed == name:
                return

    def _mark_label(self) -> None:
        """A cell with nothing but "To" or "Betreff": Notes heads quoted mail with a table and no colons."""
        if len(self.words) == 1 and self.words[0].lower() in LABELS:
            self.end_line()
        if not self.words and self.lines and not self.lines[-1].mark and self.lines[-1].text.lower() in LABELS:
            self.lines[-1].mark = "label"


def split_html(source: str, part: str) -> list[Line]:
    """Lines of a text/html part (decoded), with depth, marks and places."""
    source = source[:MOST_CHARACTERS]
    page = _Page(source, part)
    known: dict[str, Tag] = {}
    find = source.find
    at = max(find("<body"), 0) or max(find("<BODY"), 0)
    while True:
        opening = find("<", at)
        if opening < 0:
            opening = len(source)
        if opening > at and not page.hidden:
            page.write(at, opening)
        following = source[opening + 1 : opening + 2]
        if not following:
            break
        if following == "!" and source.startswith("<!--", opening):
            at = _after(source, "-->", opening + 4)
            continue
        if not (following.isalpha() or following in "/!?"):
            page.write(opening, opening + 1)  # "a < b"
            at = opening + 1
            continue
        closing = find(">", opening)
        if closing < 0:
            break
        tag = known.get(source[opening : closing + 1])
        if tag is None:
            closing = _end_of_tag(source, opening, closing)
            spelling = source[opening : closing + 1]
            tag = meaning(spelling) if following not in "!?" else Tag("")
            if len(known) < 2000:
                known[spelling] = tag
        at = closing + 1
        if not tag.name:
            continue
        if tag.closing:
            page.end_tag(tag.name)
        elif tag.name in _RAW:
            found = re.compile(f"</{tag.name}[\\s>]", re.IGNORECASE).search(source, at)
            at = (
                found.start()
                if found is not None
                else at
                if tag.name in ("head", "object", "svg", "xml")
                else len(source)
            )
        else:
            page.start_tag(tag, opening)
    page.end_line()
    return page.lines


def _after(source: str, mark: str, at: int) -> int:
    found = source.find(mark, at)
    return found + len(mark) if found >= 0 else len(source)


def _end_of_tag(source: str, opening: int, closing: int) -> int:
    """The place of the ">" that ends a tag; a quoted attribute may hold another ">". Looks 4,000 characters far."""
    if source.count('"', opening, closing) % 2 == 0 and source.count("'", opening, closing) % 2 == 0:
        return closing
    quote = ""
    for at in range(opening, min(opening + 4000, len(source))):
        character = source[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and source[at - 1] in "= \t\n":
            quote = character
        elif character == ">":
            return at
    return closing


def visible_length(source: str) -> int:
    """About how many characters of HTML a reader sees: cheap, for comparing the alternatives of a mail."""
    source = source[:MOST_CHARACTERS]
    start = max(map(source.rfind, ("</head>", "</HEAD>", "</style>", "</STYLE>")))
    return len("".join(re.sub(r"<[^<>]*>|&nbsp;", "", source[max(start, 0) :]).split()))
