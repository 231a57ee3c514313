"""The form of site.yaml. Every key is explained in the shipped policies/site.yaml."""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
    model_validator,
)

from gateway.located import Wrong, suggest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\Z")
_DOMAIN = re.compile(r"[^\s@<>,;:\"()\[\]\\*]+\Z")
_HEADER = re.compile(r"[!-9;-~]+\Z")  # RFC 5322 §3.6.8
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)\Z")


def _address(text: str) -> str:
    if not _ADDRESS.match(text) or "*" in text:
        raise Wrong(f'"{text}" is no address', "an address like dana.cole@acme.example, without name or brackets")
    return text


def _pattern(text: str) -> str:
    if text != "*" and not _ADDRESS.match(text):
        raise Wrong(f'"{text}" is neither an address nor a pattern', 'dana.cole@acme.example, "*@acme.example" or "*"')
    return text


def _domain(text: str) -> str:
    if not _DOMAIN.match(text):
        raise Wrong(f'"{text}" is no domain', "a domain like acme.example")
    return text


def _lang(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise Wrong(f'"{text}" is no language code', "two letters: en, de, fr, es, pt, it or nl")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        from zoneinfo import available_timezones

        raise Wrong(
            f'"{text}" is no time zone', suggest(text, available_timezones()) or "a zone like Europe/Berlin"
        ) from None
    return text


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Wrong(
            f'"{text}" is no address of a machine', "an IP address or network: 192.0.2.7, 2001:db8::/32"
        ) from None
    return text


def _tag(text: str) -> str:
    if text.count("<number>") != 1 or text == "<number>":
        raise Wrong(f'"{text}" is no ticket tag', 'a tag with <number> in it: "[#<number>]", "[ACME-<number>]"')
    return text


def _header(text: str) -> str:
    if not _HEADER.match(text):
        raise Wrong(f'"{text}" is no header name', "a header name like X-RT-Originator, without colon")
    return text


def _hours(text: str) -> str:
    match = _HOURS.match(text)
    if not match or not text[:5] < text[6:] <= "24:00":
        raise Wrong(f'"{text}" are no hours', '"08:00-17:30", the end after the start')
    return text


def _limit(value: Any) -> Any:
    if type(value) is int and value < 1:
        raise Wrong(f"{value} is no limit", "a number from 1 up; null for no limit; to stop nothing, serve --observe")
    return value


def _person(value: Any) -> Any:
    return {"address": value} if isinstance(value, str) else value


def like(pattern: str) -> WithJsonSchema:
    """How the text looks, for the schemas that editors use; the validator beside it is stricter and says more."""
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


_ADDRESS_LIKE = r"[^\s@<>,;:\"()\[\]\\*]+@[^\s@<>,;:\"()\[\]\\*]+"
Address = Annotated[str, AfterValidator(_address), like(_ADDRESS_LIKE)]
Pattern = Annotated[str, AfterValidator(_pattern), like(rf"\*|{_ADDRESS_LIKE.replace('*', '')}")]
Domain = Annotated[str, AfterValidator(_domain), like(_DOMAIN.pattern.removesuffix(r"\Z"))]
Lang = Annotated[str, AfterValidator(_lang), like("[a-z]{2,3}")]
Zone = Annotated[str, AfterValidator(_zone), like("[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")]
Network = Annotated[str, AfterValidator(_network), like("[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?")]
Tag = Annotated[str, AfterValidator(_tag), like("(?=.).*<number>.*")]
Day = Annotated[date, like("[0-9]{4}-[0-9]{2}-[0-9]{2}")]
Limit = Annotated[
    Annotated[int, Strict(), Field(ge=1, le=1_000_000)] | None,
    BeforeValidator(_limit, json_schema_input_type=Annotated[int, Field(ge=1, le=1_000_000)] | None),
]
HeaderName = Annotated[str, AfterValidator(_header), like(_HEADER.pattern.removesuffix(r"\Z"))]
Hours = Annotated[str, AfterValidator(_hours), like(_HOURS.pattern.removesuffix(r"\Z"))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonPart(_Part):
    """Somebody with one main address."""

    address: Address = Field(description="their main address")
    name: str = Field(default="", description="the name that notices use")
    aliases: tuple[Address, ...] = Field(default=(), description="other addresses of the same person")


class AgentPart(PersonPart):
    """A member of a team; the address may be a pattern."""

    address: Pattern = Field(description="their main address, or a pattern")
    lang: Lang | None = Field(default=None, description="language of notices to them; default: the team's")
    supervisor: Address | None = Field(default=None, description="who is told about them; default: the team's")
    delegates: tuple[Address, ...] = Field(
        default=(), description="who may settle their held mail besides them and the supervisor"
    )


Person = Annotated[PersonPart, BeforeValidator(_person, json_schema_input_type=Address | PersonPart)]
AgentItem = Annotated[AgentPart, BeforeValidator(_person, json_schema_input_type=Pattern | AgentPart)]


class HoursPart(_Part):
    """Business hours of one week, and the days that are none."""

    mon: tuple[Hours, ...] = ("08:00-18:00",)
    tue: tuple[Hours, ...] = ("08:00-18:00",)
    wed: tuple[Hours, ...] = ("08:00-18:00",)
    thu: tuple[Hours, ...] = ("08:00-18:00",)
    fri: tuple[Hours, ...] = ("08:00-18:00",)
    sat: tuple[Hours, ...] = ()
    sun: tuple[Hours, ...] = ()
    holidays: tuple[Day, ...] = Field(default=(), description="single days off, like 2026-12-24")
    country: str = Field(default="", description="public holidays of this country: two letters, like BE")
    region: str = Field(default="", description="and of this part of it, like BY in DE")


class TeamPart(_Part):
    """A support team: its outgoing mail is judged."""

    name: str = Field(default="", description="what people call the team")
    mailboxes: tuple[Address, ...] = Field(default=(), description="shared mailboxes; they count as agents")
    agents: tuple[AgentItem, ...] = Field(default=(), description='addresses, patterns, or "*" for everybody')
    supervisor: Person | None = Field(default=None, description="who is told in the cases that policies name")
    lang: Lang | None = Field(default=None, description="default: the site's")
    zone: Zone | None = Field(default=None, description="default: the site's")
    hours: HoursPart | None = Field(default=None, description="default: the site's")


class OthersPart(_Part):
    """Another department, or a vendor: never agents."""

    name: str = Field(default="", description="what people call it")
    addresses: tuple[Pattern, ...] = Field(default=(), description="its shared addresses; patterns allowed")
    people: tuple[Person, ...] = Field(default=(), description="persons who work there")


class TicketSystemPart(_Part):
    """A program that writes mail for people and says in a header for whom."""

    senders: tuple[Pattern, ...] = Field(description="addresses it sends from")
    peers: tuple[Network, ...] = Field(
        default=(), description="machines its mail comes from, beside the listed peers of the service"
    )
    headers: tuple[HeaderName, ...] = Field(default=(), description="headers that name the requester, the best first")


class CanaryPart(_Part):
    """When a policy that is enforced on a share of the mail (`scope: share:`) falls back to observe by itself."""

    overrides: Annotated[int, Strict(), Field(ge=1, le=100)] = Field(
        default=30, description="percent of its stops that were sent all the same (SEND, WRONG), surely more than this"
    )
    last: Annotated[int, Strict(), Field(ge=1, le=1000)] = Field(
        default=50, description="of so many settled stops, the newest"
    )
    at_least: Annotated[int, Strict(), Field(ge=1, le=1000)] = Field(
        default=10, description="and never on fewer than these"
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> CanaryPart:
        if self.at_least > self.last:
            raise Wrong(f"at_least is {self.at_least}, and only the last {self.last} count", "at_least up to last")
        return self


class LimitsPart(_Part):
    """How much the gateway may stop. Beyond that mail goes out untouched, and its sender gets advice."""

    holds_per_agent: Limit = Field(default=5, description="stops a day for one agent, in the team's zone; null: any")
    holds_per_mailbox: Limit = Field(default=25, description="stops a day for one shared mailbox; null: any number")
    holds_per_hour: Limit = Field(default=100, description="stops in any 60 minutes for the whole site; null: any")
    holds_per_day: Limit = Field(default=500, description="stops a day for the whole site, in its zone; null: any")
    canary: CanaryPart = CanaryPart()


class GatewayPart(_Part):
    """The gateway's own addresses."""

    notices: Address | None = Field(default=None, description="notices come from here, and answers go here")
    feed: Address | None = Field(default=None, description="takes journal or Bcc copies of inbound mail")


class SiteFile(_Part):
    """Everything in site.yaml."""

    name: str = Field(default="", description="the organisation's name, as notices give it")
    internal_domains: tuple[Domain, ...] = Field(default=(), description="domains of our own people")
    lang: Lang = "en"
    zone: Zone = "UTC"
    agents: tuple[AgentItem, ...] = Field(default=(), description='agents of a single team named "support"')
    teams: dict[str, TeamPart] = Field(default={}, description="support teams by id")
    departments: dict[str, OthersPart] = Field(default={}, description="other departments by id")
    vendors: dict[str, OthersPart] = Field(default={}, description="firms that we pass matters on to, by id")
    executives: tuple[Person, ...] = Field(default=(), description="people whose refusals the supervisor hears about")
    confidential: tuple[Pattern, ...] = Field(
        default=(), description="recipients of confidential mail: HR, legal, security"
    )
    ticket_systems: tuple[TicketSystemPart, ...] = ()
    ticket_tags: tuple[Tag, ...] = Field(default=(), description='how tags look in subjects, like "[#<number>]"')
    aliases: tuple[tuple[Address, ...], ...] = Field(
        default=(), description="sets of addresses of one person, the main one first"
    )
    domain_aliases: dict[Domain, Domain] = Field(default={}, description="other domain: domain that it stands for")
    logins: dict[str, Address] = Field(
        default={}, description="account name at the mail server: address, where people log in with other names"
    )
    hours: HoursPart = HoursPart()
    limits: LimitsPart = LimitsPart()
    admins: tuple[Person, ...] = Field(
        default=(), description="who hears of a spent budget, of a bypass, and of a policy that fell back"
    )
    gateway: GatewayPart = GatewayPart()
