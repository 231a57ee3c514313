"""Proof: the links of the log with what their rows say, and checkpoints of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from gateway.chain.checkpoints import Signer
from gateway.chain.verifier import Check
from gateway.store import audit, chains, outbox, strays, witness
from gateway.store.base import Base
from gateway.store.crypto import CannotOpen
from gateway.store.errors import StoreRefused, told
from gateway.store.holds import row_name
from gateway.store.records import OutMail
from gateway.store.schema import checkpoints, log_heads

Checkpoint = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Integrity:
    """Where the proof stands: entries in all chains, those no checkpoint has yet, and the newest checkpoint."""

    instance: str
    chains: int
    entries: int
    uncovered: int
    checkpoints: int
    newest: Checkpoint | None


class Proving(Base):
    """What an auditor asks of the store. What is no coroutine blocks; for commands."""

    def proof(self) -> Iterator[dict[str, Any]]:
        """Every link with its row, chain by chain, then what stands beside the chains. Bounded memory."""
        try:
            with told():
                self.database.check_file()
                with self.database.reader.connect() as connection:
                    if not self.database.is_sqlite:  # what is compared must be of one moment, also while mail comes in
                        connection.execution_options(isolation_level="REPEATABLE READ")
                    yield from chains.proof(connection)
                    yield from ({"kind": "stray", "words": words} for words in strays.strays(connection, self._digest))
        except StoreRefused as refused:  # a value of a type that no gateway writes there, which SQLite allows
            words = f"the tables hold what cannot be read, so this check ends here: {refused}"
            yield {"kind": "stray", "words": words}

    def verified(
        self,
        at_hand: str,
        *,
        keys: Sequence[str] = (),
        points: Sequence[Mapping[str, Any]] | None = None,
        most: int | None = None,
    ) -> Check:
        """Check the whole log, as far as `most` entries; a longer one is not checked to its end (`Check.entries`).

        `points` are checkpoints that were kept elsewhere, else our own; `keys` those that an auditor wrote down, 64 hex
        digits each. Without them the log begins with the key of its first checkpoint, and must have come to the one
        `at_hand` ("" for none): who has the database and not the key could put checkpoints of their own there. Raises
        what `Check.checkpoints` does for points that are none.
        """
        check = Check()
        # Taken before the links are: what comes meanwhile is newer than any checkpoint, and that is no finding.
        ours = self.checkpoints()
        known = list(keys) or [str(ours[0]["key"]) if ours else at_hand]
        check.checkpoints(ours if points is None else points, [bytes.fromhex(key) for key in known])
        for line in self.proof():
            check.line(line)
            if most is not None and check.entries > most:
                return check
        check.end()
        newest = ours[-1] if ours else None
        if not keys and at_hand and newest is not None and newest.get("next_key", newest["key"]) != at_hand:
            words = f"the newest checkpoint is not signed with the key at hand, {at_hand}"
            check.findings.append(("unsigned", words))
        return check

    def _digest(self, sealed: bytes, hold_id: str) -> str | None:
        try:
            return hashlib.sha256(self._sealer.open(sealed, row_name(hold_id))).hexdigest()
        except CannotOpen:
            return "that does not open"

    def integrity(self) -> Integrity:
        """How far checkpoints cover the log, for those who show it. Quick at any size; `proof` checks."""

        def work(connection: Connection) -> Integrity:
            sums = select(
                func.count(),
                func.coalesce(func.sum(log_heads.c.seq), 0),
                func.coalesce(func.sum(log_heads.c.covered), 0),
            )
            number, entries, covered = connection.execute(sums).one()
            count = connection.scalar(select(func.count()).select_from(checkpoints)) or 0
            newest = witness.newest(connection)
            return Integrity(
                chains.instance_of(connection) if number else "",
                number,
                int(entries),
                int(entries) - int(covered),
                count,
                newest,
            )

        return self._read(work)

    def checkpoints(self, after: int = 0) -> list[Checkpoint]:
        """The checkpoints that were made here after number `after`, in their order."""
        return self._read(lambda connection: list(witness.after(connection, after)))

    async def checkpoint(
        self,
        signer: Signer,
        every: timedelta = timedelta(),
        *,
        letters: Callable[[Checkpoint], Sequence[OutMail]] = lambda made: (),
    ) -> Checkpoint | None:
        """Sign what the log has come to, with the mails that carry it; None where nothing is new, the newest checkpoint
        is younger than `every`, or another node was first."""
        try:
            return await self._write(lambda connection: self._checkpoint(connection, signer, every, letters))
        except StoreRefused:
            return None

    def checkpoint_now(
        self, signer: Signer, *, letters: Callable[[Checkpoint], Sequence[OutMail]] = lambda made: ()
    ) -> Checkpoint | None:
        """The same for commands, at once."""
        return self._writer.run_now(lambda connection: self._checkpoint(connection, signer, timedelta(), letters))

    def _checkpoint(
        self,
        connection: Connection,
        signer: Signer,
        every: timedelta,
        letters: Callable[[Checkpoint], Sequence[OutMail]],
    ) -> Checkpoint | None:
        made = witness.make(connection, signer, every=every)
        if made is not None:
            self._mail(connection, letters(made))
        return made

    def _mail(self, connection: Connection, mails: Sequence[OutMail]) -> None:
        sealed = [outbox.Sealed(mail, self._sealer.seal(mail.raw, outbox.row_name(mail.id))) for mail in mails]
        outbox.enqueue(connection, sealed, self._clock(), self.run_id)

    def rotate_now(
        self,
        old: Signer | None,
        new: Signer,
        by: str,
        why: str,
        origin: str,
        *,
        letters: Callable[[Checkpoint], Sequence[OutMail]] = lambda made: (),
    ) -> list[Checkpoint]:
        """Hand over to a new key, in one transaction: an event, a checkpoint by the old key that names the new one, and
        a first checkpoint by the new one. Without the `old` key, which is lost, auditors must be told the new one.
        Blocks. Raises OtherKey."""

        def work(connection: Connection) -> list[Checkpoint]:
            what = "key-rotated" if old else "key-replaced"
            event = audit.Event("log", self._clock(), what, f"to {new.public}: {why}", by, origin)
            audit.add_events(connection, [event], self.run_id, self.origin)
            made = [witness.make(connection, old, next_key=new.public)] if old else []
            event = audit.Event("log", self._clock(), "key-in-use", new.public, by, origin)
            audit.add_events(connection, [event], self.run_id, self.origin)
            made.append(witness.make(connection, new, lost=old is None))
            found = [each for each in made if each is not None]
            for each in found:
                self._mail(connection, letters(each))
            return found

        return self._writer.run_now(work)
