"""Evidence in a text: the gateway's own and the label's, marked where each stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from markupsafe import Markup, escape

from gateway.mail.span import Span

ALSO: Mapping[str, tuple[str, ...]] = {
    "bare-refusal": ("refusal",),
    "referral-without-route": ("referral", "redirect_requester"),
    "redirect_requester": ("referral",),
    "handoff_to_colleague": ("referral",),
    "target_named": ("target", "referral"),
    "dropped-requester": ("referral",),
    "no-escalation": ("out_of_scope",),
    "terse-reply": ("terse_unhelpful",),
}
"""The labels whose evidence tells of another one."""

SHORT = 4
"""Code points of evidence that stands by itself or not at all: the "no" of "nothing" is none."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no HTML file can hold, or nobody can see: control characters and halves of surrogate pairs."""


def clean(text: str) -> str:
    """Text that can be written to a page, with LF line ends; as long as it was, but for CR LF."""
    return _UNSEEN.sub("\ufffd", text.replace("\r\n", "\n"))


def words_of(label: str, marked: Mapping[str, str]) -> list[str]:
    """The label's own evidence, and that of the labels that tell of it."""
    return [marked[name] for name in (label, *ALSO.get(label, ())) if name in marked]


def mark(text: str, ours: Iterable[Span], theirs: Iterable[str]) -> Markup:
    """The escaped text with our evidence in <mark class="ours"> and the label's in <mark class="theirs">."""
    cuts = [(*place, "ours") for span in ours if (place := _place(text, clean(span.text), span.start))]
    cuts += [(*place, "theirs") for piece in theirs if (place := _place(text, piece))]
    edges = sorted({0, len(text), *(edge for start, end, _ in cuts for edge in (start, end))})
    out = Markup()
    for start, end in pairwise(edges):
        names = sorted({name for first, last, name in cuts if first <= start and end <= last})
        piece = escape(text[start:end])
        out += Markup('<mark class="{}">{}</mark>').format(" ".join(names), piece) if names else piece
    return out


def not_in(text: str, pieces: Iterable[str]) -> list[str]:
    """The pieces that cannot be marked in the text: they stand elsewhere in the mail, or behind where it is cut."""
    return [piece for piece in pieces if piece.strip() and _place(text, piece) is None]


def _place(text: str, piece: str, start: int | None = None) -> tuple[int, int] | None:
    """Where a piece stands: at `start` if it is there, else the first place where it is no part of a longer word."""
    if not piece.strip():
        return None
    if start is not None and text.startswith(piece, start):
        return start, start + len(piece)
    words = r"\s+".join(map(re.escape, piece.split()))
    found = re.search(rf"(?<!\w){words}(?!\w)", text) or (re.search(words, text) if len(piece) > SHORT else None)
    return found.span() if found else None
