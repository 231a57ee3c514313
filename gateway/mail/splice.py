"""A splice: one edit on original octets, the only way in which the gateway changes a mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Splice:
    """At octet `position` of the unstuffed message, `removed` stands and is replaced by `inserted`."""

    position: int
    inserted: bytes
    removed: bytes = b""


def apply(raw: bytes, splices: Iterable[Splice]) -> bytes:
    """The message with every splice applied. Positions refer to `raw`; splices must not overlap.

    Raises ValueError when the octets to remove are not where the splice says.
    """
    out: list[bytes] = []
    at = 0
    for splice in sorted(splices, key=lambda s: s.position):
        end = splice.position + len(splice.removed)
        if splice.position < at or raw[splice.position : end] != splice.removed:
            raise ValueError(f"the mail has other octets at {splice.position} than the edit expects")
        out += (raw[at : splice.position], splice.inserted)
        at = end
    out.append(raw[at:])
    return b"".join(out)
