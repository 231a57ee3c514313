"""A mailbox: an address and the display name that stood beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of a header or a quoted block.

    `address` is as written (no brackets; may be empty where only a name is known);
    `name` is the decoded display name, without quotes, CR or LF.
    """

    address: str
    name: str = ""

    @property
    def key(self) -> str:
        """The form to compare by: lower case (RFC 5321 §2.4 lets local parts differ by case; people do not)."""
        return self.address.strip().lower()

    @property
    def domain(self) -> str:
        """The lower-case domain, or "" where there is none."""
        return self.key.rpartition("@")[2] if "@" in self.address else ""

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def split_tag(address: str) -> tuple[str, str]:
    """Split a +tag off a lower-cased address: `a+x@d` gives (`a@d`, `x`); no tag gives (`a@d`, "")."""
    local, at, domain = address.strip().lower().rpartition("@")
    base, _, tag = local.partition("+")
    if not at or not base:
        return address.strip().lower(), ""
    return f"{base}@{domain}", tag
