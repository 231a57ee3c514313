"""Unigram pieces: a text cut into the pieces that the encoder knows, each with its place in the text.

The algorithm is SentencePiece's (Kudo 2018, subword regularisation, 3.2): of all ways to cut a word into pieces of the
vocabulary, the one whose pieces are likeliest together. No piece goes beyond a blank, so that each word is cut by
itself, and the usual ones only once. Ours instead of the `tokenizers` package, which brings a client of a model hub and
its dependencies along for these few lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.reading.acts.pieces import Piece

OPENS = "\u2581"
"""Stands before the first letter of a word."""
LONGEST_WORD = 60
"""A longer run without a blank (a key, a link, a blob) is one unknown piece."""
UNLIKELY = 10.0
"""An unknown letter is so much less likely than the rarest piece, in natural logarithms."""
KEPT = 20_000
"""Words whose pieces are remembered."""

_WORD = re.compile(r"~{2,}|\S+")
"""What has no blank in it; a run of ~ stands for what is quoted (`Prepared.shown`) and is one unknown piece."""


Cut = tuple[tuple[int, int, int], ...]
"""The pieces of a word: number, start and end in it."""


@dataclass(frozen=True)
class Unigram:
    """`pieces` are those of the vocabulary in order of their numbers, `scores` the logarithms of their chances."""

    pieces: Sequence[str]
    scores: Sequence[float]
    unknown: int
    _known: dict[str, tuple[int, float]] = field(init=False, repr=False, compare=False)
    _longest: int = field(init=False, repr=False, compare=False)
    _least: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbered = enumerate(zip(self.pieces, self.scores, strict=True))
        object.__setattr__(self, "_known", {piece: (number, score) for number, (piece, score) in numbered})
        object.__setattr__(self, "_longest", max(map(len, self.pieces)))
        object.__setattr__(self, "_least", min(self.scores) - UNLIKELY)
        object.__setattr__(self, "_cut_word", lru_cache(maxsize=KEPT)(self._cut_word))

    def cut(self, text: str, start: int, end: int, most: int, lang: str = "") -> list[Piece]:
        """The first `most` pieces of a stretch of a text, in whatever language."""
        found: list[Piece] = []
        for word in _WORD.finditer(text, start, end):
            at, behind = word.span()
            letters = word.group()
            if letters.startswith("~~") or len(letters) > LONGEST_WORD:
                found.append(Piece(self.unknown, at, behind))
            else:
                plain = letters if letters.isascii() else unicodedata.normalize("NFKC", letters)
                same = len(plain) == len(letters)  # else each has the whole word
                for number, first, last in self._cut_word(plain):
                    found.append(Piece(number, at + first, at + last) if same else Piece(number, at, behind))
            if len(found) >= most:
                return found[:most]
        return found

    def _cut_word(self, word: str) -> Cut:
        """The likeliest pieces of a word (Viterbi)."""
        letters = OPENS + word
        size = len(letters)
        best = [0.0] + [float("-inf")] * size
        came: list[tuple[int, int]] = [(0, self.unknown)] * (size + 1)
        for start in range(size):
            for end in range(start + 1, min(size, start + self._longest) + 1):
                known = self._known.get(letters[start:end])
                number, score = known if known is not None else (self.unknown, self._least)
                if (known is not None or end == start + 1) and best[start] + score > best[end]:
                    best[end], came[end] = best[start] + score, (start, number)
        pieces: list[tuple[int, int, int]] = []
        end = size
        while end:
            start, number = came[end]
            first, last = max(0, start - 1), end - 1  # places in the word, which has no mark before it
            if pieces and number == pieces[-1][0] == self.unknown:
                pieces[-1] = (number, first, pieces[-1][2])  # unknown letters side by side are one piece
            elif last > first or number != self.unknown:
                pieces.append((number, first, max(last, 1)))
            end = start
        return tuple(reversed(pieces))
