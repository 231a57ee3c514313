"""The canary: a policy that is enforced on a share of the mail, and observes again when people send all the same.

A share of overrides proves nothing while it is small numbers, so what counts is the lower end of its 95 % interval
(Wilson): only when even that lies above the site's `limits.canary.overrides` does the policy fall back, on all nodes,
until somebody arms it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gateway.admins import Admins
from gateway.evaluation.scores import wilson
from gateway.policy.model import Policy, PolicySet
from gateway.rules import Rules
from gateway.settlements import OVERRIDES, settled
from gateway.site.model import Canary
from gateway.store.governing import PolicyState
from gateway.store.judging import Match
from gateway.store.store import Store

log = structlog.get_logger("gateway.canary")

LOOKED_AT = 4
"""So many times the settled stops that count are looked at, since some of the newest are in doubt or wait again."""

LONGEST = timedelta(days=30)
"""Older stops say nothing about the policy of today."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the newest settled stops of a policy."""

    overrides: int
    settled: int

    def failed(self, rule: Canary) -> bool:
        """True when the share of overrides is surely above the rule's."""
        interval = wilson(self.overrides, self.settled)
        return interval is not None and self.settled >= rule.at_least and interval[0] > rule.overrides / 100


def trial_of(stops: Iterable[Match], last: int) -> Trial:
    """Count the newest `last` settled stops; `stops` come the newest first."""
    ways = [how[0] for stop in stops if (how := settled(stop.history)) is not None][:last]
    return Trial(sum(way in OVERRIDES for way in ways), len(ways))


def on_trial(policies: PolicySet) -> tuple[Policy, ...]:
    """The policies that are enforced on a share of the mail only."""
    return tuple(each for each in policies.policies if each.mode == "enforce" and 0 < each.scope.share < 100)


class Canaries:
    """Looks after the policies on trial, for one process; whoever sees it first lets a policy fall back for all."""

    def __init__(self, rules: Rules, store: Store, admins: Admins, clock: Callable[[], datetime]) -> None:
        self._rules = rules
        self._store = store
        self._admins = admins
        self._clock = clock

    async def step(self, states: Mapping[str, PolicyState]) -> bool:
        """Look at every policy on trial. True when one fell back now. Raises StoreAway."""
        fell = False
        for policy in on_trial(self._rules.current):
            since = self._clock() - LONGEST
            if policy.id in states:  # armed again: its trial starts anew
                since = max(since, states[policy.id].at)
            rule = self._rules.site.limits.canary
            stops = await self._store.holds_of(policy.id, since, LOOKED_AT * rule.last)
            trial = trial_of(stops, rule.last)
            if trial.failed(rule):
                fell |= await self._fall_back(policy, trial)
        return fell

    async def _fall_back(self, policy: Policy, trial: Trial) -> bool:
        why = f"{trial.overrides} of the last {trial.settled} stops were sent all the same"
        values = {"policy": policy.id, "overrides": str(trial.overrides), "number": str(trial.settled)}
        letters = self._admins.letters("canary-off", values)
        if not await self._store.fall_back(policy.id, why, self._clock(), letters):
            return False
        log.warning("a policy on trial falls back to observe", policy=policy.id, why=why)
        self._admins.wake()
        return True
