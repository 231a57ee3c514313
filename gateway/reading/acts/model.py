"""A model of the second reader: an encoder, and how it is shown a text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gateway.reading.acts.encoder import Encoder, Floats, Numbers, load_encoder
from gateway.reading.acts.pieces import ADDRESSEES, Addressee, Piece, Pieces
from gateway.reading.acts.unigram import OPENS, Unigram
from gateway.reading.acts.wordpiece import WordPiece
from gateway.reading.sentences import Prepared

Window = list[tuple[int, list[Piece]]]
"""Sentences by number with their pieces, as the encoder sees them together."""
Span = tuple[int, int]
Chances = dict[str, tuple[float, Span]]
"""Act -> how likely a sentence does it, and where it stands in the text."""

WINDOW_PIECES = 140
"""Pieces of the answer that it sees at once; the same as in training."""
MOST_WINDOWS = 4
"""Windows of one mail that are read: a longer answer is none that leaves somebody hanging."""


@dataclass(frozen=True)
class Model:
    """Immutable; the same text gives the same chances."""

    encoder: Encoder
    pieces: Pieces
    first: int
    """The number of the piece that opens a text."""
    between: int
    """The number of the piece that ends a part."""
    addressees: Mapping[Addressee, int]
    """The number of the piece that tells whom a mail goes to."""
    acts: tuple[str, ...]

    def read(
        self, prepared: Prepared, wanted: Collection[int], lang: str, to: Addressee | None = None
    ) -> dict[int, Chances]:
        """What the `wanted` sentences of a text in the language `lang` do, and those that share a window with them.
        `to` tells whom it goes to; None where nobody knows, or to both."""
        of: dict[int, Chances] = {}
        head = [self.first, *([self.addressees[to]] if to else ()), self.between]
        for window in self._windows(prepared, wanted, lang):
            found = [piece for _, pieces in window for piece in pieces]
            chances = self.encoder(*self._input(head, found))[len(head) : -1]
            at = 0
            for sentence, pieces in window:
                of[sentence] = self._whole(chances[at : at + len(pieces)], pieces)
                at += len(pieces)
        return of

    def vectors(self, prepared: Prepared, wanted: Iterable[int], lang: str, most: int) -> dict[int, Floats]:
        """The mean of what two thirds of the layers make of the first `most` pieces of each `wanted` sentence, each for
        itself: (width,). One without pieces has none."""
        cut = {n: self._pieces(prepared, n, most, lang) for n in wanted}
        head = [self.first, self.between]
        texts = {n: self._input(head, pieces) for n, pieces in cut.items() if pieces}
        if not texts:
            return {}
        vectors = self.encoder.vectors(list(texts.values()), len(self.encoder.layers) * 2 // 3)
        return {n: its[len(head) : -1].mean(0) for n, its in zip(texts, vectors, strict=True)}

    def _pieces(self, prepared: Prepared, number: int, most: int, lang: str) -> list[Piece]:
        sentence = prepared.sentences[number]
        return self.pieces.cut(prepared.shown, sentence.start, sentence.end, most, lang)

    def _input(self, head: Sequence[int], pieces: Sequence[Piece]) -> tuple[Numbers, Numbers]:
        """What an encoder is shown: the numbers of `head` and of the pieces of the answer, and the segment of each."""
        numbers = [*head, *(piece.number for piece in pieces), self.between]
        return np.array(numbers), np.repeat([0, 1], [len(head), len(numbers) - len(head)])

    def _windows(self, prepared: Prepared, wanted: Collection[int], lang: str) -> Iterator[Window]:
        """Runs of sentences that the encoder sees together, those with something wanted in them."""
        window: Window = []
        size = given = 0
        for number in range(len(prepared.sentences)):
            pieces = self._pieces(prepared, number, WINDOW_PIECES, lang)
            if not pieces:
                continue
            if size + len(pieces) > WINDOW_PIECES:
                if any(n in wanted for n, _ in window):
                    yield window
                    given += 1
                window, size = [], 0
            if given == MOST_WINDOWS:
                return
            window.append((number, pieces))
            size += len(pieces)
        if any(n in wanted for n, _ in window):
            yield window

    def _whole(self, chances: Floats, pieces: list[Piece]) -> Chances:
        """Of a sentence: what the stronger half of its pieces says, from the first strong piece to the last."""
        half = np.sort(chances, 0)[::-1][: max(1, len(chances) // 2)].mean(0)
        strong = chances >= chances.max(0) / 2
        firsts, lasts = strong.argmax(0), len(pieces) - 1 - strong[::-1].argmax(0)
        return {
            act: (float(half[at]), (pieces[firsts[at]].start, pieces[lasts[at]].end))
            for at, act in enumerate(self.acts)
        }


def load_model(path: Path) -> Model:
    """Read a model as `gateway.training` stored it."""
    encoder, extra = load_encoder(path)
    names, acts = (extra[name].tobytes().decode().split("\n") for name in ("vocabulary", "acts"))
    scores = extra["scores"].tolist() if "scores" in extra else ()
    return Model(encoder, *vocabulary(names, scores), acts=tuple(acts))


def vocabulary(names: Sequence[str], scores: Sequence[float]) -> tuple[Pieces, int, int, Mapping[Addressee, int]]:
    """The way to cut that goes with the pieces `names`, and the numbers of the marks that open a text and end a part,
    and of the pieces that tell whom it goes to. Pieces with `scores` (logarithms of their chances) are those of a
    unigram model."""
    first, between, unknown = map(names.index, ("<s>", "</s>", "<unk>") if scores else ("[CLS]", "[SEP]", "[UNK]"))
    numbers = {piece: number for number, piece in enumerate(names)}
    told: dict[Addressee, int] = {to: numbers[(OPENS if scores else "") + word] for to, word in ADDRESSEES.items()}
    pieces = Unigram(names, scores, unknown) if scores else WordPiece(numbers, unknown)
    return pieces, first, between, told
