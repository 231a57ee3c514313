"""A document of somebody else's that many wait for: fetched once for all of them, and kept for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gateway.console.visit import Refused

KEPT_SECONDS = 3600.0
"""How long a document is believed before it is asked for again."""
AWAY_SECONDS = 5.0
"""How long it is remembered that it could not be had: those who come then are told at once."""

Document = dict[str, Any]


@dataclass
class Fetched:
    """`fetch` gets the document, or raises Refused. For one event loop."""

    fetch: Callable[[], Awaitable[Document]]
    _found: Document | Refused | None = None
    _at: float = 0.0
    _under_way: asyncio.Task[Document | Refused] | None = None

    async def get(self, *, beyond: Document | None = None) -> Document:
        """The document; another one than `beyond`, which has shown itself too old. Raises Refused."""
        found = self._found
        kept = AWAY_SECONDS if isinstance(found, Refused) else KEPT_SECONDS
        if found is None or found is beyond or time.monotonic() - self._at >= kept:
            if self._under_way is None:
                self._under_way = asyncio.create_task(self._fetch())
            # Whoever gives up waiting takes the answer from nobody else.
            found = await asyncio.shield(self._under_way)
        if isinstance(found, Refused):
            raise Refused(found.status, found.key, found.detail)
        return found

    def forget(self) -> None:
        """Ask anew next time, as after a start."""
        self._found = None

    async def _fetch(self) -> Document | Refused:
        found: Document | Refused
        try:
            found = await self.fetch()
        except Refused as refused:
            found = refused
        finally:
            self._under_way = None
        self._found, self._at = found, time.monotonic()
        return found
