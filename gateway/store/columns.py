"""Column types that take what mail contains and give it back: any text, any JSON, times in UTC, sets of hashes."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

RowId = BigInteger().with_variant(Integer, "sqlite")
"""A counted primary key: SQLite counts only INTEGER."""

Key = Text().with_variant(Text(collation="C"), "postgresql")
"""An id of ASCII characters, ordered by octet everywhere."""

ESCAPE = "\x1a"
"""SUB: the character that Unicode and ASCII keep for "something stood here that could not be shown"."""

_UNSTORABLE = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")
_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` with NUL, lone surrogates and SUB itself written as SUB and four hex digits: PostgreSQL refuses the first
    two, UTF-8 the second. `original` takes it back exactly."""
    return _UNSTORABLE.sub(lambda match: f"{ESCAPE}{ord(match[0]):04x}", text)


def original(text: str) -> str:
    """The text as it was given to `storable`."""
    if ESCAPE not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def canonical(value: Any) -> str:
    """One text for one value: sorted keys, no blanks, real characters except the unstorable ones.

    Raises ValueError for NaN and infinities, TypeError for what JSON does not know. Two lone surrogates that make a
    pair are read back as the character they make.
    """
    text = _ENCODER.encode(value)
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)


class Words(TypeDecorator[str]):
    """Text of any kind. With a `limit`, longer text ends in "…": for columns that are indexed or only shown."""

    impl = Text
    cache_ok = True

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self.limit = limit

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if self.limit is not None and len(value) > self.limit:
            value = value[: self.limit - 1] + "…"
        return value if value.isascii() and "\x00" not in value and ESCAPE not in value else storable(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else original(value)


class Json(TypeDecorator[Any]):
    """Canonical JSON as text; read back as lists and dicts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored in UTC to the microsecond; a naive one is refused with ValueError."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


HASHES = 20_000


def octets_of(hashes: Iterable[int]) -> bytes:
    """Eight octets for each number, in their order; of more than HASHES the smallest."""
    return array("Q", sorted(hashes)[:HASHES]).tobytes()


class Hashes(TypeDecorator[frozenset[int]]):
    """A set of unsigned 64-bit numbers, eight octets each, sorted; at most HASHES of them are kept.

    Fewer hashes than there were only makes the leak guard stricter: what it does not know counts as not shown.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> bytes:
        return octets_of(value or ())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> frozenset[int]:
        numbers = array("Q")
        numbers.frombytes(bytes(value or b""))
        return frozenset(numbers)
