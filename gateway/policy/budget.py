"""The fatigue budget: how often mail may be stopped before its sender gets advice instead. Pure.

A mail that would be held or rejected is counted against three ceilings: its agent's day, the site's last hour and the
site's day. Where one is reached the mail goes out untouched. What the gateway holds because of a fault of its own is no
stop by a policy: it neither counts nor turns into advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.policy.decision import Decision
from gateway.policy.model import PolicySet
from gateway.reading.facts import Agent
from gateway.site.model import Site

STOPS = ("hold", "reject")
"""The dispositions that count."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most `most` stops from `since` on, of `agent` ("" for all agents together). `day` is the local date."""

    kind: Literal["agent", "hour", "day"]
    agent: str
    since: datetime
    most: int
    day: str

    def __str__(self) -> str:
        """The end of "because there were already …"."""
        return f"{self.most} {_SPANS[self.kind]}"


_SPANS = {"agent": "from this sender today", "hour": "in the last hour", "day": "today"}


def ceilings(decision: Decision, rules: PolicySet, agent: Agent | None, now: datetime) -> tuple[Ceiling, ...]:
    """The ceilings that a stop must stay below; none where it must not turn into advice, whatever there was before.

    `now` is the time of receipt (aware). Days run from midnight to midnight in the zone of the agent's team, the site's
    for all agents together.
    """
    stopping = [rules.get(finding.policy) for finding in decision.enforced if finding.do in STOPS]
    if agent is None or not stopping or any(policy is not None and policy.budget == "never" for policy in stopping):
        return ()
    site, limits = rules.site, rules.site.limits
    own = limits.holds_per_mailbox if site.is_team_mailbox(agent.mailbox.address) else limits.holds_per_agent
    today = day_of(site, now)
    found: list[Ceiling] = []
    if own is not None and agent.mailbox.address:
        start = _midnight(now, site.zone_of(agent.team))
        found.append(Ceiling("agent", agent.mailbox.address, start, own, start.date().isoformat()))
    if limits.holds_per_hour is not None:
        found.append(Ceiling("hour", "", now - timedelta(hours=1), limits.holds_per_hour, today))
    if limits.holds_per_day is not None:
        found.append(Ceiling("day", "", _midnight(now, site.zone), limits.holds_per_day, today))
    return tuple(found)


def day_of(site: Site, now: datetime) -> str:
    """The site's date, like 2026-11-26."""
    return now.astimezone(site.zone).date().isoformat()


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
