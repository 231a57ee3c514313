"""HTML to lines: what a reader sees, which of it mail clients mark as quoted, and where each word stands.

One pass over the tags, each met once, no tree: linear on anything. Hidden text is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from urllib.parse import unquote

from gateway.mail.labels import LABELS
from gateway.mail.lines import DROPPED, MOST_CHARACTERS, MOST_DEPTH, MOST_LINES, Line, Piece
from gateway.mail.phrases import phrases

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
_PARAGRAPHS = frozenset(
    phrases(
        """
    p|h1|h2|h3|h4|h5|h6|ul|ol|pre|table
        """
    )
)
_SELF_CLOSING = frozenset(("p", "li", "dt", "dd", "option"))

_ATTRIBUTE = re.compile(r"""([a-zA-Z][\w:.-]*)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_GLYPHLESS = re.compile("[" + "".join(map(chr, DROPPED)) + "]")
_HIDDEN = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|font-size:[01](?:px|pt|em|%)?(?:;|$|!)|opacity:0(?:;|$|!)|max-height:0|text-indent:-9{3,}"
)
# Containers by id or class: Outlook desktop, OWA and mobile, Outlook for Mac, Yahoo, Thunderbird, Zoho, Proton, Front, Zimbra.
_SURE = frozenset(
    phrases(
        """
    divrplyfwdmsg|olk_src_body_section|mail-editor-reference-message-container|ms-outlook-mobile-reference-message|
    yahoo_quoted|moz-forward-container|zmail_extra|front-blockquote-header|zimbra-quoted
        """
    )
)
_HINTS = frozenset(
    phrases(
        """
    appendonsend|gmail_quote|gmail_quote_container|protonmail_quote|mimestream_quote|missive_quote|hs_reply_quote|
    tutanota_quote|airmail_original|messagereplysection|mailquote|replyforwardheader
        """
    )
)
_ATTRIBUTIONS = frozenset(["gmail_attr", "moz-cite-prefix", "mail-quote-attribution"])
_SIGNATURES = frozenset(
    phrases(
        """
    gmail_signature|moz-signature|ms-outlook-mobile-signature|signature|applemailsignature|hs-email-signature|
    yahoo-signature|protonmail_signature_block|tutanota_signature|gmail_signature_prefix
        """
    )
)
_ZONES = frozenset(
    phrases(
        """
    moz-forward-container|yahoo_quoted|olk_src_body_section|zmail_extra|gmail_quote|gmail_quote_container
        """
    )
)
"""Those that hold the whole quote, so that what follows them is the writer's again."""
_QUOTE_CLASSES = ("quote", "cite", "moz-txt-cite")
_OUTLOOK_RULE = re.compile(
    r"border-top:(?:solid#(?:e1e1e1|b5c4df|cccccc)|solidwindowtext|1ptsolid#|#(?:e1e1e1|b5c4df))"
)
_LEFT_BAR = re.compile(r"border-left:(?!none|0|medium|inherit)(?=[^;]*(?:solid|\d))")


@dataclass(slots=True)
class _Tag:
    """What one spelling of a tag means; the same spelling comes again and again in a mail."""

    name: str
    closing: bool = False
    hidden: bool = False
    quotes: bool = False
    keeps_space: bool | None = None
    region: str = ""
    pending: str = ""
    zone: bool = False
    paragraph: bool = False
    mailto: str = ""
    alt: str = ""


@lru_cache(maxsize=4096)
def _common_meaning(tag: str) -> _Tag:
    """A short tag without an address: clients write the same few in every mail."""
    return _read_tag(tag)


def _meaning(tag: str) -> _Tag:
    return _common_meaning(tag) if len(tag) < 300 and "href" not in tag and "@" not in tag else _read_tag(tag)


def _read_tag(tag: str) -> _Tag:
    """Read `<name a=b …>` (with its brackets)."""
    closing = tag[1] == "/"
    end = at = 2 if closing else 1
    while end < len(tag) and (tag[end].isalnum() or tag[end] in ":-"):
        end += 1
    read = _Tag(tag[at:end].lower(), closing)
    read.paragraph = read.name in _PARAGRAPHS
    if closing or end >= len(tag) - 1:
        read.quotes = read.name == "blockquote" and not closing  # bare: how Markdown writers and ticket systems quote
        return read
    attributes: dict[str, str] = {}
    for key, value in _ATTRIBUTE.findall(tag[end:]):
        if len(attributes) < 30:
            attributes.setdefault(key.lower(), value.strip("\"'"))
    style = re.sub(r"\s", "", unescape(attributes.get("style", "")[:2000]).lower())
    names = [name.removeprefix("x_") for name in attributes.get("class", "").lower().split()]
    identity = attributes.get("id", "").lower()
    identity = identity.removeprefix("x_")
    names.append("yahoo_quoted" if identity.startswith("yahoo_quoted") else identity)
    names.extend(attributes.get(key, "").lower() for key in ("name", "data-smartmail") if key in attributes)
    _read_structure(read, names, style, attributes, tag)
    return read


def _read_structure(read: _Tag, names: list[str], style: str, attributes: dict[str, str], tag: str) -> None:
    read.paragraph = read.paragraph and not any(name.startswith("mso") for name in names)
    read.hidden = bool(style and _HIDDEN.search(style)) or (
        " hidden" in tag and re.search(r"\shidden(?:[\s=>/]|$)", tag) is not None
    )
    if "white-space:" in style:
        read.keeps_space = "white-space:pre" in style
    if read.name == "blockquote":
        read.quotes = (
            attributes.get("type", "").lower() == "cite"
            or "cite" in attributes
            or any(mark in name for name in names for mark in _QUOTE_CLASSES)
            or _LEFT_BAR.search(style) is not None
            or not (style or any(names))
        )
    elif read.name == "div" and "border-left:solid" in style and "padding:0" in style:
        read.quotes = True  # Word's quote bar (border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt)
    elif read.name == "a":
        href = unescape(attributes.get("href", "")[:400])
        if href[:7].lower() == "mailto:":
            read.mailto = unquote(href[7:].partition("?")[0])
    elif read.name == "img" and "data-emoji" in attributes:
        read.alt = attributes.get("alt", "")[:8]
    read.zone = read.quotes
    for name in names:
        read.zone = read.zone or name in _ZONES
        if name in _SURE:
            read.pending = "boundary"
        elif name in _HINTS:
            read.pending = read.pending or "hint"
        elif name in _ATTRIBUTIONS:
            read.region = "attribution"
        elif name in _SIGNATURES and read.name in ("div", "span", "p", "table", "pre", "section"):
            read.region = "signature"
    if not read.pending and "border-top:" in style and _OUTLOOK_RULE.search(style) is not None:
        read.pending = "hint"


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

    def start_tag(self, tag: _Tag, at: int) -> None:
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
    known: dict[str, _Tag] = {}
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
            tag = _meaning(spelling) if following not in "!?" else _Tag("")
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
    """The place of the ">" that ends a tag, where a quoted attribute may hold another ">"; looks 4,000 characters far."""
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
