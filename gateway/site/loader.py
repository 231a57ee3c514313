"""Reads site.yaml into a Site, or says everything that is wrong with it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.located import BadFiles, Problem, Tree, read_yaml
from gateway.located_model import Fitting, fit
from gateway.mail.address import Mailbox
from gateway.site.calendar import Calendar
from gateway.site.file import DAYS, AgentPart, HoursPart, LimitsPart, OthersPart, PersonPart, SiteFile, TeamPart
from gateway.site.model import AgentEntry, Canary, Department, Limits, Site, Team, TicketSystem
from gateway.site.people import AddressSet, Equivalence, fold

ONLY_TEAM = "support"
"""The team of agents that are listed without one."""


def load_site(source: Path | str, name: str = "") -> Site:
    """The site of a file (a Path), or of a text called `name`. Raises BadFiles with every problem."""
    problems: list[Problem] = []
    site = read_site(source, name, problems)
    if problems or site is None:
        raise BadFiles(problems)
    return site


def read_site(source: Path | str, name: str, problems: list[Problem]) -> Site | None:
    """As much of the site as can be read, None where that is nothing; what is wrong is added to `problems`."""
    tree = read_yaml(source, name, problems)
    fitting = fit(SiteFile, tree, problems) if tree is not None else None
    if fitting is None:
        return None
    build = _Build(fitting)
    site = build.site()
    problems += build.problems
    return site


class _Build:
    """One site file on its way to a Site; collects what single values cannot show."""

    def __init__(self, fitting: Fitting[SiteFile]) -> None:
        self.tree: Tree = fitting.tree
        self.file = file = fitting.file
        self.lost = fitting.lost
        self.problems: list[Problem] = []
        self.same = Equivalence.of(_alias_sets(file), file.domain_aliases)
        self.names: dict[str, str] = {}
        self.agents: dict[str, AgentEntry] = {}
        self.patterns: list[tuple[AddressSet, AgentEntry]] = []

    def site(self) -> Site:
        file, zone = self.file, ZoneInfo(self.file.zone)
        self._name_people()
        calendar = self._calendar(file.hours, zone, ("hours",))
        teams: dict[str, Team] = {}
        if file.agents:
            alone = TeamPart(agents=file.agents)
            if ONLY_TEAM in file.teams:
                self._wrong(
                    ("agents",), f'agents without a team, and a team "{ONLY_TEAM}"', f"teams: {ONLY_TEAM}: agents:"
                )
            teams[ONLY_TEAM] = self._team(ONLY_TEAM, alone, zone, calendar, ())
        for key, part in file.teams.items():
            teams[key] = self._team(key, part, zone, calendar, ("teams", key))
        if not teams and not self.lost("agents") and not self.lost("teams"):
            self.problems.append(
                self.tree.at(1, 1, "no agents and no teams: nothing would be judged", 'agents: ["*"], or teams:')
            )
        site = Site(
            name=file.name,
            internal_domains=frozenset(fold(domain) for domain in file.internal_domains),
            lang=file.lang,
            zone=zone,
            calendar=calendar,
            teams=teams,
            same=self.same,
            agents=self.agents,
            # The pattern for everybody comes last, so that a narrower one decides the team.
            agent_patterns=tuple(sorted(self.patterns, key=lambda pair: pair[0].everybody)),
            departments=tuple(self._others()),
            executives=AddressSet.of((p.address for p in file.executives), self.same),
            confidential=AddressSet.of(file.confidential, self.same),
            ticket_systems=tuple(
                TicketSystem(
                    senders=AddressSet.of(system.senders, self.same),
                    peers=tuple(ipaddress.ip_network(peer, strict=False) for peer in system.peers),
                    headers=tuple(system.headers),
                )
                for system in file.ticket_systems
            ),
            tag_patterns=tuple(_tag_pattern(tag) for tag in file.ticket_tags),
            names=self.names,
            called=frozenset(w for name in self.names.values() if len(w := tuple(name.casefold().split())) > 1),
            notices_address=file.gateway.notices or "",
            feed_address=file.gateway.feed or "",
            limits=_limits(file.limits),
            admins=tuple(Mailbox(person.address, person.name) for person in file.admins),
            logins=self._logins(),
            content=self.tree.data,
        )
        self._check_others(site)
        return site

    def _team(self, key: str, part: TeamPart, zone: ZoneInfo, calendar: Calendar, loc: tuple[str, ...]) -> Team:
        own_zone = ZoneInfo(part.zone) if part.zone else zone
        own = self._calendar(part.hours, own_zone, (*loc, "hours")) if part.hours else calendar
        if part.zone and not part.hours:
            own = self._calendar(self.file.hours, own_zone, ("hours",))
        head = Mailbox(part.supervisor.address, part.supervisor.name) if part.supervisor else None
        team = Team(key, part.name or key, tuple(part.mailboxes), head, part.lang or self.file.lang, own_zone, own)
        for number, address in enumerate(part.mailboxes):
            entry = AgentEntry(address, team.name, key, head, team.lang, shared=True)
            self._add(entry, (*loc, "mailboxes", number))
        for number, agent in enumerate(part.agents):
            self._add(self._entry(agent, team), (*loc, "agents", number))
        return team

    def _entry(self, agent: AgentPart, team: Team) -> AgentEntry:
        head = team.supervisor
        if agent.supervisor:
            head = Mailbox(agent.supervisor, self.names.get(self.same.canonical(agent.supervisor), ""))
        return AgentEntry(
            agent.address, agent.name, team.id, head, agent.lang or team.lang, delegates=tuple(agent.delegates)
        )

    def _add(self, entry: AgentEntry, loc: tuple[str | int, ...]) -> None:
        if "*" in entry.address:
            self.patterns.append((AddressSet.of([entry.address], self.same), entry))
            return
        # An exact +tag address keeps its own team: support+de@ and support+fr@ can be two teams' mailboxes.
        key = fold(entry.address)
        first = self.agents.get(key)
        if first is not None:
            self._wrong(
                loc, f"{entry.address} stands here a second time (first in team {first.team})", "each address once"
            )
            return
        self.agents[key] = entry
        self.agents.setdefault(self.same.canonical(entry.address), entry)

    def _others(self) -> Iterable[tuple[AddressSet, Department]]:
        kinds: tuple[tuple[str, dict[str, OthersPart]], ...] = (
            ("departments", self.file.departments),
            ("vendors", self.file.vendors),
        )
        for section, parts in kinds:
            for key, part in parts.items():
                people = tuple(Mailbox(person.address, person.name) for person in part.people)
                yield (
                    AddressSet.of([*part.addresses, *(person.address for person in people)], self.same),
                    Department(
                        key,
                        part.name or key,
                        "vendor" if section == "vendors" else "department",
                        tuple(part.addresses),
                        people,
                    ),
                )

    def _logins(self) -> dict[str, str]:
        """Account names in lower case: mail servers take them in any."""
        found: dict[str, str] = {}
        for name, address in self.file.logins.items():
            key = name.strip().lower()
            if not key:
                self._wrong(("logins", name), "no account name", "the name that this person logs in with")
            elif found.setdefault(key, address) != address:
                self._wrong(
                    ("logins", name), f'"{name}" stands here a second time (first for {found[key]})', "each name once"
                )
        return found

    def _check_others(self, site: Site) -> None:
        """An address cannot be an agent and something that is never one: the file must say which."""
        for section, parts in (("departments", self.file.departments), ("vendors", self.file.vendors)):
            for key, part in parts.items():
                places = [(("addresses", n), a) for n, a in enumerate(part.addresses)]
                places += [(("people", n), p.address) for n, p in enumerate(part.people)]
                for place, address in places:
                    if fold(address) in site.agents:
                        self._wrong(
                            (section, key, *place), f"{address} is an agent too", "the address in one place only"
                        )
        for key, address in (("notices", site.notices_address), ("feed", site.feed_address)):
            if address and fold(address) in site.agents:
                self._wrong(
                    ("gateway", key), f"{address} is an agent's address", "an address that only the gateway uses"
                )
        for name, address in self.file.logins.items():
            if site.is_own(address):
                self._wrong(("logins", name), f"{address} is the gateway's own address", "a person's address")
        for number, person in enumerate(self.file.admins):
            if site.is_own(person.address):
                self._wrong(("admins", number), f"{person.address} is the gateway's own address", "a person's address")
        if site.notices_address and fold(site.notices_address) == fold(site.feed_address):
            self._wrong(("gateway", "feed"), "the same address as notices", "another address")

    def _name_people(self) -> None:
        people: list[PersonPart] = [*self.file.executives, *self.file.admins]
        for team in self.file.teams.values():
            people += [*team.agents, *([team.supervisor] if team.supervisor else [])]
            self.names.update({fold(address): team.name for address in team.mailboxes if team.name})
        people += self.file.agents
        for part in (*self.file.departments.values(), *self.file.vendors.values()):
            people += part.people
            self.names.update({fold(address): part.name for address in part.addresses if part.name})
        self.names.update({self.same.canonical(p.address): p.name for p in people if p.name})

    def _calendar(self, part: HoursPart, zone: ZoneInfo, loc: tuple[str, ...]) -> Calendar:
        week = tuple(tuple(_minutes(span) for span in sorted(getattr(part, day))) for day in DAYS)
        try:
            return Calendar.of(zone, week, frozenset(part.holidays), part.country, part.region)
        except KeyError as unknown:
            word = str(unknown.args[0])
            key = "region" if part.country and word == part.region else "country"
            self._wrong((*loc, key), f'no public holidays are known for "{word}"', "a code like BE or DE (region: BY)")
            return Calendar(zone, week)

    def _wrong(self, loc: tuple[str | int, ...], what: str, write: str) -> None:
        self.problems.append(self.tree.problem(loc, what, write))


def _alias_sets(file: SiteFile) -> list[list[str]]:
    """Every set of addresses that the file calls one person."""
    people: list[PersonPart] = [*file.executives, *file.agents, *file.admins]
    for team in file.teams.values():
        people += [*team.agents, *([team.supervisor] if team.supervisor else [])]
    for part in (*file.departments.values(), *file.vendors.values()):
        people += part.people
    return [list(group) for group in file.aliases] + [[p.address, *p.aliases] for p in people if p.aliases]


def _tag_pattern(tag: str) -> re.Pattern[str]:
    before, after = tag.split("<number>")
    return re.compile(rf"{re.escape(before)}[0-9]{{1,18}}{re.escape(after)}", re.IGNORECASE)


def _limits(part: LimitsPart) -> Limits:
    canary = Canary(part.canary.overrides, part.canary.last, part.canary.at_least)
    return Limits(part.holds_per_agent, part.holds_per_mailbox, part.holds_per_hour, part.holds_per_day, canary)


def _minutes(span: str) -> tuple[int, int]:
    start, end = span.split("-")
    return int(start[:2]) * 60 + int(start[3:]), int(end[:2]) * 60 + int(end[3:])
