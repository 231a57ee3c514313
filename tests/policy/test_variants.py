"""Teams and profiles: the same policy, a little different; and what a fault does, asked only of who may apply."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.located import BadFiles
from gateway.mail.address import Mailbox
from gateway.mail.envelope import Envelope
from gateway.mail.message import read_headers, read_message
from gateway.mail.quoting import split_body
from gateway.policy.conditions import Has
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.loader import read_policy
from gateway.policy.model import Policy, PolicySet, Scope
from gateway.readers.work import Task
from gateway.reading.facts import Agent, Fact, Requester
from gateway.reading.reader import Context, Reading
from gateway.site.loader import load_site
from gateway.site.model import Site
from gateway.unjudged import after_fault

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RAW = b"From: ann@acme.example\r\nTo: rita@acme.example\r\nMessage-ID: <1@x>\r\nSubject: s\r\n\r\nText.\r\n"
SITE = """
internal_domains: [acme.example]
teams:
  desk: {agents: [ann@acme.example]}
  billing: {agents: [bo@acme.example]}
  labs: {agents: [cy@acme.example]}
"""
TEXT = """
title: A no
why: A no.
when: [refusal]
unless: [reason, eta]
do: hold
deadline: 8h
profiles:
  strict:
    why: A no, and half an answer.
    unless:
      - all: [reason, eta]
profile: PROFILE
teams:
  billing: {profile: strict, deadline: 90m, fail: hold}
  labs: {mode: observe}
examples:
  - {name: h, expect: hit, from: a@b.example, to: c@d.example}
  - {name: m, expect: miss, from: a@b.example, to: c@d.example}
  - {name: hs, profile: strict, expect: hit, from: a@b.example, to: c@d.example}
  - {name: ms, profile: strict, expect: miss, from: a@b.example, to: c@d.example}
"""


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(SITE)


def rules(policies: PolicySet, site: Site, *those: Policy) -> PolicySet:
    return replace(policies, site=site, policies=those)


def the_policy(site: Site, profile: str = '""') -> Policy:
    return read_policy(TEXT.replace("PROFILE", profile), "a-no.yaml", site=site).policy


def decided(policies: PolicySet, team: str, *facts: str) -> Decision:
    message = read_message(RAW)
    reading = Reading(
        message=message,
        envelope=Envelope.of("ann@acme.example", ["rita@acme.example"]),
        context=Context(site=policies.site, lexicon=policies.lexicon, now=NOW),
        body=split_body(message),
        agent=Agent(Mailbox("ann@acme.example"), team, "from"),
        requester=Requester(Mailbox("rita@acme.example"), "observed"),
        facts={name: Fact(name) for name in facts},
        lang="en",
        judged=True,
    )
    return decide(reading, policies, now=NOW)


@pytest.mark.parametrize(
    ("profile", "team", "facts", "disposition", "why", "deadline"),
    [
        ('""', "desk", ("refusal",), "hold", "A no.", 8 * 3600),
        ('""', "desk", ("refusal", "reason"), "pass", "", 0),
        ('""', "billing", ("refusal", "reason"), "hold", "A no, and half an answer.", 90 * 60),
        ('""', "billing", ("refusal", "reason", "eta"), "pass", "", 0),
        ('""', "labs", ("refusal",), "pass", "A no.", 8 * 3600),  # on record
        ("strict", "desk", ("refusal", "reason"), "hold", "A no, and half an answer.", 8 * 3600),
        ("strict", "labs", ("refusal", "reason"), "pass", "A no, and half an answer.", 8 * 3600),
    ],
)
def test_each_team_has_its_own(
    policies: PolicySet, site: Site, profile: str, team: str, facts: tuple[str, ...], disposition: str, why: str,
    deadline: float,
) -> None:  # fmt: skip
    decision = decided(rules(policies, site, the_policy(site, profile)), team, *facts)
    assert decision.disposition == disposition
    assert [(each.why, each.deadline) for each in decision.findings] == ([(why, deadline)] if why else [])


def test_a_team_may_do_otherwise(policies: PolicySet, site: Site) -> None:
    """A rewrite for one team adds the requester, and only there."""
    text = TEXT.replace("PROFILE", '""').replace("labs: {mode: observe}", "labs: {do: rewrite, rewrite_for: [anybody]}")
    policy = read_policy(text, "a-no.yaml", site=site).policy
    assert (policy.adds_requester, policy.for_team("labs").adds_requester) == (False, True)
    assert policy.for_team("labs").rewrite_for == {"anybody"} and policy.for_team("nobody") is policy


WRONG = """
title: A no
why: A no.
when: [refusal]
do: hold
deadline: 2 days
profiles:
  strict: {why: Stricter.}
  harder: {unless: [etaa]}
profile: strct
scope: {teams: [desk, billing]}
teams:
  billling: {mode: observe}
  labs: {mode: observe}
  desk: {}
  billing: {profile: harsh, if_unsafe: reject, share: 101}
examples:
  - {name: h, expect: hit, from: a@b.example, to: c@d.example, profile: nothing}
  - {name: m, expect: miss, from: a@b.example, to: c@d.example}
"""


def test_everything_wrong_is_said_at_once_with_its_place(site: Site) -> None:
    with pytest.raises(BadFiles) as bad:
        read_policy(WRONG, "a-no.yaml", site=site)
    assert [str(each).removeprefix("a-no.yaml:") for each in bad.value.problems] == [
        '6:11: "2 days" is no time to wait. Write: business hours or minutes, like 4h or 90m',
        "8:3: a profile without conditions changes nothing. Write: when: or unless: in it",
        "8:3: the profile has no example that it must hit. Write: an example with profile: strict and expect: hit",
        "8:3: the profile has no near-miss. Write: an example with profile: strict and expect: miss",
        "9:3: the profile has no example that it must hit. Write: an example with profile: harder and expect: hit",
        "9:3: the profile has no near-miss. Write: an example with profile: harder and expect: miss",
        '9:21: unknown fact "etaa". Write: eta',
        '10:10: the policy has no profile "strct". Write: strict',
        '13:3: the site has no team "billling". Write: billing',
        '14:3: the policy is not for "labs": scope.teams leaves it out. Write: labs under scope.teams too, or leave it '
        "out here",
        "15:3: nothing is different for this team. Write: mode: observe, or leave it out",
        '16:22: the policy has no profile "harsh". Write: harder, strict',
        '16:29: "if_unsafe" means nothing without do: rewrite. Write: do: rewrite, or leave it out',
        '16:55: "share" cannot be "101". Write: at most 100',
        '18:73: the policy has no profile "nothing". Write: harder, strict',
    ]


# --- after a fault ---------------------------------------------------------------------------------------------------


def failing(fail: str, **more: Any) -> Policy:
    scope = Scope(**more.pop("scope", {}))
    return Policy(id=f"p-{fail}", title="", why="", when=Has("refusal"), do="hold", fail=fail, scope=scope, **more)  # type: ignore[arg-type]


def fate(
    policies: PolicySet, sender: str, *, judging: bool = True, headers: Any = None, auth: str | None = None
) -> str:
    raw = RAW.replace(b"ann@acme.example", sender.encode())
    task = Task("judge", "outbound", Envelope.of(sender, ["rita@acme.example"]), NOW, auth_identity=auth)
    decision = after_fault("fault", headers or read_headers(raw), task, policies, judging=judging)
    return decision.disposition if decision else "451"


@pytest.mark.parametrize(
    ("those", "sender", "fate_"),
    [
        ([failing("hold", scope={"teams": frozenset({"billing"})}), failing("open")], "ann@acme.example", "pass"),
        ([failing("hold", scope={"teams": frozenset({"billing"})}), failing("open")], "bo@acme.example", "hold"),
        ([failing("hold", scope={"teams": frozenset({"billing"})})], "ann@acme.example", "pass"),
        ([failing("defer"), failing("open")], "ann@acme.example", "451"),
        ([failing("hold")], "rita@acme.example", "pass"),  # nobody's agent: no policy is about their mail
        ([failing("hold", scope={"active_until": date(2026, 3, 1)}), failing("open")], "ann@acme.example", "pass"),
        ([failing("hold", scope={"active_from": date(2026, 3, 2)}), failing("open")], "ann@acme.example", "hold"),
        # Nobody could read who asked, or in which language: it may apply, so it does.
        ([failing("hold", scope={"domains": frozenset({"external"})}), failing("open")], "ann@acme.example", "hold"),
        ([failing("hold", scope={"languages": frozenset({"de"})}), failing("open")], "ann@acme.example", "hold"),
        ([failing("hold", scope={"share": 0}), failing("open")], "ann@acme.example", "pass"),
        ([failing("hold", mode="observe"), failing("open")], "ann@acme.example", "pass"),
        ([failing("open", teams={"billing": failing("hold")})], "bo@acme.example", "hold"),
        ([failing("open", teams={"billing": failing("hold")})], "ann@acme.example", "pass"),
        ([failing("hold", teams={"billing": failing("hold", mode="observe")})], "bo@acme.example", "pass"),
    ],
)
def test_the_strictest_of_those_that_may_apply(
    policies: PolicySet, site: Site, those: list[Policy], sender: str, fate_: str
) -> None:
    assert fate(rules(policies, site, *those), sender) == fate_


def test_the_login_says_who_sends_it(policies: PolicySet, site: Site) -> None:
    strict = rules(policies, site, failing("hold", scope={"teams": frozenset({"billing"})}))
    assert fate(strict, "ann@acme.example", auth="bo@acme.example") == "hold"


def test_where_nothing_is_judged_everything_passes(policies: PolicySet, site: Site) -> None:
    assert fate(rules(policies, site, failing("hold")), "ann@acme.example", judging=False) == "pass"


def test_where_not_even_the_header_can_be_read_every_policy_may_apply(policies: PolicySet, site: Site) -> None:
    class Broken:
        message_id, subject, references = "<1@x>", "", ()

        @property
        def from_(self) -> Any:
            raise ValueError

    strict = rules(policies, site, failing("hold", scope={"teams": frozenset({"billing"})}), failing("open"))
    assert fate(strict, "ann@acme.example", headers=Broken()) == "hold"
    by_team = rules(policies, site, failing("open", teams={"billing": failing("hold")}))
    assert fate(by_team, "ann@acme.example", headers=Broken()) == "hold"
