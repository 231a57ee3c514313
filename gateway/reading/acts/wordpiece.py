"""WordPiece: a text cut into the pieces that the encoder knows, each with its place in the text.

The algorithm is BERT's (Devlin et al. 2019, uncased): words and single marks, in lower case and without accents, each
cut from the left into the longest pieces of the vocabulary. Ours instead of the `tokenizers` package, which brings a
client of a model hub and its dependencies along for these few lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.reading.acts.glossary import Glossary, glossary
from gateway.reading.acts.pieces import Piece

LONGEST_WORD = 100
"""A longer run of letters (a key, a blob) is one unknown piece."""

_WORD = re.compile(r"~{2,}|[^\W_]+|[^\w\s]|_")
"""Words and single marks; a run of ~ stands for what is quoted (`Prepared.shown`) and is one unknown piece."""


@dataclass(frozen=True)
class WordPiece:
    """`vocabulary` maps a piece to its number; pieces that go on within a word begin with "##"."""

    vocabulary: Mapping[str, int]
    unknown: int

    def cut(self, text: str, start: int, end: int, most: int, lang: str = "en") -> list[Piece]:
        """The first `most` pieces of a stretch of a text; in another language, of the English for each word of it."""
        return self._cut(text, start, end, most, glossary(lang))

    def _cut(self, text: str, start: int, end: int, most: int, words: Glossary | None) -> list[Piece]:
        pieces: list[Piece] = []
        for word in _WORD.finditer(text, start, end):
            english = None if words is None else words.english(word.group().lower())
            if english is None:
                self._cut_word(word.group(), word.start(), pieces)
            else:
                whole = word.span()
                pieces += [Piece(piece.number, *whole) for piece in self._cut(english, 0, len(english), most, None)]
            if len(pieces) >= most:
                return pieces[:most]
        return pieces

    def _cut_word(self, word: str, at: int, pieces: list[Piece]) -> None:
        letters, places = _plain(word)
        if not letters:
            return
        whole = self.vocabulary.get(letters)
        if whole is not None:
            pieces.append(Piece(whole, at, at + len(word)))
            return
        found: list[Piece] = []
        start = 0
        while start < len(letters) and len(letters) <= LONGEST_WORD:
            for end in range(len(letters), start, -1):
                number = self.vocabulary.get(("##" if start else "") + letters[start:end])
                if number is not None:
                    found.append(Piece(number, at + places[start], at + places[end - 1] + 1))
                    start = end
                    break
            else:
                break
        if start == len(letters):
            pieces += found
        else:
            pieces.append(Piece(self.unknown, at, at + len(word)))


def _plain(word: str) -> tuple[str, list[int]]:
    """A word in lower case without accents, and for each of its letters the one of the word that it came from."""
    if word.isascii():
        return word.lower(), list(range(len(word)))
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(word):
        for plain in unicodedata.normalize("NFD", letter.lower()):
            if unicodedata.category(plain) != "Mn" and plain != "\ufffd":
                letters.append(plain)
                places.append(place)
    return "".join(letters), places
