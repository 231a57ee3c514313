"""What each sentence of a mail does, as chances: the second reader, asked only where something could be stopped.

The phrases of the lexicon are quick and sure of what they know; nobody can list every way to say no. The second reader
has read some ten thousand mails and takes a sentence in the light of the others. It is not shown what was asked: a mail
means the same with its quotes and without, and shown to it, that helped on mail by those who wrote what it has learnt
from, and on nobody else's. It costs tens of milliseconds, so a mail that nothing could come of is never shown to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from gateway.reading.acts.acts import Acts
from gateway.reading.acts.encoder import Encoder, Floats, load_encoder
from gateway.reading.acts.glossary import Glossary, glossary
from gateway.reading.acts.wordpiece import Piece, WordPiece
from gateway.reading.sentences import Prepared

Window = list[tuple[int, list[Piece]]]
"""Sentences by number with their pieces, as the encoder sees them together."""

MODEL = Path(__file__).with_name("acts.npz")
WINDOW_PIECES = 140
"""Pieces of the answer that it sees at once; the same as in training."""
HEAD = 2
"""Pieces before the answer: the mark that opens a text, and the end of an empty part (in training: of the question)."""
LEAST_SHOWN = 0.1
"""Chance from which it is told where in its sentence an act stands."""
MOST_WINDOWS = 4
"""Windows of one mail that are read: a longer answer is none that leaves somebody hanging."""


@dataclass(frozen=True)
class ActReader:
    """Reads sentences. Immutable; the same text gives the same chances (rounded, so that no machine differs)."""

    encoder: Encoder
    pieces: WordPiece
    acts: tuple[str, ...]
    first: int
    """The number of the piece that opens a text ("[CLS]")."""
    between: int
    """The number of the piece that ends a part ("[SEP]")."""

    def read(self, prepared: Prepared, wanted: Collection[int], lang: str) -> Acts:
        """The acts of the `wanted` sentences of a text in the language `lang`, and of those that share a window with
        them."""
        of: dict[int, Mapping[str, float]] = {}
        spans: dict[tuple[int, str], tuple[int, int]] = {}
        for window in self._windows(prepared, wanted, glossary(lang)):
            found = [piece for _, pieces in window for piece in pieces]
            numbers = [self.first, self.between, *(piece.number for piece in found), self.between]
            segments = np.repeat([0, 1], [HEAD, len(numbers) - HEAD])
            chances = self.encoder(np.array(numbers), segments)[HEAD:-1]
            at = 0
            for sentence, pieces in window:
                mine = chances[at : at + len(pieces)]
                at += len(pieces)
                of[sentence] = self._whole(mine)
                for act, chance in of[sentence].items():
                    if chance >= LEAST_SHOWN:
                        spans[sentence, act] = self._strongest(mine[:, self.acts.index(act)], pieces)
        return Acts(of, spans)

    def _windows(self, prepared: Prepared, wanted: Collection[int], english: Glossary | None) -> Iterator[Window]:
        """Runs of sentences that the encoder sees together, those with something wanted in them."""
        window: Window = []
        size = given = 0
        for number, sentence in enumerate(prepared.sentences):
            pieces = self.pieces.cut(prepared.folded, sentence.start, sentence.end, WINDOW_PIECES, english)
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

    def _whole(self, chances: Floats) -> Mapping[str, float]:
        """Of a sentence: what the stronger half of its pieces says."""
        half = np.sort(chances, 0)[::-1][: max(1, len(chances) // 2)]
        return {act: round(float(chance), 3) for act, chance in zip(self.acts, half.mean(0), strict=True)}

    def _strongest(self, chances: Floats, pieces: list[Piece]) -> tuple[int, int]:
        strong = [piece for chance, piece in zip(chances, pieces, strict=True) if chance >= chances.max() / 2]
        return strong[0].start, strong[-1].end


@lru_cache(maxsize=1)
def act_reader() -> ActReader:
    """The shipped model; loading it takes a fraction of a second, once a process."""
    encoder, extra = load_encoder(MODEL)
    names = extra["vocabulary"].tobytes().decode().split("\n")
    vocabulary = {piece: number for number, piece in enumerate(names)}
    acts = tuple(extra["acts"].tobytes().decode().split("\n"))
    pieces = WordPiece(vocabulary, vocabulary["[UNK]"])
    return ActReader(encoder, pieces, acts, vocabulary["[CLS]"], vocabulary["[SEP]"])
