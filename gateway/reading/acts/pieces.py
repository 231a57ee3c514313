"""Pieces: what an encoder knows of words. Each of the two encoders has its own way to cut a text into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Addressee = Literal["requester", "others"]
"""Whom a mail goes to: whoever asked, or only others."""
ADDRESSEES: Mapping[Addressee, str] = {"requester": "customer", "others": "team"}
"""Addressee -> the word that tells an encoder. A word that it knows, for its vectors of words are not trained."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`number` in the vocabulary; `start` and `end` are offsets in the text."""

    number: int
    start: int
    end: int


class Pieces(Protocol):
    """A way to cut."""

    def cut(self, text: str, start: int, end: int, most: int, lang: str) -> list[Piece]:
        """The first `most` pieces of a stretch of a text in the language `lang`."""
        ...
