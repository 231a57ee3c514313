"""Words that stand in an HTML source and that our reading of it leaves out: hidden ones, fields, drawings, frames.

One mail client shows what another hides, so whoever wants to know all that a mail tells must ask here too.
"""

from __future__ import annotations

import re
from html import unescape

from gateway.mail.html import split_html

SHORT = 12
"""Letters and digits up to which a run of words is taken for a button's or a picture's name."""
MOST_RUNS = 2_000

_TAG = re.compile(r"<[^<>]*>")
_CONDITION = re.compile(r"^\[if [^\]]{0,80}\]>|<!\[endif\]$")
_OPEN = re.compile(r"<(style|script|title|xml|head)\b", re.IGNORECASE)
_NAMES = re.compile(
    r"\b(?:alt|title|value|placeholder|label|content|srcdoc|aria-label|summary)\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')",
    re.IGNORECASE,
)


def leaves_out(html: str) -> bool:
    """True if the source has words outside of comments, styles and scripts that `split_html` does not give."""
    shown = _bare(" ".join(line.text for line in split_html(html, "")))
    runs = _runs(html)
    return len(runs) > MOST_RUNS or any(run not in shown for run in runs)


def named_words(html: str) -> list[str]:
    """What pictures, fields and links of the source are called, and what its comments say: nobody sees it at once."""
    found = [unescape(match[1] or match[2] or "") for match in _NAMES.finditer(html)]
    at = html.find("<!--")
    while at >= 0 and len(found) < MOST_RUNS:
        end = html.find("-->", at + 4)
        end = end if end >= 0 else len(html)
        found.append(unescape(_CONDITION.sub(" ", _TAG.sub(" ", html[at + 4 : end]))))
        at = html.find("<!--", end)
    return [text for text in found if len(_bare(text)) > SHORT]


def _runs(html: str) -> list[str]:
    """Letters and digits between two tags, as far as they are many."""
    runs = []
    for text in _TAG.split(_without_machinery(html)):
        run = _bare(unescape(text))
        if len(run) > SHORT:
            runs.append(run)
    return runs


def _without_machinery(html: str) -> str:
    """The source without comments, and without what is written for browsers only."""
    kept, at = [], 0
    while (start := html.find("<!--", at)) >= 0:
        kept.append(html[at:start])
        end = html.find("-->", start + 4)
        at = end + 3 if end >= 0 else len(html)
    kept.append(html[at:])
    html, kept, at = "".join(kept), [], 0
    while (opened := _OPEN.search(html, at)) is not None:
        kept.append(html[at : opened.start()])
        name = opened[1].lower()
        closed = re.compile(">" if name == "head" else f"</{name}", re.IGNORECASE).search(html, opened.end())
        at = closed.start() if closed else len(html)
    kept.append(html[at:])
    return "".join(kept)


def _bare(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())
