"""RE2 over octets, as thin as it gets.

A mail costs some forty searches, of which RE2 itself needs a microsecond each; the match objects of its Python wrapper,
and capture groups where nobody asks for them, made that five.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import re2

MEMORY: Final = 64 << 20
"""Octets that RE2 may use for one automaton; it is filled only as far as mail needs it."""

MOST_KNOWN, LONGEST_KNOWN = 2_000, 40
"""Matches whose groups are kept, and the octets that one of them has at most."""

_ANYWHERE, _HERE = re2._Anchor.UNANCHORED, re2._Anchor.ANCHOR_START

_BEGINNING = rb"\A\n"
"""What every text begins with: RE2 says the same for "nothing" and for "the automaton outgrew its memory"."""

_NAME = re.compile(rb"\(\?P<\w+>")

Span = tuple[int, int]
Named = tuple[Span, Mapping[str, str]]
"""Where the first group of a match stands in it, and what those groups hold that have a name and a part in it."""


def options(*, captures: bool = False) -> re2.Options:
    """Options for patterns over octets (`phrases.octets_of`); without captures, brackets only group."""
    made = re2.Options()
    made.max_mem, made.log_errors, made.never_capture = MEMORY, False, not captures
    made.encoding = re2.Options.Encoding.LATIN1
    return made


class Pattern:
    """A pattern that only tells where it matches."""

    __slots__ = ("_match", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        # RE2 goes on to capture named groups even where it is told never to.
        self._match = re2.compile(_NAME.sub(b"(", source), options())._regexp.Match

    def __reduce__(self) -> tuple[object, ...]:
        """Compiled again on the other side: a reader is a process of its own."""
        return Pattern, (self.source,)

    def find(self, data: bytes, at: int = 0, end: int | None = None) -> Span | None:
        """Where the first match at or behind `at`, and before `end`, begins and ends."""
        span: Span = self._match(_ANYWHERE, data, at, len(data) if end is None else end)[0]
        return None if span[0] < 0 else span


class Captures:
    """A pattern that also tells what its groups matched: dear, so that it is asked about what a `Pattern` has found."""

    __slots__ = ("_known", "_match", "names", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        compiled = re2.compile(source, options(captures=True))
        self._match = compiled._regexp.Match
        self.names: dict[int, str] = {number: name.decode() for name, number in compiled.groupindex.items()}
        self._known: dict[bytes, Named] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return Captures, (self.source,)

    def at(self, data: bytes, start: int, end: int) -> list[Span]:
        """The spans of the whole (first) and of every group, (-1, -1) for those without part in the match.

        `start` and `end` are those of a match of the same pattern, so that this finds it again.
        """
        spans: list[Span] = self._match(_HERE, data, start, end)
        return spans

    def of(self, match: bytes) -> Named:
        """The groups of a match that stands alone; those of short ones are kept, for people write few things so often
        as "on thursday" and "tomorrow"."""
        known = self._known.get(match)
        if known is None:
            spans = self.at(match, 0, len(match))
            held = ((name, spans[number]) for number, name in self.names.items())
            known = spans[1], {name: match[a:b].decode("utf-8", "ignore") for name, (a, b) in held if a < b}
            if len(match) <= LONGEST_KNOWN:
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[match] = known
        return known


class PatternSet:
    """Many patterns in one automaton, which tells in one pass which of them match."""

    def __init__(self, sources: Iterable[bytes]) -> None:
        made = re2.Set.SearchSet(options())
        self.size = 0
        for source in sources:
            made.Add(source)
            self.size += 1
        made.Add(_BEGINNING)
        made.Compile()
        self._match = made._set.Match

    def matching(self, data: bytes) -> list[int] | None:
        """The numbers of the patterns that match; None where the automaton has outgrown its memory."""
        matched: list[int] = self._match(data)
        return [number for number in matched if number < self.size] if matched else None
