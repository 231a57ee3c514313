"""What admins are told, each thing once, whichever node comes first. A note that cannot be written stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from gateway import limit_notes
from gateway.correspondence import Correspondence, mail_id
from gateway.policy.budget import Ceiling
from gateway.policy.decision import Decision
from gateway.rules import Rules
from gateway.store.errors import StoreAway
from gateway.store.records import OutMail
from gateway.store.store import Store

log = structlog.get_logger("gateway.admins")


class Admins:
    """Writes to the admins of the site file. Without any, what they should hear stands in the log alone."""

    def __init__(self, rules: Rules, store: Store, letters: Correspondence, *, wake: Callable[[], None]) -> None:
        self._rules = rules
        self._store = store
        self._letters = letters
        self.wake = wake
        self._told: set[str] = set()

    @property
    def zone(self) -> ZoneInfo:
        """In which admins read times."""
        return self._rules.site.zone

    def letters(self, name: str, values: Mapping[str, Any]) -> tuple[OutMail, ...]:
        """The note `name` to each admin, in the site's language."""
        site, out = self._rules.site, list[OutMail]()
        if not self._rules.judging:  # then the site is the shipped example, and its admins are nobody
            return ()
        for admin in site.admins:
            try:
                head, now = self._letters.head(), self._letters.clock()
                out.append(limit_notes.to_admin(name, admin, site.lang, values, head, id=mail_id(), now=now))
            except Exception as error:
                log.error("a note to an admin could not be written", note=name, fault=type(error).__name__)
        return tuple(out)

    async def tell(self, key: str, name: str, values: Mapping[str, Any]) -> None:
        """Send the note once for each `key`, over all nodes and restarts. Never raises."""
        if key in self._told:
            return
        try:
            if await self._store.tell_once(key, self.letters(name, values)):
                log.warning("the admins are told", note=name, about=key)
                self.wake()
            if len(self._told) > 1000:
                self._told.clear()  # it only spares the store a question
            self._told.add(key)
        except StoreAway as away:
            log.error("the admins are not told", note=name, about=key, why=str(away))
        except Exception:
            log.exception("the admins are not told", note=name, about=key)

    async def budget_spent(self, reached: Ceiling, team: str, decision: Decision) -> None:
        """Once a day for agents' budgets, once a day for the site's. No agent is named: a spent budget speaks of
        policies, not of a person."""
        kind = "agent" if reached.kind == "agent" else "site"
        values = {
            "limit": reached.kind,
            "number": str(reached.most),
            "team": team,
            "policies": sorted({finding.policy for finding in decision.enforced}),
            "day": reached.day,
        }
        await self.tell(f"budget/{kind}/{reached.day}", "budget", values)
