"""Who is who at a site: every form of an address is found, and no look-alike is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.located import BadFiles
from gateway.mail.address import Mailbox
from gateway.resources import shipped
from gateway.site.loader import load_site
from gateway.site.model import Site

PATTERNS = """
internal_domains: [acme.example]
domain_aliases: {acme-old.example: acme.example}
aliases:
  - [helen.brandt@acme.example, ceo@acme.example]
  - [ceo@acme.example, hb@private.example]
teams:
  desk:
    mailboxes: [support+de@acme.example]
    agents: ["*@desk.acme.example", "svc-*@acme.example"]
  france:
    mailboxes: [support+fr@acme.example]
    lang: fr
    zone: Europe/Paris
    agents: [{address: luc@acme.example, aliases: [luc.petit@acme.example], delegates: [ann@acme.example]}]
    supervisor: boss@acme.example
departments:
  legal: {addresses: ["legal-*@acme.example"]}
"""


@pytest.fixture(scope="module")
def acme() -> Site:
    return load_site(shipped() / "site.yaml")


@pytest.fixture(scope="module")
def patterns() -> Site:
    return load_site(PATTERNS, "site.yaml")


@pytest.mark.parametrize(
    "address",
    ["dana.cole@acme.example", "Dana.Cole@ACME.Example", "dana.cole+tickets@acme.example", " dana.cole@acme.example "],
)
def test_every_form_of_an_agent_is_found(acme: Site, address: str) -> None:
    entry = acme.agent(address)
    assert entry is not None
    assert (entry.address, entry.team, entry.name) == ("dana.cole@acme.example", "it-support", "Dana Cole")


@pytest.mark.parametrize(
    "address",
    [
        "dana.co1e@acme.example",
        "dana.cole@acme.example.evil.test",
        "dana.cole@evil-acme.example",
        "dana.cole@sub.acme.example",
        "dana.cole",
        "x+dana.cole@acme.example",
        "dan\u0430.cole@acme.example",  # a Cyrillic a
        "\uff44ana.cole@acme.example",  # a fullwidth d
        "tom.bec\u212aer@acme.example",  # the Kelvin sign, which lower() turns into k
        "",
        "@acme.example",
        "bob.nilsson@acme.example",
        "priya.raman@acme.example",
    ],
)
def test_look_alikes_and_others_are_no_agents(acme: Site, address: str) -> None:
    assert acme.agent(address) is None


def test_a_shared_mailbox_counts_as_an_agent(acme: Site) -> None:
    entry = acme.agent("IT-Support@acme.example")
    assert entry is not None and entry.shared
    assert acme.is_team_mailbox("it-support+web@acme.example")
    assert not acme.is_team_mailbox("dana.cole@acme.example")


@pytest.mark.parametrize(
    ("address", "team"),
    [
        ("anybody@desk.acme.example", "desk"),
        ("Any+Body@DESK.acme.example", "desk"),
        ("svc-print@acme.example", "desk"),
        ("x@desk.acme.example.evil.test", None),
        ("x@evil.test@desk.acme.example", None),
        ("x@deskxacme.example", None),
        ("xsvc-a@acme.example", None),
        ("svc-a@acme.example.test", None),
        ("luc.petit@acme.example", "france"),
        ("luc@acme-old.example", "france"),
        ("luc@acme-old.example.test", None),
        ("support+de@acme.example", "desk"),
        ("support+fr@acme.example", "france"),
    ],
)
def test_patterns_aliases_and_old_domains(patterns: Site, address: str, team: str | None) -> None:
    entry = patterns.agent(address)
    assert (entry.team if entry else None) == team


def test_everybody_can_be_an_agent() -> None:
    site = load_site('agents: ["*"]', "site.yaml")
    assert site.everybody
    entry = site.agent("Whoever+x@Anywhere.example")
    assert entry is not None and entry.address == "whoever@anywhere.example"
    assert site.agent("no address") is None
    assert not site.is_listed_agent("whoever@anywhere.example")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("helen.brandt@acme.example", "Helen.Brandt+travel@ACME.example", True),
        ("helen.brandt@acme.example", "ceo@acme.example", True),
        ("helen.brandt@acme.example", "HB+x@private.example", True),
        ("helen.brandt@acme.example", "helen.brandt@acme-old.example", True),
        ("nora.weiss@acme.example", "nora.weisz@acme.example", False),
        ("a@acme.example", "a@acme.example.test", False),
        ("", "", False),
    ],
)
def test_same_person(patterns: Site, one: str, other: str, same: bool) -> None:
    assert patterns.same_person(one, other) is same
    assert patterns.same_person(other, one) is same


def test_departments_vendors_executives_confidential(acme: Site) -> None:
    network = acme.department_of("network-team@acme.example")
    assert network is not None and (network.id, network.kind, network.name) == ("network", "department", "Network Team")
    assert acme.department_of("Bob.Nilsson+x@acme.example") == network
    kate = acme.department_of("kate@hosting.example")
    assert kate is not None and kate.kind == "vendor"
    assert acme.department_of("rita.blom@acme.example") is None
    assert acme.department_of("dana.cole@acme.example") is None
    assert acme.is_executive("helen.brandt+travel@acme.example")
    assert not acme.is_executive("helen.brandt@vendor.example")
    assert acme.is_confidential("HR@acme.example") and not acme.is_confidential("hr2@acme.example")
    assert acme.name_of("bob.nilsson@acme.example") == "Bob Nilsson"


def test_internal_is_a_listed_domain_and_nothing_below_it(acme: Site) -> None:
    assert acme.is_internal("x@ACME.example")
    assert not acme.is_internal("x@sub.acme.example")
    assert not acme.is_internal("x@acme.example.test")
    assert not acme.is_internal("acme.example")


def test_supervisor(acme: Site, patterns: Site) -> None:
    assert acme.supervisor_of("dana.cole@acme.example") == Mailbox("priya.raman@acme.example", "Priya Raman")
    assert acme.supervisor_of("rita.blom@acme.example") is None
    assert acme.is_supervisor("Priya.Raman@acme.example")
    assert patterns.may_settle("luc.petit@acme.example") == (
        "luc@acme.example",
        "ann@acme.example",
        "boss@acme.example",
    )
    assert patterns.language_of("france") == "fr"
    assert str(patterns.zone_of("france")) == "Europe/Paris"
    assert str(patterns.zone_of("desk")) == "UTC"


@pytest.mark.parametrize(
    ("subject", "tags"),
    [
        ("Re: Plotter jams [#52290]", ("52290",)),
        ("[acme-1932] and [#7] and [#7]", ("ACME-1932", "7")),
        ("[#52290 ] [#] [ACME-x] #52290", ()),
    ],
)
def test_ticket_tags(acme: Site, subject: str, tags: tuple[str, ...]) -> None:
    assert acme.ticket_tags(subject) == tags


class Sent:
    def __init__(self, *addresses: str) -> None:
        self.from_ = tuple(Mailbox(address) for address in addresses)


def test_headers_are_trusted_only_from_listed_senders_and_peers(acme: Site) -> None:
    assert acme.trusted_headers(Sent("it-support@acme.example"), True)[0] == "X-RT-Originator"
    assert acme.trusted_headers(Sent("it-support@acme.example"), False) == ()
    assert acme.trusted_headers(Sent("dana.cole@acme.example"), True) == ()
    assert acme.trusted_headers(Sent(), True) == ()


def test_listed_peers() -> None:
    text = """
agents: [a@acme.example]
ticket_systems: [{senders: [rt@acme.example], peers: ["192.0.2.0/28", "2001:db8::7"], headers: [X-RT-Originator]}]
"""
    site = load_site(text, "site.yaml")
    assert site.peer_listed("192.0.2.7") and site.peer_listed("::ffff:192.0.2.7") and site.peer_listed("2001:db8::7")
    assert not load_site(text.replace('peers: ["192.0.2.0/28", "2001:db8::7"], ', ""), "x").peer_listed("192.0.2.7")
    assert not site.peer_listed("192.0.2.77") and not site.peer_listed("") and not site.peer_listed("localhost")


def test_a_ticket_system_that_names_its_peers_means_only_them() -> None:
    """The service lists relays in front too, which bring everybody's mail."""
    text = """
agents: [a@acme.example]
ticket_systems: [{senders: [rt@acme.example], peers: ["192.0.2.0/28"], headers: [X-RT-Originator]}]
"""
    site, mail = load_site(text, "site.yaml"), Sent("rt@acme.example")
    assert site.trusted_headers(mail, False, "192.0.2.7") == ("X-RT-Originator",)
    assert site.trusted_headers(mail, True, "127.0.0.1") == ()
    assert site.trusted_headers(mail, True) == ("X-RT-Originator",), "nobody knows the peer, as in explain"
    assert site.trusted_headers(mail, False) == ()


def test_own_addresses(acme: Site) -> None:
    assert acme.is_own("Referral-Gateway+abc@gateway.acme.example")
    assert acme.is_own(acme.feed_address)
    assert not acme.is_own("referral-gateway@acme.example")


def test_an_address_in_two_roles_is_refused() -> None:
    text = """
teams:
  a: {agents: [x@acme.example, x@acme.example]}
departments:
  b: {addresses: [X@acme.example]}
gateway: {notices: x@acme.example}
"""
    with pytest.raises(BadFiles) as bad:
        load_site(text, "site.yaml")
    assert [(p.line, p.column) for p in bad.value.problems] == [(3, 32), (5, 19), (6, 20)]


def test_the_shipped_site_names_every_key() -> None:
    """The shipped file is the documentation, so that an admin finds every key in it."""
    from gateway.site.file import AgentPart, GatewayPart, HoursPart, OthersPart, SiteFile, TeamPart, TicketSystemPart

    text = Path(shipped() / "site.yaml").read_text(encoding="utf-8")
    for model in (SiteFile, TeamPart, AgentPart, OthersPart, TicketSystemPart, GatewayPart, HoursPart):
        for name in model.model_fields:
            assert f"{name}:" in text or f"`{name}" in text, f"{model.__name__}.{name}"
