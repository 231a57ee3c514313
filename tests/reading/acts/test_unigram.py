"""Words cut into pieces, with their places."""

from __future__ import annotations

import pytest

from gateway.reading.acts.pieces import Piece
from gateway.reading.acts.reader import act_reader
from gateway.reading.acts.unigram import Unigram

WORDS = {
    "<unk>": 0.0,
    "\u2581un": -4.0,
    "read": -5.0,
    "able": -5.0,
    "\u2581unread": -12.0,
    "\u2581": -6.0,
    ".": -2.0,
    "\u2581can": -3.0,
}
PIECES = Unigram(list(WORDS), list(WORDS.values()), 0)


def cut(text: str, most: int = 100) -> list[Piece]:
    return PIECES.cut(text, 0, len(text), most)


def test_the_likeliest_pieces_with_their_places() -> None:
    assert cut("unreadable.") == [Piece(1, 0, 2), Piece(2, 2, 6), Piece(3, 6, 10), Piece(6, 10, 11)]


def test_a_longer_piece_is_taken_where_it_is_likelier() -> None:
    usual = Unigram(list(WORDS), [score if word != "\u2581unread" else -8.0 for word, score in WORDS.items()], 0)
    assert usual.cut("unreadable", 0, 10, 9) == [Piece(4, 0, 6), Piece(3, 6, 10)]


def test_unknown_letters_side_by_side_are_one_unknown_piece() -> None:
    assert cut("can ёжик can") == [Piece(7, 0, 3), Piece(5, 4, 5), Piece(0, 4, 8), Piece(7, 9, 12)]


def test_what_is_quoted_and_what_is_far_too_long_is_one_unknown_piece() -> None:
    assert cut("can ~~~~") == [Piece(7, 0, 3), Piece(0, 4, 8)]
    assert cut("x" * 5000) == [Piece(0, 0, 5000)]


def test_only_the_stretch_is_cut() -> None:
    assert PIECES.cut("can can can", 4, 7, 9) == [Piece(7, 4, 7)]


def test_no_more_than_asked_for() -> None:
    assert len(cut("can " * 1000, most=7)) == 7


def test_letters_that_become_several_have_the_place_of_the_word() -> None:
    assert {(piece.start, piece.end) for piece in cut("ﬁnal")} == {(0, 4)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Vous pouvez voir ça avec lui.", ["Vous", "pouvez", "voir", "ça", "avec", "lui", "."]),
        ("Das ist leider nicht möglich", ["Das", "ist", "leider", "nicht", "möglich"]),
    ],
)
def test_usual_words_are_one_piece_in_every_language(text: str, words: list[str]) -> None:
    shipped = act_reader().models[1]
    assert [text[piece.start : piece.end] for piece in shipped.pieces.cut(text, 0, len(text), 50, "")] == words
