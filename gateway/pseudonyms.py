"""Pseudonyms: the log for people who need no names. A person has the same pseudonym in every export of a gateway.

A pseudonym is keyed (HMAC-SHA-256), so nobody without the gateway's key can try names out. Free text may name anybody
and is left out; what is counted (who, team, policy, when, what became of it) stays.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)*")
PEOPLE = ("who", "agent", "requester")
FREE_TEXT = ("why", "subject", "message_id", "sha256")


class Pseudonyms:
    """`key` is a secret of the gateway; what is made from it does not tell it."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"referral-gateway pseudonyms", "sha256")

    def of(self, person: str) -> str:
        """The pseudonym of an address or name, in any case; nobody stays nobody."""
        if not person:
            return ""
        return (
            "person-"
            + hmac.digest(self._key, person.strip().lower().encode("utf-8", "surrogatepass"), "sha256").hex()[:12]
        )

    def veiled(self, value: Any, keep: Callable[[str], bool]) -> Any:
        """Any JSON with a pseudonym in place of each address in its texts, but for those to `keep`."""
        if isinstance(value, str):
            return ADDRESS.sub(lambda found: found[0] if keep(found[0]) else self.of(found[0]), value)
        if isinstance(value, Mapping):
            return {self.veiled(key, keep): self.veiled(inner, keep) for key, inner in value.items()}
        return [self.veiled(inner, keep) for inner in value] if isinstance(value, (list, tuple)) else value

    def line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """A line of an export (`export_forms.fields`, with or without findings and facts) without names."""
        found = dict(line)
        for name in PEOPLE:
            found[name] = self.of(str(line[name]))
        found["recipients"] = [self.of(each) for each in line["recipients"]]
        for name in FREE_TEXT:
            found[name] = ""
        found["origin"] = str(line["origin"]).partition(" ")[0]
        head, slash, tail = str(line["about"]).partition("/")
        found["about"] = f"{head}/{self.of(tail)}" if slash and head == "account" else line["about"]
        if "findings" in line:
            found["findings"] = [{"policy": each.get("policy"), "mode": each.get("mode")} for each in line["findings"]]
        if "facts" in line:
            found["facts"] = _names(line["facts"])
        return found


def _names(facts: Iterable[str]) -> list[str]:
    return sorted(facts)
