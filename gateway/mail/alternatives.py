"""Alternatives: which of the parts of a mail are its text, and the better of plain text and HTML."""

from __future__ import annotations

import re

from gateway.mail.html import ink, split_html, visible_length
from gateway.mail.lines import MOST_CHARACTERS, MOST_LINES, Line, split_plain
from gateway.mail.message import Message
from gateway.mail.part import Part
from gateway.mail.phrases import phrases

_STUBS = phrases(
    """
    html|view this email in|view this message in|im browser|in your browser|dans votre navigateur|en su navegador|
    nel browser|in je browser
    """
)
_STUB_WORDS = phrases(
    """
    client|viewer|browser|display|support|view|anzeig|darstell|unterstütz|afficher|navigateur|visualizza|visualiz|
    weergeven|reader|programm|compatible
    """
)


_CONTAINERS = (
    "gmail_quote",
    '"cite"',
    "divRplyFwdMsg",
    "moz-cite-prefix",
    "yahoo_quoted",
    "protonmail_quote",
    "border-top:solid",
)
"""What only HTML has of a quote's beginning: no doubt, in whatever language."""


_ANY_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,200}>|&(?:#\d+|[a-z]+);")
_SHOWN = re.compile(rb">([^<]+)")
_HEAD_ENDS = (b"</head>", b"</HEAD>", b"</style>", b"</STYLE>")


def body_lines(message: Message, *, html: bool = False) -> tuple[list[Line], bool]:
    """The lines of the text that a reader of the mail sees, and whether something was too long to be read.

    With `html` the HTML of every pair of alternatives counts, whatever the plain text says.
    """
    lines: list[Line] = []
    truncated = False
    for part in _chosen(message.parts, html):
        if len(lines) >= MOST_LINES:  # of all parts together: a line takes a kilobyte of memory
            return lines[:MOST_LINES], True
        text = part.text or ""
        if _is_page(part, text):
            found = split_html(text, part.id)
        else:
            found = split_plain(text, part.id, flowed=part.flowed, delete_space=part.delsp)
        truncated = truncated or len(text) > MOST_CHARACTERS or len(found) >= MOST_LINES
        lines += found
    return lines, truncated


def _is_page(part: Part, text: str) -> bool:
    """Whether a text is HTML, whatever its type says: some programs call a page plain text, and text a page."""
    if part.content_type == "text/html":
        return _ANY_TAG.search(text) is not None or "\n" not in text.strip()
    return text[:200].lstrip("\ufeff \t\r\n")[:14].lower().startswith(("<!doctype html", "<html"))


def html_knows_better(message: Message) -> bool:
    """Whether there is HTML beside the plain text and a quote begins in it where a client says so."""
    pages = [each for each in message.parts if each.in_alternative and each.content_type == "text/html"]
    return any(page.may_hold(words.encode()) and words in (page.text or "") for page in pages for words in _CONTAINERS)


def _chosen(parts: tuple[Part, ...], prefer_html: bool) -> list[Part]:
    texts = [part for part in parts if not part.attachment and part.content_type in ("text/plain", "text/html")]
    chosen: list[Part] = []
    at = 0
    while at < len(texts):
        part = texts[at]
        following = texts[at + 1] if at + 1 < len(texts) else None
        pair = (
            part.in_alternative
            and following is not None
            and following.in_alternative
            and part.content_type != following.content_type
        )
        if not pair or following is None:
            chosen.append(part)
            at += 1
            continue
        plain, html = (part, following) if part.content_type == "text/plain" else (following, part)
        chosen.append(html if prefer_html or _prefers_html(plain.text or "", html) else plain)
        at += 2
    return chosen


def _prefers_html(plain: str, page: Part) -> bool:
    """Whether the plain text is empty, a stub, or plainly shorter than what the HTML shows."""
    text = plain.strip()
    if not text:
        return True
    if len(text) < 400:
        lower = text.lower()
        if any(stub in lower for stub in _STUBS) and any(word in lower for word in _STUB_WORDS):
            html = page.text or ""
            if len(html) > 2 * len(text):
                return visible_length(html, 0) > len(text)
    words = ink(text)
    enough = 2 * words + 200
    if page.size < 3 * len(text) + 1500 or _shows_at_most(page, enough):
        return False
    html = page.text or ""
    return len(html) >= 3 * len(text) + 1500 and visible_length(html, 3 * words + 1000) > enough


def _shows_at_most(page: Part, most: int) -> bool:
    """Whether surely no more characters of the page are seen, told from its octets as they stand: that is cheaper than
    decoding. First of the whole page, for in most heads nothing is seen; then with the "=" of wrapped lines (RFC 2045
    §6.7) still among them; then without."""
    octets = page.raw[page.start : page.end]
    if page.encoding == "base64":
        return page.size <= most
    if _shown_octets(octets, 0) <= most:
        return True
    forms = (octets, octets.replace(b"=\r\n", b""))
    return any(_shown_octets(each, max(0, *map(each.rfind, _HEAD_ENDS))) <= most for each in forms)


def _shown_octets(octets: bytes, start: int) -> int:
    return len(b"".join(_SHOWN.findall(octets, start)).translate(None, b" \t\r\n\v\f"))
