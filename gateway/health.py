"""How a policy fares: how often it stopped mail, how that was settled, and how often people sent it all the same. Pure.

It speaks of policies, never of persons: nobody is named, nobody is ranked. Figures over fewer than FEW mails, and teams
of which fewer than FEW people were concerned, are left out, since they would be about somebody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Literal

from gateway.evaluation.scores import wilson
from gateway.settlements import OVERRIDES, Settlement, settled
from gateway.store.judging import Match

FEW = 5
MOST_WHYS = 10
MOST_TIMES = 100_000
"""Times to settle that a median is taken of."""
LONGEST_WHY = 200

Trend = Literal["rising", "falling", "steady"]


@dataclass(slots=True)
class Share:
    """Overrides among settled stops."""

    overrides: int = 0
    settled: int = 0

    def add(self, override: bool) -> None:
        self.overrides += override
        self.settled += 1

    @property
    def few(self) -> bool:
        return self.settled < FEW

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share (Wilson); None over too few."""
        return None if self.few else wilson(self.overrides, self.settled)


@dataclass(slots=True)
class Health:
    """The figures of one policy over one time."""

    policy: str
    matched: int = 0
    observed: int = 0
    rewritten: int = 0
    stopped: int = 0
    rejected: int = 0
    advised: int = 0
    waiting: int = 0
    share: Share = field(default_factory=Share)
    ways: Counter[Settlement] = field(default_factory=Counter)
    teams: dict[str, Share] = field(default_factory=dict)
    """Only those of which at least FEW people were concerned."""
    median_seconds: float | None = None
    trend: Trend | None = None
    """Of the share, the later half of the time against the earlier; None over too few."""
    whys: tuple[tuple[str, int], ...] = ()
    """Why mail was sent all the same, the most frequent first; empty over too few."""


def health_of(policy: str, matches: Iterable[Match], middle: datetime) -> Health:
    """Count the matches of a policy; `middle` parts the time in the halves that the trend compares."""
    found = Health(policy)
    earlier, later = Share(), Share()
    times: list[float] = []
    whys: Counter[str] = Counter()
    teams: dict[str, Share] = {}
    people: dict[str, set[str]] = {}
    for match in matches:
        found.matched += 1
        found.observed += not match.enforced
        found.rewritten += match.enforced and match.outcome == "rewritten"
        found.advised += match.enforced and match.outcome == "advised"
        if not match.stopped:
            continue
        found.stopped += 1
        found.rejected += match.disposition == "reject"
        how = settled(match.history)
        if how is None:
            found.waiting += match.disposition == "hold"
            continue
        way, at, why = how
        override = way in OVERRIDES
        found.ways[way] += 1
        for share in (found.share, later if match.at >= middle else earlier, teams.setdefault(match.team, Share())):
            share.add(override)
        people.setdefault(match.team, set()).add(match.agent.lower())
        if len(times) < MOST_TIMES:
            times.append((at - match.at).total_seconds())
        if override and why.strip():
            whys[" ".join(why.split())[:LONGEST_WHY]] += 1
    found.teams = {team: teams[team] for team in sorted(teams) if len(people[team]) >= FEW}
    if not found.share.few:
        found.median_seconds = median(times)
    if found.share.overrides >= FEW:
        found.whys = tuple(whys.most_common(MOST_WHYS))
    found.trend = _trend(earlier, later)
    return found


def _trend(earlier: Share, later: Share) -> Trend | None:
    """A trend is one only where the two intervals do not meet."""
    before, after = earlier.interval, later.interval
    if before is None or after is None:
        return None
    return "rising" if after[0] > before[1] else "falling" if after[1] < before[0] else "steady"
