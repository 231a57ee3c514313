"""Tags: what one HTML tag of a mail means for its reader: hidden, quoted, a signature, the head of a quote.

The containers are those of Outlook (desktop, OWA, mobile, Mac), Gmail, Yahoo, Thunderbird, Apple Mail, Proton, Zoho,
Front, Zimbra, Missive, HubSpot and others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from urllib.parse import unquote

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
_SELF_CLOSING = frozenset(("p", "li", "dt", "dd", "option"))
_PARAGRAPHS = frozenset(
    phrases(
        """
    p|h1|h2|h3|h4|h5|h6|ul|ol|pre|table
        """
    )
)
_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([a-zA-Z][\w:.-]*+)\s*+=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_HIDDEN = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|font-size:[01](?:px|pt|em|%)?(?:;|$|!)|opacity:0(?:;|$|!)|max-height:0|text-indent:-9{3,}"
)
# Containers by id or class.
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
_QUOTE_CLASSES = ("quote", "cite", "moz-txt-cite")
_OUTLOOK_RULE = re.compile(
    r"border-top:(?:solid#(?:e1e1e1|b5c4df|cccccc)|solidwindowtext|1ptsolid#|#(?:e1e1e1|b5c4df))"
)
_LEFT_BAR = re.compile(r"border-left:(?!none|0|medium|inherit)(?=[^;]*(?:solid|\d))")


@dataclass(slots=True)
class Tag:
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
    picture: bool = False
    """A picture that the mail brings along, and that somebody can see."""
    literal: bool = False
    """No tag at all: text that looks like one."""
    changes: bool = False
    """Whether it changes how its content is read."""
    block: bool = False
    """Whether a line ends before and after it."""
    cell: bool = False
    void: bool = False
    """Whether it has no content and no end."""
    raw: bool = False
    """Whether its content is no text."""
    closes_itself: bool = False
    """Whether one of its kind ends where the next begins."""
    plain: bool = False
    """Whether nothing happens where it stands: "<span>", "<b>", "</o:p>"."""


@lru_cache(maxsize=4096)
def _common_meaning(tag: str) -> Tag:
    """A short tag without an address: clients write the same few in every mail."""
    return _read_tag(tag)


def meaning(tag: str) -> Tag:
    return _common_meaning(tag) if len(tag) < 300 and "href" not in tag and "@" not in tag else _read_tag(tag)


def _read_tag(tag: str) -> Tag:
    """Read `<name a=b …>` (with its brackets)."""
    read = _read_spelling(tag)
    if read.name == "pre":
        read.keeps_space = True
    read.changes = bool(read.hidden or read.quotes or read.region or read.zone) or read.keeps_space is not None
    name = read.name
    read.block, read.cell, read.void, read.raw = name in _BLOCKS, name in _CELLS, name in _VOIDS, name in _RAW
    read.closes_itself = name in _SELF_CLOSING
    drawn = read.block or read.cell or read.void or read.raw or read.alt or read.mailto or read.pending
    read.plain = bool(name) and not (drawn or read.changes or read.literal)
    return read


def _read_spelling(tag: str) -> Tag:
    closing = tag[1] == "/"
    end = at = 2 if closing else 1
    while end < len(tag) and (tag[end].isalnum() or tag[end] in ":-"):
        end += 1
    read = Tag(tag[at:end].lower(), closing)
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


def _read_structure(read: Tag, names: list[str], style: str, attributes: dict[str, str], tag: str) -> None:
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
    elif read.name == "img":
        read.alt = attributes.get("alt", "")[:8] if "data-emoji" in attributes else ""
        small = {attributes.get("width", ""), attributes.get("height", "")} & {"0", "1", "2", "0px", "1px", "2px"}
        read.picture = (
            not read.alt and not small and attributes.get("src", "")[:5].lower().startswith(("cid:", "data:"))
        )
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
