"""The site: who is an agent, who is not, and how people are recognised. Immutable, built from site.yaml."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

from gateway.mail.address import Mailbox
from gateway.site.calendar import Calendar
from gateway.site.people import MOST_KNOWN, AddressSet, Equivalence, domain_of, fold

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """An agent or a team's shared mailbox. `address` is the main one (as sent, if a pattern matched)."""

    address: str
    name: str
    team: str
    supervisor: Mailbox | None
    lang: str
    shared: bool = False
    delegates: tuple[str, ...] = ()

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.address, self.name)


@dataclass(frozen=True, slots=True)
class Team:
    """A support team."""

    id: str
    name: str
    mailboxes: tuple[str, ...]
    supervisor: Mailbox | None
    lang: str
    zone: ZoneInfo
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Department:
    """Another department or a vendor, to whom matters are passed on."""

    id: str
    name: str
    kind: Literal["department", "vendor"]
    addresses: tuple[str, ...]
    people: tuple[Mailbox, ...]


@dataclass(frozen=True, slots=True)
class TicketSystem:
    """A program that writes for people: `headers` name the requester on mail from `senders` by way of `peers`."""

    senders: AddressSet
    peers: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Canary:
    """When a policy on a share of the mail falls back: overrides surely above `overrides` percent of the newest `last`
    settled stops, and at least `at_least` of these."""

    overrides: int = 30
    last: int = 50
    at_least: int = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How many stops there may be: a day for an agent, a day for a shared mailbox, in 60 minutes and a day for the
    whole site. None means any number."""

    holds_per_agent: int | None = 5
    holds_per_mailbox: int | None = 25
    holds_per_hour: int | None = 100
    holds_per_day: int | None = 500
    canary: Canary = Canary()


class Sent(Protocol):
    """The part of a message that says who sent it (gateway.mail.message.Message, or its headers alone)."""

    @property
    def from_(self) -> tuple[Mailbox, ...]: ...


@dataclass(frozen=True, slots=True)
class Site:
    """One organisation. All addresses may come in any case, with +tag, or under a known alias."""

    name: str
    internal_domains: frozenset[str]
    lang: str
    zone: ZoneInfo
    calendar: Calendar
    teams: Mapping[str, Team]
    same: Equivalence
    agents: Mapping[str, AgentEntry]
    agent_patterns: tuple[tuple[AddressSet, AgentEntry], ...]
    departments: tuple[tuple[AddressSet, Department], ...]
    executives: AddressSet
    confidential: AddressSet
    ticket_systems: tuple[TicketSystem, ...]
    tag_patterns: tuple[re.Pattern[str], ...]
    names: Mapping[str, str]
    called: frozenset[tuple[str, ...]]
    """Names of people and teams, of two words and more, in lower case: whoever is called so in a mail can be found."""
    notices_address: str = ""
    feed_address: str = ""
    limits: Limits = Limits()
    admins: tuple[Mailbox, ...] = ()
    logins: Mapping[str, str] = field(default_factory=dict)
    """AUTH identity in lower case -> address, where logins are not addresses."""
    content: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The file's values, for the policy version."""
    _agents: dict[str, tuple[AgentEntry | None]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _departments: dict[str, tuple[Department | None]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """Of addresses that were asked for: one mail asks for those of the same few people again and again."""

    # --- agents ----------------------------------------------------------------------------------------------------

    @property
    def everybody(self) -> bool:
        """True when the site file says that everybody is an agent (`agents: ["*"]`)."""
        return any(patterns.everybody for patterns, _ in self.agent_patterns)

    @property
    def team_of_everybody(self) -> str:
        """The team of those who are agents only because everybody is; "" where not everybody is one."""
        return next((entry.team for patterns, entry in self.agent_patterns if patterns.everybody), "")

    def agent(self, address: str) -> AgentEntry | None:
        """The agent, or shared mailbox of a team, that this address belongs to."""
        if "@" not in address:
            return None
        return (self._agents.get(address) or _keep(self._agents, address, self._agent(address)))[0]

    def _agent(self, address: str) -> AgentEntry | None:
        found = self.agents.get(fold(address)) or self.agents.get(self.same.canonical(address))
        if found is not None:
            return found
        for patterns, entry in self.agent_patterns:
            if patterns.has(address, self.same):
                key = self.same.canonical(address)
                return AgentEntry(key, self.names.get(key, ""), entry.team, entry.supervisor, entry.lang)
        return None

    def is_listed_agent(self, address: str) -> bool:
        """True for an agent named by address or by a pattern other than `*`."""
        if fold(address) in self.agents or self.same.canonical(address) in self.agents:
            return True
        return any(p.has(address, self.same) for p, _ in self.agent_patterns if not p.everybody)

    def team_of(self, address: str) -> Team | None:
        entry = self.agent(address)
        return self.teams.get(entry.team) if entry else None

    def is_team_mailbox(self, address: str) -> bool:
        """True for a team's shared mailbox, whose mail several people read."""
        entry = self.agents.get(fold(address)) or self.agents.get(self.same.canonical(address))
        return entry is not None and entry.shared

    def supervisor_of(self, address: str) -> Mailbox | None:
        """The supervisor of an agent; None for the supervisor's own mail, for no agent, and where none is named."""
        entry = self.agent(address)
        if entry is None or entry.supervisor is None or self.same_person(entry.supervisor.address, address):
            return None
        return entry.supervisor

    def is_supervisor(self, address: str) -> bool:
        """True for the supervisor of any team or agent."""
        heads = [team.supervisor for team in self.teams.values()] + [e.supervisor for e in self.agents.values()]
        return any(head is not None and self.same_person(head.address, address) for head in heads)

    def may_settle(self, address: str) -> tuple[str, ...]:
        """Who may settle a mail that this agent sent: the agent, their delegates, their supervisor."""
        entry = self.agent(address)
        if entry is None:
            return ()
        head = self.supervisor_of(address)
        return (entry.address, *entry.delegates, *((head.address,) if head else ()))

    def language_of(self, team: str) -> str:
        """The language of notices to a team; the site's for a team that is not known."""
        return self.teams[team].lang if team in self.teams else self.lang

    def zone_of(self, team: str) -> ZoneInfo:
        return self.teams[team].zone if team in self.teams else self.zone

    def calendar_of(self, team: str) -> Calendar:
        return self.teams[team].calendar if team in self.teams else self.calendar

    def login(self, identity: str) -> str:
        """The address behind an AUTH identity: as listed, else the identity itself where it is one; "" if neither."""
        return self.logins.get(identity.strip().lower(), identity if "@" in identity else "")

    # --- everybody else --------------------------------------------------------------------------------------------

    def same_person(self, one: str, other: str) -> bool:
        """True for two forms of one person's address: other case, +tag, listed alias. Never for a look-alike."""
        return bool(one) and self.same.canonical(one) == self.same.canonical(other)

    def is_among(self, address: str, others: Iterable[str]) -> bool:
        """True if one of the addresses is a form of this person's."""
        key = self.same.canonical(address)
        return bool(address) and any(self.same.canonical(other) == key for other in others)

    def is_internal(self, address: str) -> bool:
        """True for an address in one of our own domains. Subdomains count only where they are listed."""
        return domain_of(address) in self.internal_domains

    def is_executive(self, address: str) -> bool:
        return self.executives.has(address, self.same)

    def is_confidential(self, address: str) -> bool:
        return self.confidential.has(address, self.same)

    def department_of(self, address: str) -> Department | None:
        """The department or vendor of an address; None for agents, whatever the patterns say."""
        known = self._departments.get(address)
        return (known or _keep(self._departments, address, self._department_of(address)))[0]

    def _department_of(self, address: str) -> Department | None:
        if self.is_listed_agent(address):
            return None
        for patterns, department in self.departments:
            if patterns.has(address, self.same):
                return department
        return None

    def name_of(self, address: str) -> str:
        """The name that the site file gives to an address, "" where it gives none."""
        return self.names.get(fold(address)) or self.names.get(self.same.canonical(address), "")

    # --- tickets and the gateway itself -----------------------------------------------------------------------------

    def ticket_tags(self, subject: str) -> tuple[str, ...]:
        """The ticket tags of a subject in canonical form ("48213", "ACME-1932"), in their order, each once."""
        found = [(m.start(), m.group(0)) for pattern in self.tag_patterns for m in pattern.finditer(subject[:2000])]
        tags = [text.strip("[](){}<>#: ").upper() for _, text in sorted(found)]
        return tuple(dict.fromkeys(tags))

    def is_ticket_system(self, address: str) -> bool:
        """True for an address from which a program writes."""
        return any(system.senders.has(address, self.same) for system in self.ticket_systems)

    def trusted_headers(self, message: Sent, peer_listed: bool, peer: str = "") -> tuple[str, ...]:
        """The headers that may name the requester on this mail, the best first (DESIGN.md §3: declared).

        Headers can be forged, so they count only on mail from a listed ticket system, received from a listed peer.
        `peer` is the machine's IP address ("" where nobody knows it) and `peer_listed` whether the service lists it: a
        relay in front is listed too, and brings everybody's mail, so a system that names its own peers means only them.
        """
        senders = [mailbox.address for mailbox in message.from_]
        names: dict[str, None] = {}
        for system in self.ticket_systems:
            listed = _is_in(peer, system.peers) if peer and system.peers else peer_listed
            if listed and any(system.senders.has(address, self.same) for address in senders):
                names.update(dict.fromkeys(system.headers))
        return tuple(names)

    def peer_listed(self, peer: str) -> bool:
        """True for the IP address of a machine that a ticket system of this file sends from."""
        return any(_is_in(peer, system.peers) for system in self.ticket_systems)

    def is_own(self, address: str) -> bool:
        """True for the gateway's own addresses, whatever tag they carry."""
        own = {self.same.canonical(a) for a in (self.notices_address, self.feed_address) if a}
        return bool(address) and self.same.canonical(address) in own


def _keep(answers: dict[str, tuple[T]], address: str, answer: T) -> tuple[T]:
    if len(answers) >= MOST_KNOWN:
        answers.clear()
    answers[address] = (answer,)
    return (answer,)


def _is_in(peer: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        ip = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return any(mapped in network for network in networks)
