"""The part of the store that admins ask: the versions of the rules, and judged mail to be judged again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from gateway.store import recorded, versions
from gateway.store.base import Base
from gateway.store.schema import audit
from gateway.store.versions import RuleEvent, Version


class Keeping(Base):
    """Reading methods block: they are for commands."""

    async def keep_version(self, version: Version | None, event: RuleEvent | None) -> None:
        """Keep a set of rules and append to the history, in one transaction."""
        await self._write(lambda connection: self._keep(connection, version, event))

    def keep_version_now(self, version: Version | None, event: RuleEvent | None) -> None:
        """The same for callers without an event loop."""
        self._writer.run_now(lambda connection: self._keep(connection, version, event))

    def _keep(self, connection: Connection, version: Version | None, event: RuleEvent | None) -> None:
        if version is not None:
            versions.keep(connection, version)
        if event is not None:
            versions.add_event(connection, event, self.run_id)

    def rule_events(self, limit: int = 50) -> list[RuleEvent]:
        """The history of the rules, newest first."""
        return self._read(lambda connection: versions.events(connection, limit))

    def rule_version(self, wanted: str) -> Version | None:
        """The version with this id, or the only one that begins so. Raises Ambiguous."""
        return self._read(lambda connection: versions.find(connection, wanted))

    def rule_version_before(self) -> Version | None:
        """What the newest line of the history says is in force; None before the first."""
        return self._read(versions.last)

    def rule_versions(self) -> dict[str, Version]:
        """All versions that are kept, by version, without their files."""
        return self._read(versions.without_files)

    def recorded(self, since: datetime | None) -> Iterator[recorded.Recorded]:
        """Judged mail from `since` on, the oldest first; never more than a page of it in memory."""
        after: tuple[datetime, str] | None = None
        while page := self._read(lambda connection, at=after: recorded.page(connection, since, at)):  # type: ignore[misc]
            yield from page
            after = (page[-1].at, page[-1].id)

    def recorded_count(self, since: datetime | None) -> int:
        """How many those are."""
        query = select(func.count()).select_from(audit)
        if since is not None:
            query = query.where(audit.c.at >= since)
        return self._read(lambda connection: connection.scalar(query) or 0)
