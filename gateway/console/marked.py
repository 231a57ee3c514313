"""The text of a held mail with the evidence marked in it, part by part. Pure, and bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gateway.mail.message import Message, read_message
from gateway.mail.quoting import split_body

READ = 2 * 1024 * 1024
"""Octets of a mail that are taken apart here; of a larger one, the beginning."""
SHOWN = 32 * 1024
"""Characters of one text that are shown."""
HTML_SHOWN = 64 * 1024
"""Octets of HTML that are shown; nh3 takes minutes for what is made to keep it busy."""
MOST_HEADERS = 100
HEADER_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of a mail. `kind`: "new", "signature", "quote", "forward", …; `runs` are (text, policies that mark
    it), in order."""

    kind: str
    runs: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part of the mail that is no text of its own: what it is, and its name."""

    id: str
    content_type: str
    name: str
    octets: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A held mail for a page."""

    headers: tuple[tuple[str, str], ...]
    pieces: tuple[Piece, ...]
    leaves: tuple[Leaf, ...]
    has_html: bool
    cut: bool


def show_mail(raw: bytes, findings: Iterable[Mapping[str, Any]]) -> Shown:
    """Headers, text with the evidence of the findings marked, and the other parts."""
    message = read_message(raw[:READ])
    marks = _marks(findings)
    pieces: list[Piece] = []
    left = SHOWN
    for block in split_body(message).blocks:
        text = block.text[:left]
        left -= len(text)
        pieces.append(Piece(str(block.kind), _runs(text, marks if block.kind == "new" else {})))
        if left <= 0:
            break
    return Shown(
        tuple((field.name, field.value[:HEADER_SHOWN]) for field in message.headers[:MOST_HEADERS]),
        tuple(pieces),
        tuple(_leaves(message)),
        html_of(message) is not None,
        left <= 0 or len(raw) > READ,
    )


def html_of(message: Message) -> str | None:
    """The first HTML part's text, None where there is none."""
    found = next((part for part in message.parts if part.content_type == "text/html"), None)
    return found.text if found is not None else None


def _leaves(message: Message) -> Iterable[Leaf]:
    for part in message.parts[:MOST_HEADERS]:
        yield Leaf(part.id, part.content_type[:100], (part.filename or "")[:200], part.size)


def _marks(findings: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Evidence text -> the policies that it belongs to; the words, since layouts and HTML change what stands where."""
    found: dict[str, dict[str, None]] = {}
    for finding in findings:
        for span in finding.get("evidence", ()):
            words = str(span.get("text", "")).strip()
            if len(words) > 1 and not str(span.get("part", "")).startswith("header:"):
                found.setdefault(words, {})[str(finding.get("policy", ""))] = None
    return {words: tuple(policies) for words, policies in found.items()}


def quoted(spans: Iterable[Mapping[str, Any]], most: int) -> tuple[tuple[str, str], ...]:
    """(words, part) of evidence, for people to read: what overlaps is said once."""
    found: list[tuple[str, str, int, int]] = []
    for span in spans:
        words, part, start, end = str(span["text"]), str(span["part"]), int(span["start"]), int(span["end"])
        if found and found[-1][1] == part and found[-1][2] <= start <= found[-1][3]:
            last, _, first, until = found[-1]
            if end <= until:
                continue
            if len(last) == until - first and len(words) == end - start:  # neither was shortened
                found[-1] = (last + words[until - start :], part, first, end)
                continue
        found.append((words, part, start, end))
    return tuple((words, part) for words, part, _, _ in found[:most])


def _runs(text: str, marks: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The text, cut where a mark begins or ends. The first place of each evidence counts; overlapping ones join."""
    places: list[tuple[int, int, tuple[str, ...]]] = []
    for words, policies in marks.items():
        at = _find(text, words)
        if at is not None:
            places.append((*at, policies))
    edges = sorted({0, len(text), *(edge for start, end, _ in places for edge in (start, end))})
    runs = []
    for start, end in pairwise(edges):
        here = dict.fromkeys(name for first, last, names in places if first <= start < last for name in names)
        runs.append((text[start:end], tuple(here)))
    return tuple(run for run in runs if run[0])


def _find(text: str, words: str) -> tuple[int, int] | None:
    """Where the words stand, whatever blanks and line ends are between them."""
    at = text.find(words)
    if at >= 0:
        return at, at + len(words)
    parts = words.split()
    start = text.find(parts[0]) if parts else -1
    while start >= 0:
        end = start
        for part in parts:
            while end < len(text) and text[end].isspace():
                end += 1
            if not text.startswith(part, end):
                break
            end += len(part)
        else:
            return start, end
        start = text.find(parts[0], start + 1)
    return None
