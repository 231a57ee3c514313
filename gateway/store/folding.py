"""Looking for words in any case, the same in every database.

What lower() and ILIKE make of a letter is the database's matter: under a Turkish collation the I of "INVOICE" becomes
an ı, and no search for "invoice" finds it; under C no letter beyond ASCII is folded. So on PostgreSQL only collation C
is asked, which folds ASCII and nothing else, as SQLite does; other letters are looked for in both cases.
"""

from __future__ import annotations

import re
import string
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, cast
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from gateway.store.columns import storable
from gateway.store.subjects import folded

_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def small(text: str) -> str:
    """In small letters, of ASCII alone: what `lowered` gives for the same text."""
    return text.translate(_SMALL)


class lowered(FunctionElement[str]):
    """A column in small letters, of ASCII alone, whatever the collation of the database."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type  # what it is compared with is written as the column is


@compiles(lowered)
def _lower(element: lowered, compiler: Any, **more: Any) -> str:
    return f"lower({compiler.process(element.clauses, **more)})"


@compiles(lowered, "postgresql")
def _lower_in_c(element: lowered, compiler: Any, **more: Any) -> str:
    return f'lower(({compiler.process(element.clauses, **more)}) COLLATE "C")'


def has_words(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Whether a text has these words in it, in any case (on SQLite: of ASCII letters)."""
    plain = lowered(column).contains(small(words), autoescape=True)
    if all(letter.isascii() or len(_cases(letter)) == 1 for letter in words):
        return plain
    wanted = "".join(
        f"[{''.join(cases)}]" if len(cases) > 1 else re.escape(cases[0]) for cases in map(_cases, storable(words))
    )
    return _by_database(plain, cast(column, Text).collate("C").op("~", is_comparison=True)(wanted))


class _by_database(FunctionElement[bool]):
    """The first of two conditions, or the second on PostgreSQL."""

    type = Boolean()
    inherit_cache = True


@compiles(_by_database)
def _first(element: _by_database, compiler: Any, **more: Any) -> str:
    return f"({compiler.process(element.clauses.clauses[0], **more)})"


@compiles(_by_database, "postgresql")
def _second(element: _by_database, compiler: Any, **more: Any) -> str:
    return f"({compiler.process(element.clauses.clauses[1], **more)})"


def _cases(letter: str) -> list[str]:
    """The letter, small and capital; those alone that the subjects in memory take for the same."""
    given = dict.fromkeys((letter, letter.lower(), letter.upper()))
    return [each for each in given if len(each) == 1 and folded(each) == folded(letter)]
