"""HTML to lines: what a reader sees, which of it mail clients mark as quoted, and where each word stands.

One pass over the tags, each met once, no tree: linear on anything. Hidden text is left out.
"""

from __future__ import annotations

import re
from html import unescape

from gateway.mail.labels import LABELS
from gateway.mail.lines import DROPPED, MOST_CHARACTERS, MOST_DEPTH, MOST_LINES, Line, Piece
from gateway.mail.tags import Tag, meaning

_TEXTS = re.compile(r">([^<]+)<")
_TOKENS = re.compile(r"(<[^<>]*>)")
_TAG = re.compile(r"<[^<>]*>")
_RUN = re.compile(r">([^<]+)")
_FARTHEST = 4000
"""Characters that a tag may have whose attributes hold "<" or ">"."""
_MOST_KNOWN = 2000
"""Tags, and runs of tags, whose meaning is kept while a page is read."""
_BLANKS = b" \t\n\v\f\r\x1c\x1d\x1e\x1f"
"""Of ASCII, what `str.split` takes for blanks."""
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
        self.blank = False  # a no-break space stands on the line
        self.depth = self.zone = self.zones = 0
        self.hidden = self.keeps_space = False
        self.region = self.pending = ""
        self.names: list[str] = []  # of the open elements, and below what each of them changed
        self.saved: list[tuple[int, int, bool, bool, str] | None] = []
        self.counts: dict[str, int] = {}
        self.endless: set[str] = set()
        self.known: dict[str, Tag] = {}

    def write(self, raw: str, start: int) -> None:
        """Add the text between two tags, which stands at `start`."""
        if raw == " " or (raw == "\n" and not self.keeps_space):
            self.space = True
            return
        if raw == "&nbsp;":  # how Word writes an empty line
            self.space = self.blank = True
            return
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
            if shown:
                self.space = True
                self.blank = self.blank or "\u00a0" in shown
            return
        words = self.words
        if words and (self.space or shown[0].isspace()):
            words.append(" ")
            self.width += 1
        self.pieces.append((self.width, start, len(raw), False))
        words.append(text)
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
        if text[0] == ">" and not (text[:4] == ">>> " and text[-4:] == " >>>"):  # plain text turned into HTML
            rest = text.lstrip("> ")
            line.skip = len(text) - len(rest)
            line.depth = min(line.depth + text.count(">", 0, line.skip), MOST_DEPTH)
            line.text = rest
        if len(lines) < MOST_LINES:
            lines.append(line)
        self.words, self.pieces, self.links, self.width, self.pending = [], [], [], 0, ""

    def _line(self, text: str, start: int, pieces: list[Piece], mark: str) -> Line:
        line = Line(text, self.depth, self.part, start)
        line.pieces, line.source = pieces, self.source
        if mark:
            line.mark = mark
        if self.zone:
            line.zone = self.zone
        return line

    def start_tag(self, tag: Tag, at: int) -> None:
        """Open an element, or draw what has no end (br, hr, img)."""
        name = tag.name
        if tag.block:
            if tag.closes_itself and self.names and self.names[-1] == name:
                self.end_line()
                self.close(name)
            self.end_line(blank=tag.paragraph and not (self.hidden or tag.hidden))
            if name == "hr" and not self.hidden:
                self.lines.append(self._line("_" * 32, at, [(0, at, 0, True)], "rule"))
        elif name == "br":
            self.end_line(blank=True)
            return
        elif tag.cell:
            self.space = True
        elif tag.picture:
            if not (self.hidden or self.words) and len(self.lines) < MOST_LINES:
                self.lines.append(self._line("", at, [(0, at, 0, True)], "picture"))
        elif tag.alt and not self.hidden:
            self.pieces.append((self.width, at, 1, True))
            self.words.append(tag.alt)
            self.width += len(tag.alt)
        if tag.mailto:
            self.links.append(tag.mailto)
        if tag.pending and self.pending != "boundary":
            self.pending = tag.pending
        if tag.void:
            return
        self.names.append(name)
        self.counts[name] = self.counts.get(name, 0) + 1
        if not tag.changes:
            self.saved.append(None)
            return
        self.saved.append((self.depth, self.zone, self.hidden, self.keeps_space, self.region))
        self.hidden = self.hidden or tag.hidden
        self.region = tag.region or self.region
        if tag.keeps_space is not None:
            self.keeps_space = tag.keeps_space
        if tag.quotes:
            self.depth = min(self.depth + 1, MOST_DEPTH)
        if not self.zone and tag.zone:
            self.zones += 1
            self.zone = self.zones

    def plain_tag(self, tag: Tag) -> None:
        """Open or close an element that changes nothing, as most do: only where it stands open matters."""
        name = tag.name
        if not tag.closing:
            self.names.append(name)
            self.saved.append(None)
            self.counts[name] = self.counts.get(name, 0) + 1
        elif self.names and self.names[-1] == name and self.saved[-1] is None:
            self.names.pop()
            self.saved.pop()
            self.counts[name] -= 1
        else:
            self.close(name)

    def end_tag(self, tag: Tag) -> None:
        """Close the innermost element of that name and all within; each is closed once, so the whole is linear."""
        if tag.block:
            self.end_line()
        elif tag.cell:
            self._mark_label()
        self.close(tag.name)

    def close(self, name: str) -> None:
        """Leave the innermost element of that name, if one is open."""
        if not self.counts.get(name):
            return
        closed = ""
        while closed != name:
            closed = self.names.pop()
            self.counts[closed] -= 1
            saved = self.saved.pop()
            if saved is not None:
                self.depth, self.zone, self.hidden, self.keeps_space, self.region = saved

    def _mark_label(self) -> None:
        """A cell with nothing but "To" or "Betreff": Notes heads quoted mail with a table and no colons."""
        if len(self.words) == 1 and self.words[0].lower() in LABELS:
            self.end_line()
        if not self.words and self.lines and not self.lines[-1].mark and self.lines[-1].text.lower() in LABELS:
            self.lines[-1].mark = "label"


Steps = tuple[tuple[Tag, int], ...]
"""What a run of tags does: each tag that does anything, and where it stands in the run."""


def split_html(source: str, part: str) -> list[Line]:
    """Lines of a text/html part (decoded), with depth, marks and places."""
    source = source[:MOST_CHARACTERS]
    page = _Page(source, part)
    at = max(source.find("<body"), 0) or max(source.find("<BODY"), 0)
    resume = at  # what stands before was read already, with something odd (a comment, a script, a quoted attribute)
    first = source.find("<", at)
    text = source[at:first] if first >= 0 else ""
    known: dict[str, Steps | None] = {}
    # Runs of tags, their outer marks off, and the texts between them in turn: a page has few runs, and each often.
    # Only up to the last "<": a search that finds none for one ">" would find none for all those behind it.
    pieces = iter(_TEXTS.split(source[first + 1 : source.rfind("<") + 1])[:-1] if first >= 0 else ())
    for run in pieces:
        start = at + len(text)
        end = start + len(run) + 2
        steps = known.get(run)
        if steps is None and run not in known:
            steps = _steps_of(page, start, end)
            if len(known) < _MOST_KNOWN:
                known[run] = steps
        if steps is None or at < resume:
            resume = _read_tokens(page, at, end, resume)
        else:
            if text and not page.hidden:
                page.write(text, at)
            for tag, place in steps:
                if tag.plain:
                    page.plain_tag(tag)
                elif tag.closing:
                    page.end_tag(tag)
                else:
                    page.start_tag(tag, start + place)
        at, text = end, next(pieces)
    _read_tokens(page, at, len(source), resume)
    page.end_line()
    return page.lines


def _steps_of(page: _Page, start: int, end: int) -> Steps | None:
    """What the run of tags between two offsets does, wherever it stands; None where that depends on what is around it
    (a comment, a script, a tag that goes on, text that looks like one)."""
    run = page.source[start:end]
    if run.count("<") != run.count(">"):
        return None
    steps: list[tuple[Tag, int]] = []
    for found in _TAG.finditer(run):
        tag, goes_on = _tag(page, found.group(), start + found.start())
        if goes_on > start + found.end() or (tag.raw and not tag.closing) or tag.literal:
            return None
        opened = steps[-1][0] if steps and tag.plain and tag.closing else None
        if opened is not None and opened.plain and not opened.closing and opened.name == tag.name:
            steps.pop()  # "<o:p></o:p>"
        elif tag.name:
            steps.append((tag, found.start()))
    return tuple(steps)


def _read_tokens(page: _Page, at: int, end: int, resume: int) -> int:
    """Read texts and tags one by one, from `resume` on; returns where to read on."""
    position, is_tag = at, True
    for token in _TOKENS.split(page.source[at:end]):  # text and tags in turn
        is_tag = not is_tag
        if not token:
            continue
        start, position = position, position + len(token)
        odd = start < resume
        if odd:
            if position <= resume:
                continue
            start, token = resume, page.source[resume:position]
        if odd or not is_tag:
            if "<" in token:
                resume = _odd_text(page, token, start)
            elif not page.hidden:
                page.write(token, start)
            continue
        tag, goes_on = _tag(page, token, start)
        resume = max(resume, goes_on)
        if tag.plain:
            page.plain_tag(tag)
        elif tag.closing:
            page.end_tag(tag)
        elif tag.raw:
            resume = _after_raw(page, tag.name, position)
        elif tag.name:
            page.start_tag(tag, start)
        elif tag.literal and not page.hidden:
            page.write(token, start)
    return resume


def _tag(page: _Page, token: str, start: int) -> tuple[Tag, int]:
    """The meaning of a tag, and where it really ends."""
    tag = page.known.get(token)
    if tag is not None:
        return tag, start + len(token)
    tag, end = _new_tag(page.source, token, start)
    if end <= start + len(token) and len(page.known) < _MOST_KNOWN:
        page.known[token] = tag
    return tag, end


def _new_tag(source: str, token: str, start: int) -> tuple[Tag, int]:
    """The meaning of a tag that was not met before, and where it really ends."""
    end = start + len(token)
    if token.startswith("<!--"):
        return Tag(""), _after(source, "-->", start + 4)
    if token[1] in "!?" or token == "</>":
        return Tag(""), end
    if not (token[1].isalpha() or (token[1] == "/" and token[2].isalpha())):
        return Tag("", literal=True), end  # "5 <6 and 7> 6"
    end = _end_of_tag(source, start, end - 1) + 1
    return meaning(source[start:end]), end


def _odd_text(page: _Page, token: str, start: int) -> int:
    """Text with a lone "<": a comment, a tag with "<" in an attribute, or just that; returns where to read on."""
    at = token.find("<")
    following = token[at + 1 : at + 2]
    resume = start + len(token)
    written = token
    if token.startswith("<!--", at):
        written, resume = token[:at], _after(page.source, "-->", start + at + 4)
    elif following.isalpha():
        closing = page.source.find(">", start + at, start + at + _FARTHEST)
        end = _end_of_tag(page.source, start + at, closing) + 1 if closing >= 0 else 0
        if end > resume:
            written, resume = token[:at], end
            page.start_tag(meaning(page.source[start + at : end]), start + at)
    if written and not page.hidden:
        page.write(written, start)
    return resume


def _after_raw(page: _Page, name: str, at: int) -> int:
    """Where an element ends whose content is no text; one that never ends takes the rest, as in browsers."""
    if name not in page.endless:  # a search that found nothing would find nothing for all those behind it
        found = re.compile(f"</{name}[\\s>]", re.IGNORECASE).search(page.source, at)
        if found is not None:
            return found.start()
        page.endless.add(name)
    return at if name in ("head", "object", "svg", "xml") else len(page.source)


def _after(source: str, mark: str, at: int) -> int:
    found = source.find(mark, at)
    return found + len(mark) if found >= 0 else len(source)


def _end_of_tag(source: str, opening: int, closing: int) -> int:
    """The place of the ">" that ends a tag; a quoted attribute may hold another ">". Looks only so far."""
    if source.count('"', opening, closing) % 2 == 0 and source.count("'", opening, closing) % 2 == 0:
        return closing
    quote = ""
    for at in range(opening, min(opening + _FARTHEST, len(source))):
        character = source[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and source[at - 1] in "= \t\n":
            quote = character
        elif character == ">":
            return at
    return closing


def ink(text: str) -> int:
    """How many characters of a text are no blanks."""
    if text.isascii():
        return len(text.encode().translate(None, _BLANKS))
    return len("".join(text.split()))


def visible_length(source: str, enough: int) -> int:
    """About how many characters of HTML a reader sees; 0 where it surely is less than `enough`."""
    source = source[:MOST_CHARACTERS]
    start = max(map(source.rfind, ("</head>", "</HEAD>", "</style>", "</STYLE>")))
    if len(source) - start < enough:
        return 0
    return ink("".join(_RUN.findall(source, max(start, 0))).replace("&nbsp;", ""))
