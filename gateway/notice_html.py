"""The HTML beside a notice's plain text: the same words, made from the finished text. Pure.

There is one text for each template and language, and this shows it: paragraphs; words in question, indented and between
quotes; a version to copy, between two dashed lines; answers, indented, each with its link as a button. Everything is
escaped first, so whatever a subject or a name contains is only ever shown. Inline styles, since mail clients drop
sheets; colours that mail clients can turn around for the dark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

SHORT = 40
"""Characters of a last line that is no sentence."""
_ADDRESS = re.compile(r"&lt;[^\s&]{1,40}&gt;|\([^\s()@&]{1,30}@[^\s()@&]{1,30}\)")
_FIELD = re.compile(r"[^\W\d_]{1,12}\s?: \S")
_FRAME = re.compile(r"^(?:- ){5,}-?\s*$")

_PAGE = "margin:0;padding:24px 12px;background:#f4f5f7;"
_SHEET = (
    "max-width:600px;margin:0 auto;padding:24px;background:#ffffff;color:#1f2933;border-radius:8px;"
    "font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
)
_WORDS = "margin:0 0 16px;padding:8px 14px;border-left:4px solid #d9822b;background:#fff7ec;color:#1f2933;"
_DRAFT = (
    "margin:0 0 16px;padding:14px 16px;border:1px solid #c3cfd9;border-radius:6px;background:#f8fafc;color:#1f2933;"
)
_HEAD = "margin:0 0 12px;padding:0 0 10px;border-bottom:1px solid #c3cfd9;color:#52606d;"
"""To, Cc and Subject above a version to copy: they go into other fields than its text."""
_ROW = "padding:0 12px 10px 0;vertical-align:top;"
_BUTTON = (
    "display:inline-block;padding:6px 12px;border-radius:6px;background:#1f5fa8;color:#ffffff;font-weight:600;"
    "text-decoration:none;white-space:nowrap;"
)
_QUIET = (
    "display:inline-block;padding:5px 11px;border:1px solid #1f5fa8;border-radius:6px;background:#ffffff;color:#1f5fa8;"
    "font-weight:600;text-decoration:none;white-space:nowrap;"
)
"""Of all answers but the one that mends the mail best."""
_SMALL = "margin:16px 0 0;color:#52606d;font-size:13px;"


def page(text: str, lang: str, links: Mapping[str, str] = {}, best: str = "") -> str:
    """The whole HTML of a mail. `links` says which label (of an answer) has which mailto: link; `best` is the label of
    the one that stands out, "" where none is better than the others."""
    body = "".join(_blocks(text, links, best))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><style>@media (prefers-color-scheme: dark){'
        ".p{background:#14181d!important}.s{background:#1f262e!important;color:#e6eaee!important}"
        ".w{background:#3a2c17!important;color:#f3e6d3!important}"
        ".d{background:#27303a!important;color:#e6eaee!important;border-color:#44515e!important}"
        ".m{color:#9fb0c0!important}.b{background:#4b8fdd!important;color:#0b1320!important}"
        ".q{background:#1f262e!important;color:#8cc0ff!important;border-color:#8cc0ff!important}"
        ".a{color:#8cc0ff!important}}"
        "@media (max-width:480px){.r td{display:block!important;padding-bottom:4px!important}"
        ".r td+td{padding-bottom:14px!important}.s{padding:18px!important}.p{padding:8px!important}}"
        f'</style></head>\n<body class="p" style="{_PAGE}"><div class="s" style="{_SHEET}">\n{body}'
        "</div></body></html>\n"
    )


def _blocks(text: str, links: Mapping[str, str], best: str) -> list[str]:
    lines = text.strip("\n").split("\n")
    blocks: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif _FRAME.match(line):
            end = next((i for i in range(at + 1, len(lines)) if _FRAME.match(lines[i])), len(lines))
            blocks.append(_draft(lines[at + 1 : end]))
            at = end + 1
        elif line.startswith("    "):
            end = next((i for i in range(at, len(lines)) if not lines[i].startswith("    ")), len(lines))
            shown = _indented([each[4:] for each in lines[at:end]], links, best)
            if not shown and blocks and blocks[-1].endswith(":</p>\n"):
                blocks.pop()  # "Or tap one of these:"; the buttons are there
            blocks += shown
            at = end
        else:
            stops = (i for i in range(at, len(lines)) if not lines[i].strip() or lines[i].startswith("    "))
            end = next(stops, len(lines))
            blocks.append(_paragraph(" ".join(lines[at:end]), last=end == len(lines)))
            at = end
    return blocks


def _paragraph(text: str, *, last: bool) -> str:
    """The mail's number at the end is small; a sentence there is not."""
    small = last and len(text) <= SHORT
    style = f'class="m" style="{_SMALL}"' if small else 'style="margin:0 0 16px;"'
    return f"<p {style}>{_shown(text)}</p>\n"


def _draft(lines: list[str]) -> str:
    """To be copied: every line end stays. Its header fields, if it has some, stand apart."""
    blank = next((i for i, line in enumerate(lines) if not line.strip()), 0)
    head = lines[:blank] if blank > 1 and all(map(_FIELD.match, lines[:blank])) else []
    shown = "<br>\n".join(map(_shown, lines[len(head) + 1 :] if head else lines))
    fields = f'<div class="m" style="{_HEAD}">{"<br>".join(map(_shown, head))}</div>\n' if head else ""
    return f'<div class="d" style="{_DRAFT}">{fields}{shown}</div>\n'


def _shown(text: str) -> str:
    """Escaped; an address is not broken in its middle."""
    return _ADDRESS.sub(lambda found: f'<span style="white-space:nowrap">{found[0]}</span>', escape(text))


def _indented(lines: list[str], links: Mapping[str, str], best: str) -> list[str]:
    out: list[str] = []
    rows: list[str] = []
    words: list[str] = []
    for line in lines:
        label = next((each for each in links if line.startswith(each) and line[len(each) :][:2] in ("  ", "")), None)
        if label is not None:
            rows.append(_answer(label, line[len(label) :].strip(), links[label], best=label == best))
        elif line in links.values():
            continue  # a button has it
        elif rows and line.startswith(" ") and line.strip():
            rows[-1] = rows[-1].replace("</td></tr>", f" {escape(line.strip())}</td></tr>")  # its second line
        else:
            words.append(line)
    if words:
        shown = "<br>\n".join(escape(line) for line in words)
        out.append(f'<blockquote class="w" style="{_WORDS}">{shown}</blockquote>\n')
    if rows:
        out.append('<table role="presentation" class="r" cellspacing="0" cellpadding="0" style="margin:0 0 8px;">\n')
        out += rows
        out.append("</table>\n")
    return out


def _answer(label: str, text: str, link: str, *, best: bool) -> str:
    look = f'class="b" style="{_BUTTON}"' if best else f'class="q" style="{_QUIET}"'
    button = f'<a href="{escape(link)}" {look}>{escape(label)}</a>'
    return f'<tr><td style="{_ROW}">{button}</td><td style="{_ROW}padding-top:6px;">{_shown(text)}</td></tr>\n'
