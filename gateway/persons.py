"""A person as the store names them: addresses with any +tag, and names that somebody gives. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ERASED = "(erased)"
"""What stands where a row must stay and a name must go."""


@dataclass(frozen=True, slots=True)
class Person:
    """`addresses` in lower case; `names` as people write them, for text that does not have the address."""

    addresses: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds them in a text, and not somebody whose address ends or begins like theirs."""
        found = [_address(address) for address in self.addresses]
        spelled = (r"\s+".join(map(re.escape, name.split())) for name in self.names if name.strip())
        found += [rf"(?<!\w){name}(?!\w)" for name in spelled]
        return re.compile("|".join(found), re.IGNORECASE)

    @property
    def likes(self) -> tuple[str, ...]:
        """LIKE patterns (escape character \\) that every text with them in it fits: what a database can look for."""
        found = []
        for address in self.addresses:
            local, _, domain = address.rpartition("@")
            found.append(f"%{_escaped(local)}%@{_escaped(domain)}%")
        for name in self.names:
            words = "%".join(map(_escaped, name.split()))
            found += [f"%{form}%" for form in dict.fromkeys((words, words.lower(), words.upper()))]
        return tuple(found)

    def in_text(self, text: str) -> bool:
        return self.pattern.search(text) is not None

    def in_value(self, value: Any) -> bool:
        """Whether a value of a row names them, however deep."""
        pattern = self.pattern
        return any(pattern.search(text) for text in texts(value))


def person(address: str, *, also: Iterable[str] = (), names: Iterable[str] = ()) -> Person:
    """Raises ValueError for what is no address."""
    addresses = tuple(dict.fromkeys(each.strip().lower() for each in (address, *also)))
    for each in addresses:
        local, at, domain = each.rpartition("@")
        if not (local and at and domain) or any(ch.isspace() for ch in each):
            raise ValueError(each)
    return Person(addresses, tuple(name.strip() for name in names if name.strip()))


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value or octet string, the keys of its objects too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from texts(inner)


def _address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return rf"(?<![\w.+-]){re.escape(local)}(?:\+[^\s@<>\"]*)?@{re.escape(domain)}(?![\w-]|\.\w)"


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
