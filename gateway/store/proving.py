"""Proof: the links of the log with what their rows say, and checkpoints of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gateway.chain.checkpoints import Signer
from gateway.store import chains, witness
from gateway.store.base import Base
from gateway.store.errors import told


class Proving(Base):
    """What an auditor asks of the store. All of it blocks; for commands."""

    def proof(self) -> Iterator[dict[str, Any]]:
        """Every link with its row, chain by chain, in bounded memory."""
        with told():
            self.database.check_file()
            with self.database.reader.connect() as connection:
                yield from chains.proof(connection)

    def checkpoints(self) -> list[dict[str, Any]]:
        """All checkpoints that were made here, in their order."""
        return self._read(lambda connection: list(witness.every(connection)))

    def checkpoint(self, signer: Signer, now: datetime) -> dict[str, Any] | None:
        """Sign what the log has come to; None where nothing is new."""
        return self._writer.run_now(lambda connection: witness.make(connection, signer, now))
