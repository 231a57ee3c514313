"""Somebody's HTML, so far as it is harmless: words, tables, quotes. For a sandboxed frame all the same."""

from __future__ import annotations

import nh3

from gateway.console.headers import FRAME_STYLE
from gateway.console.marked import HTML_SHOWN

TAGS = frozenset(
    (
        *("a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong"),
        *("sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
    )
)
"""No image, style, form, frame, SVG or MathML; a link keeps its words and loses its target."""

DROPPED = frozenset({"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "textarea"})
"""Whose content goes too."""

ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def frame(html: str, language: str, cut_words: str) -> str:
    """A page with the words and layout of a mail's HTML, of which at most HTML_SHOWN octets are looked at."""
    octets = html.encode("utf-8", "replace")
    cut = len(octets) > HTML_SHOWN
    text = octets[:HTML_SHOWN].decode("utf-8", "ignore")
    clean = nh3.clean(
        text, tags=set(TAGS), clean_content_tags=set(DROPPED), attributes={k: set(v) for k, v in ATTRIBUTES.items()},
        strip_comments=True, link_rel=None, url_schemes=set(),
    )  # fmt: skip
    more = f"<p><em>{nh3.escape(cut_words)}</em></p>" if cut else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>HTML</title>'
        f"<style>{FRAME_STYLE}</style></head><body>{clean}{more}</body></html>"
    )
