"""What admins decide while mail runs: bypasses, and policies that fell back or were armed again."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from gateway.orders import Order
from gateway.store import audit, budget, outbox
from gateway.store.base import Base
from gateway.store.records import OutMail
from gateway.store.schema import audit_events, bypasses, policy_states

BYPASS = "bypass"
"""What stands for a mail's id in the history of bypasses."""

_ORDER = {
    "sqlite": sqlite.insert(bypasses).on_conflict_do_nothing().returning(bypasses.c.id),
    "postgresql": postgresql.insert(bypasses).on_conflict_do_nothing().returning(bypasses.c.id),
}


def policy_subject(policy: str) -> str:
    """What stands for a mail's id in the history of a policy."""
    return f"policy/{policy}"


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What became of a policy beside its file: "observe" since `at` (it fell back), or "armed" again since then."""

    policy: str
    at: datetime
    state: str
    why: str
    by: str


class Governing(Base):
    """Bypasses and fallen policies."""

    async def governed(self, patience: float) -> tuple[Order | None, Mapping[str, PolicyState]]:
        """The newest order and the states of policies, within `patience` seconds. Raises StoreAway."""
        return await self._reader.run(_governed, patience=patience)

    def governed_now(self) -> tuple[Order | None, Mapping[str, PolicyState]]:
        """The same for commands: blocks."""
        return self._read(_governed)

    def history_of(self, subject: str) -> list[tuple[datetime, str, str, str]]:
        """What was decided about BYPASS or a `policy_subject`: (when, what, detail, by), oldest first. Blocks."""
        columns = (audit_events.c.at, audit_events.c.outcome, audit_events.c.detail, audit_events.c.by)
        shown = audit_events.c.outcome.not_in(audit.UNSHOWN)
        query = select(*columns).where(audit_events.c.mail_id == subject, shown).order_by(audit_events.c.id)
        return self._read(lambda connection: [tuple(row) for row in connection.execute(query)])  # type: ignore[misc]

    async def order(self, order: Order) -> bool:
        """Write an order down, with its line in the history. False when it stands there already."""
        return await self._write(lambda connection: self._order(connection, order))

    def order_now(self, order: Order) -> bool:
        """The same for commands: blocks, a few seconds at most."""
        return self._writer.run_now(lambda connection: self._order(connection, order), patience=8.0)

    def _order(self, connection: Connection, order: Order) -> bool:
        values = {"id": order.id, "at": order.at, "until": order.until, "why": order.why, "by": order.by}
        if connection.scalar(_ORDER[connection.dialect.name], values) is None:
            return False
        until = f"until {order.until.isoformat(timespec='minutes')}: " if order.until else ""
        where = f"command on {platform.node()}"
        event = audit.Event(BYPASS, order.at, f"bypass-{order.state}", f"{until}{order.why}", order.by, where)
        audit.add_events(connection, [event], self.run_id, self.origin)
        return True

    async def fall_back(self, policy: str, why: str, now: datetime, notices: Sequence[OutMail]) -> bool:
        """A policy observes from now on, on all nodes. False when it does already: somebody was first."""
        mails = await self._seal_mails(notices)

        def work(connection: Connection) -> bool:
            state = PolicyState(policy, now, "observe", why, "")
            if not self._set_state(connection, state, "canary-off"):
                return False
            outbox.enqueue(connection, mails, now, self.run_id)
            return True

        return await self._write(work)

    def arm_now(self, policy: str, why: str, by: str, now: datetime) -> bool:
        """A policy does again what its file says. False when it has not fallen back. For commands: blocks."""
        state = PolicyState(policy, now, "armed", why, by)
        return self._writer.run_now(lambda connection: self._set_state(connection, state, "armed"))

    def _set_state(self, connection: Connection, new: PolicyState, outcome: str) -> bool:
        budget.stand_in_line(connection)
        row = policy_states.c.policy == new.policy
        old = connection.scalar(select(policy_states.c.state).where(row))
        if (old or "armed") == new.state:
            return False
        values = {"at": new.at, "state": new.state, "why": new.why, "by": new.by}
        if old is None:
            connection.execute(insert(policy_states), {"policy": new.policy, **values})
        else:
            connection.execute(policy_states.update().where(row).values(values))
        where = f"command on {platform.node()}" if new.by else ""
        event = audit.Event(policy_subject(new.policy), new.at, outcome, new.why, new.by, where)
        audit.add_events(connection, [event], self.run_id, self.origin)
        return True


def _governed(connection: Connection) -> tuple[Order | None, Mapping[str, PolicyState]]:
    row = connection.execute(select(bypasses).order_by(bypasses.c.at.desc(), bypasses.c.id.desc()).limit(1)).first()
    order = Order(row.id, row.at, row.until, row.why, row.by) if row is not None else None
    rows = connection.execute(select(policy_states)).all()
    return order, {each.policy: PolicyState(each.policy, each.at, each.state, each.why, each.by) for each in rows}
