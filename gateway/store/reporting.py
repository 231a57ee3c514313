"""Counts for people who ask how things go: by team, policy, month. Never by agent, and no group that is too small.

A count over few people says something about each of them. A group of fewer than SMALLEST people is shown without
numbers; where one group alone is hidden, so that the total would give it away, the next smallest is hidden too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Text, case, cast, func, select
from sqlalchemy.engine import Connection

from gateway.logged import OVERRIDES
from gateway.store.base import Base
from gateway.store.exporting import LogFilter, conditions
from gateway.store.schema import audit, audit_policies

SMALLEST = 5
"""People in a group that is shown with numbers, at least."""

By = Literal["team", "policy", "month"]
EVERYTHING = LogFilter()
STOPS = ("hold", "reject", "rewrite")


@dataclass(frozen=True, slots=True)
class Group:
    """What became of the mail of one team, policy or month. Of a group that is too small `people` and all counts are
    None."""

    name: str
    people: int | None
    mails: int | None
    stopped: int | None
    overridden: int | None

    @property
    def hidden(self) -> bool:
        return self.people is None


class Reporting(Base):
    """For commands and pages: blocks."""

    def report(self, by: By, wanted: LogFilter = EVERYTHING) -> list[Group]:
        """Mail of agents by group, the names in their order; of policies, mail that they matched."""
        return suppressed(self._read(lambda connection: _groups(connection, by, wanted)))


def _groups(connection: Connection, by: By, wanted: LogFilter) -> list[Group]:
    table = audit.join(audit_policies, audit_policies.c.mail_id == audit.c.id) if by == "policy" else audit
    month = func.substr(cast(audit.c.at, Text), 1, 7)
    name = {"team": audit.c.team, "policy": audit_policies.c.policy, "month": month}[by]
    query = (
        select(
            name.label("name"),
            func.count(audit.c.agent.distinct()).label("people"),
            func.count().label("mails"),
            func.sum(case((audit.c.disposition.in_(STOPS), 1), else_=0)).label("stopped"),
            func.sum(case((audit.c.outcome.in_(OVERRIDES), 1), else_=0)).label("overridden"),
        )
        .select_from(table)
        .where(audit.c.agent != "", *conditions(wanted))
        .group_by(name)
        .order_by(name)
    )
    return [Group(str(row.name), row.people, row.mails, int(row.stopped), int(row.overridden)) for row in
            connection.execute(query)]  # fmt: skip


def suppressed(groups: Iterable[Group], smallest: int = SMALLEST) -> list[Group]:
    """Without the numbers of groups that are too small, and of one more where only one would be hidden."""
    groups = list(groups)
    small = {group.name for group in groups if group.people is not None and group.people < smallest}
    if len(small) == 1 and len(groups) > 1:
        small.add(_next(groups, small).name)
    return [
        replace(g, people=None, mails=None, stopped=None, overridden=None) if g.name in small else g for g in groups
    ]


def _next(groups: Sequence[Group], small: set[str]) -> Group:
    return min(
        (group for group in groups if group.name not in small), key=lambda group: (group.people or 0, group.name)
    )
