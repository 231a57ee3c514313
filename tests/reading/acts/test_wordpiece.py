"""Words cut into pieces, with their places."""

from __future__ import annotations

from gateway.reading.acts.pieces import Piece
from gateway.reading.acts.wordpiece import WordPiece

WORDS = {"[UNK]": 0, "un": 1, "##read": 2, "##able": 3, "cafe": 4, ".": 5, "'": 6, "t": 7, "can": 8}


def cut(text: str, most: int = 100) -> list[Piece]:
    return WordPiece(WORDS, 0).cut(text, 0, len(text), most)


def test_the_longest_pieces_from_the_left_with_their_places() -> None:
    assert cut("Unreadable.") == [Piece(1, 0, 2), Piece(2, 2, 6), Piece(3, 6, 10), Piece(5, 10, 11)]


def test_accents_and_capitals_count_for_nothing_and_places_stay_right() -> None:
    assert cut("Café. CAFE\u0301") == [Piece(4, 0, 4), Piece(5, 4, 5), Piece(4, 6, 10)]


def test_an_unknown_word_is_one_unknown_piece() -> None:
    assert cut("can xyzzy can") == [Piece(8, 0, 3), Piece(0, 4, 9), Piece(8, 10, 13)]


def test_marks_stand_alone() -> None:
    assert [piece.number for piece in cut("can't")] == [8, 6, 7]


def test_no_more_than_asked_for() -> None:
    assert len(cut("can " * 1000, most=7)) == 7
