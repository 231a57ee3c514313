"""How addresses are compared, so that a person is found under every form and nobody under a look-alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

MOST_KNOWN = 2_000
"""Addresses whose forms for comparing are kept: one mail asks for those of the same few people dozens of times."""


@lru_cache(maxsize=MOST_KNOWN)
def fold(address: str) -> str:
    """Lower case, letter by letter, except where that would turn a foreign letter into an ASCII one.

    "K" (the Kelvin sign) lowers to "k": without the exception, a look-alike address would pass for the real one.
    """
    address = address.strip()
    if address.isascii():
        return address.lower()
    lowered = ((letter, letter.lower()) for letter in address)
    return "".join(letter if not letter.isascii() and low.isascii() else low for letter, low in lowered)


def domain_of(address: str) -> str:
    """The folded domain, "" where there is none."""
    return fold(address).rpartition("@")[2] if "@" in address else ""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Which addresses are one person's: `aliases` and `domains` lead from a folded form to the one for all."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, sets: Iterable[Iterable[str]], domains: Mapping[str, str]) -> Equivalence:
        """Built from sets of addresses (the first of each stands for all) and a map from one domain to another."""
        folded = {fold(old): fold(new) for old, new in domains.items()}
        bare = cls({}, folded)
        aliases: dict[str, str] = {}
        for group in sets:
            keys = [bare.canonical(address) for address in group]
            # Sets that share an address are one set.
            known = [aliases[key] for key in keys if key in aliases]
            first = known[0] if known else (keys[0] if keys else "")
            merged = set(known)
            aliases.update({key: first for key, to in aliases.items() if to in merged})
            aliases.update({key: first for key in keys})
        return cls(aliases, folded)

    def canonical(self, address: str) -> str:
        """The form that stands for this person: folded, without +tag, under the main domain, alias followed."""
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[address] = self._canonical(address)
        return known

    def _canonical(self, address: str) -> str:
        local, at, domain = fold(address).rpartition("@")
        # RFC 5233: what follows "+" only sorts one person's mail. A bare "+x@" keeps it, as it has no base.
        local = local.partition("+")[0] or local
        base = f"{local}@{self.domains.get(domain, domain)}" if at else domain
        return self.aliases.get(base, base)


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Addresses and patterns as a site file lists them. `*` stands for anything but `@`; `*` alone for everybody."""

    exact: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    everybody: bool

    @classmethod
    def of(cls, entries: Iterable[str], same: Equivalence) -> AddressSet:
        entries = list(entries)
        plain = [entry for entry in entries if "*" not in entry]
        return cls(
            exact=frozenset([fold(entry) for entry in plain] + [same.canonical(entry) for entry in plain]),
            patterns=tuple(_pattern(entry) for entry in entries if "*" in entry and entry != "*"),
            everybody="*" in entries,
        )

    def has(self, address: str, same: Equivalence) -> bool:
        """True if the address, or the person it belongs to, is listed."""
        if not address:
            return False
        folded, canonical = fold(address), same.canonical(address)
        if self.everybody or folded in self.exact or canonical in self.exact:
            return True
        return any(pattern.fullmatch(folded) or pattern.fullmatch(canonical) for pattern in self.patterns)


def _pattern(entry: str) -> re.Pattern[str]:
    return re.compile("[^@]*".join(re.escape(piece) for piece in fold(entry).split("*")))
