"""A policy, and the set of them that is in force. Immutable; built by the loader."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from gateway.policy.conditions import Condition
from gateway.policy.decision import Decision
from gateway.policy.file import Budget, Do, ExamplePart, Fail, Mode
from gateway.reading.lexicon import Lexicon
from gateway.site.model import Site
from gateway.site.people import domain_of, fold

FAIL_ORDER: tuple[Fail, ...] = ("open", "defer", "hold")
"""What a fault of the gateway does to a mail, the strictest last."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which mail a policy is for; empty means all. `share` is the percentage for which it is enforced."""

    teams: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    share: int = 100
    active_from: date | None = None
    active_until: date | None = None

    def covers(self, *, team: str, requester: str, lang: str, site: Site, now: datetime) -> bool:
        """True for mail of this team, for this requester ("" if unknown), in this language, at this time (aware)."""
        day = now.astimezone(site.zone_of(team)).date()
        return (
            (not self.teams or team in self.teams)
            and (not self.languages or lang in self.languages)
            and (not self.domains or in_domains(requester, self.domains, site))
            and (self.active_from is None or day >= self.active_from)
            and (self.active_until is None or day <= self.active_until)
        )

    def may_cover(self, *, team: str | None, site: Site, now: datetime) -> bool:
        """The same of mail that nobody could read: False only where team or day rule it out. None: the team is
        unknown."""
        day = now.astimezone(site.zone_of(team or "")).date()
        return (
            (not self.teams or team is None or team in self.teams)
            and (self.active_from is None or day >= self.active_from)
            and (self.active_until is None or day <= self.active_until)
        )

    def enforced_for(self, policy: str, thread: str) -> bool:
        """True for the share of threads that the policy is enforced on; the same one is always on the same side."""
        if self.share >= 100:
            return True
        digest = hashlib.sha256(f"{policy}\0{thread}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:4]) % 100 < self.share


def in_domains(address: str, domains: frozenset[str], site: Site) -> bool:
    """True if one of the domains is the address's; `internal`, `external` and `anybody` stand for whole kinds."""
    if not address:
        return False
    inside = site.is_internal(address)
    kinds = {"anybody", "internal" if inside else "external"}
    return bool(domains & kinds) or domain_of(address) in {fold(domain) for domain in domains}


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. `id` is the file's name; `path` is where it was read."""

    id: str
    title: str
    why: str
    when: Condition
    do: Do
    unless: Condition | None = None
    exempt: Condition | None = None
    mode: Mode = "enforce"
    if_unsafe: Literal["hold", "reject"] = "hold"
    rewrite_for: frozenset[str] = frozenset({"internal"})
    adds_requester: bool = False
    fail: Fail = "defer"
    budget: Budget = "counts"
    would_pass: str = ""
    notice: str = ""
    draft: str = ""
    scope: Scope = Scope()
    priority: int = 100
    examples: tuple[ExamplePart, ...] = field(default=(), repr=False)
    path: str = ""
    deadline: float | None = None
    """Seconds of business hours that a held mail waits for an answer; None: as the setting says."""
    teams: Mapping[str, Policy] = field(default_factory=dict, repr=False)
    """The policy as it is for a team that has something different."""
    profiles: Mapping[str, Policy] = field(default_factory=dict, repr=False)
    """The policy in each of its profiles; "" is the one as the file's own words stand."""

    def for_team(self, team: str) -> Policy:
        """What counts for mail of this team."""
        return self.teams.get(team, self)

    def in_profile(self, profile: str) -> Policy:
        """The policy in one of its profiles, the same for all teams."""
        return self.profiles.get(profile, self)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All policies in force with the site and the lexicon they were checked with, the highest priority first.

    `version` is a hash over the content of all files: same version, same mail, same memory, same verdict. `parts` has
    one for each part of them: "policies", "site", "lexicon", "templates".
    """

    policies: tuple[Policy, ...]
    version: str
    site: Site
    lexicon: Lexicon
    parts: Mapping[str, str] = field(default_factory=dict)

    def get(self, policy: str) -> Policy | None:
        return next((each for each in self.policies if each.id == policy), None)

    def observing(self, fallen: frozenset[str]) -> PolicySet:
        """The same policies, those that fell back in observe mode: another verdict, so another version."""
        ids = sorted(fallen & {policy.id for policy in self.policies})
        if not ids:
            return self
        policies = tuple(replace(each, mode="observe") if each.id in fallen else each for each in self.policies)
        version = hashlib.sha256("\0".join([self.version, *ids]).encode()).hexdigest()[:16]
        return replace(self, policies=policies, version=version)

    def fail_for(self, *, team: str | None, mail: str, now: datetime) -> Fail:
        """The strictest `fail` of the policies that may apply to a mail that could not be read; with none, `open`.

        `team` is None where nobody can tell who sends it. Requester and language of such a mail are unknown, so that
        a policy for some of them may apply.
        """
        forms = (
            form
            for policy in self.policies
            for form in ((policy, *policy.teams.values()) if team is None else (policy.for_team(team),))
        )
        may = [
            policy.fail
            for policy in forms
            if policy.mode == "enforce"
            and policy.scope.may_cover(team=team, site=self.site, now=now)
            and policy.scope.enforced_for(policy.id, mail)
        ]
        return max(may, key=FAIL_ORDER.index, default="open")

    def decision_after_fault(self, why: str, *, team: str | None, mail: str, now: datetime) -> Decision | None:
        """What happens to a mail that could not be judged: passed or held as the policies say; None means 451."""
        match self.fail_for(team=team, mail=mail, now=now):
            case "open":
                return Decision("pass", reason=f"{why}; passed unjudged", fail="open", policy_version=self.version)
            case "hold":
                return Decision("hold", reason=f"{why}; held", fail="hold", policy_version=self.version)
        return None
