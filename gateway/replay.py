"""Judged mail judged again under other policies, and what would come out otherwise.

Two sources: the audit log, which keeps the facts of every mail and none of its text, so that nothing is read again; and
mails in files, which are read anew, each under both folders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.cases import Case, judge
from gateway.policy.decide import decide_on
from gateway.policy.grounds import NotRecorded, from_record
from gateway.policy.model import PolicySet
from gateway.policy.verdict import KINDS, Kind, Verdict, concerned, difference, from_json, verdict
from gateway.store.recorded import Recorded
from gateway.store.versions import Version

SHOWN_IDS = 20
"""Ids kept for each kind of change, for people; `--json` has all of them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mail that the other policies would have judged otherwise. `id` is the gateway's id of it, or its path."""

    id: str
    at: datetime | None
    team: str
    agent: str
    kind: Kind
    was: Verdict
    now: Verdict

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies that make the difference."""
        return concerned(self.was, self.now)


@dataclass(slots=True)
class Tally:
    """What a replay came to, in numbers. `left_out` counts the mails that could not be judged again, by why; `stale`
    those whose facts were read with other words ("lexicon") or for another site ("site") than the other policies
    have."""

    judged: int = 0
    nobodys: int = 0
    """Mail of nobody's agent, which passes under all policies."""
    left_out: Counter[str] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    kinds: Counter[Kind] = field(default_factory=Counter)
    by_team: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    by_policy: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    ids: dict[Kind, list[str]] = field(default_factory=dict)

    def add(self, found: Difference) -> None:
        self.kinds[found.kind] += 1
        self.by_team[found.kind, found.team] += 1
        for policy in found.policies:
            self.by_policy[found.kind, policy] += 1
        ids = self.ids.setdefault(found.kind, [])
        if len(ids) < SHOWN_IDS:
            ids.append(found.id)

    @property
    def differs(self) -> bool:
        return bool(self.kinds)

    def in_order(self) -> Iterator[Kind]:
        return (kind for kind in KINDS if self.kinds[kind])


def replay_recorded(
    rows: Iterable[Recorded], policies: PolicySet, versions: Mapping[str, Version], tally: Tally
) -> Iterator[Difference | None]:
    """Judge recorded mail under `policies`; None for each mail that comes out the same or cannot be judged again.

    A mail is compared with what its own policies said of it, whether or not `observe` let it pass then. `versions` are
    the sets of files that are known, by version.
    """
    asked = {name: policy for policy, names in _names(policies).items() for name in names}
    for row in rows:
        yield _again(row, policies, versions, asked, tally)


def _again(
    row: Recorded, policies: PolicySet, versions: Mapping[str, Version], asked: Mapping[str, str], tally: Tally
) -> Difference | None:
    basis = row.basis
    if basis is None:
        tally.left_out["recorded by an older gateway, which did not keep what is needed"] += 1
        return None
    if "fault" in basis:
        tally.left_out["never read: the gateway had a fault"] += 1
        return None
    if not basis.get("judged"):
        tally.nobodys += 1
        return None
    then = versions.get(row.version)
    missing = sorted(set(asked) - set(then.facts)) if then is not None and then.facts else []
    if missing:
        tally.left_out[f'{asked[missing[0]]} asks for the fact "{missing[0]}", which nobody read then'] += 1
        return None
    grounds = from_record(
        basis, row.facts, requester=row.requester, grade=row.grade, agent=row.agent, team=row.team, lang=row.lang
    )
    try:
        now = verdict(decide_on(grounds, policies, now=row.at))
    except NotRecorded as lacking:
        tally.left_out[f"not recorded: {lacking}"] += 1
        return None
    tally.judged += 1
    if then is not None:
        tally.stale.update(part for part in ("lexicon", "site") if then.parts.get(part) != policies.parts.get(part))
    return _differing(row.id, row.at, row.team, row.agent, from_json(basis["verdict"]), now, tally)


def replay_cases(
    cases: Iterable[Case], before: PolicySet, after: PolicySet, tally: Tally
) -> Iterator[Difference | None]:
    """Read and judge mails anew under both sets; None for each that comes out the same."""
    for case in cases:
        reading, old = judge(case, before)
        again, new = judge(case, after)
        agent = reading.agent or again.agent
        if not reading.judged and not again.judged:
            tally.nobodys += 1
            yield None
            continue
        tally.judged += 1
        team, address = (agent.team, agent.mailbox.address) if agent else ("", "")
        yield _differing(case.path, None, team, address, verdict(old), verdict(new), tally)


def _differing(
    id: str, at: datetime | None, team: str, agent: str, was: Verdict, now: Verdict, tally: Tally
) -> Difference | None:
    kind = difference(was, now)
    if kind is None:
        return None
    found = Difference(id, at, team, agent, kind, was, now)
    tally.add(found)
    return found


def _names(policies: PolicySet) -> dict[str, set[str]]:
    """The facts that each policy asks for, in whatever form of it."""
    asked: dict[str, set[str]] = {}
    for policy in policies.policies:
        for form in (policy, *policy.teams.values()):
            for condition in (form.when, form.unless, form.exempt):
                if condition is not None:
                    asked.setdefault(policy.id, set()).update(condition.names())
    return asked
