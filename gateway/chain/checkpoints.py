"""Signed checkpoints: what all chains had come to at one moment. Pure: the key and the time come in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.chain.verifier import NOTHING, VERSION, checkpoint_octets

Head = tuple[str, int, str]
"""(chain, number of its newest link, that link's hash)."""


class Signer:
    """The private half of the key that checkpoints are signed with (Ed25519, RFC 8032), from its 32 octets."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> str:
        """What an auditor writes down: 64 hex digits."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def checkpoint(
        self,
        instance: str,
        heads: Sequence[Head],
        before: dict[str, Any] | None,
        at: datetime,
        *,
        next_key: str = "",
    ) -> dict[str, Any]:
        """The checkpoint after `before` (None for the first), with the chains that grew since. With `next_key` the key
        with that public half may sign what follows."""
        found: dict[str, Any] = {
            "v": VERSION,
            "kind": "checkpoint",
            "instance": instance,
            "n": before["n"] + 1 if before else 1,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "prev": digest(before) if before else NOTHING,
            "heads": [list(head) for head in heads],
            "key": self.public,
        }
        if next_key:
            found["next_key"] = next_key
        found["signature"] = self._key.sign(checkpoint_octets(found)).hex()
        return found


def digest(checkpoint: dict[str, Any]) -> str:
    """What the next checkpoint calls this one."""
    return hashlib.sha256(checkpoint_octets(checkpoint)).hexdigest()
