"""Who may settle a held mail: both names of an answer, From and login, must be entitled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.entitled import entitled
from gateway.resources import shipped
from gateway.site.loader import load_site
from gateway.site.model import Site
from gateway.store.records import Hold, NewHold

SITE = (shipped() / "site.yaml").read_text()
LISTED = SITE.replace("logins: {}", "logins: {DCole: dana.cole@acme.example, 'ACME\\mtan': mei.tan@acme.example}")
DANA, MEI, BOX = "dana.cole@acme.example", "mei.tan@acme.example", "it-support@acme.example"
PRIYA, ADMIN, JILL = "priya.raman@acme.example", "postmaster@acme.example", "jill.amory@acme.example"


@pytest.fixture(scope="module")
def plain() -> Site:
    return load_site(SITE, "site.yaml")


@pytest.fixture(scope="module")
def listed() -> Site:
    return load_site(LISTED, "site.yaml")


def hold(site: Site, agent: str = DANA) -> Hold:
    now = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
    new = NewHold(
        id="1", at=now, agent=agent, raw=b"", sha256="", mail_from=b"<>", rcpt_to=(), fix={}, token_hash="",
        may_settle=site.may_settle(agent), deadline=now,
    )  # fmt: skip
    return Hold(
        new=new, state="held", subject="", raw=b"", action=None, approved_by="", why="", plan={}, next_try=None,
        tries=0, lease_owner="", lease_until=None, detail="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("author", "login", "may"),
    [
        (DANA, None, True),
        (DANA, "", True),
        (DANA, DANA, True),
        ("Dana.Cole+phone@acme.example", DANA, True),
        (PRIYA, PRIYA, True),
        (ADMIN, None, True),
        (BOX, None, True),  # Dana is away: the team's mailbox
        (BOX, MEI, True),  # and whoever of the team writes from it
        (BOX, JILL, False),
        (BOX, PRIYA, True),
        (MEI, MEI, False),  # a colleague under her own name
        (JILL, None, False),
        (DANA, MEI, False),  # in Dana's name, under another login
        (DANA, "mtan@corp.local", False),
        (DANA, "dcole", True),  # a name that says nothing: From and the token
        (JILL, DANA, False),
    ],
)
def test_both_names_count(plain: Site, author: str, login: str | None, may: bool) -> None:
    assert entitled(hold(plain), author, login, plain) is may


@pytest.mark.parametrize(
    ("author", "login", "may"),
    [
        (DANA, "dcole", True),
        (DANA, " DCOLE ", True),
        (DANA, "acme\\MTAN", False),
        (BOX, "acme\\mtan", True),
        (DANA, "somebody", False),  # where logins are listed, an unlisted name is nobody's
        (DANA, DANA, True),
        (DANA, None, True),
    ],
)
def test_logins_that_are_no_addresses(listed: Site, author: str, login: str | None, may: bool) -> None:
    assert entitled(hold(listed), author, login, listed) is may


def test_delegates_and_the_team_of_a_mailbox(plain: Site) -> None:
    tom = "tom.becker@acme.example"
    stands_in = load_site(SITE.replace("name: Dana Cole}", f"name: Dana Cole, delegates: [{tom}]}}"), "site.yaml")
    assert stands_in.may_settle(DANA) == (DANA, tom, PRIYA)
    assert entitled(hold(plain), tom, None, stands_in), "whoever has become a delegate since is asked too"
    assert not entitled(hold(stands_in), tom, None, plain), "and one who is none any more is not"
    left = load_site(SITE.replace("dana.cole@", "dora.cole@"), "site.yaml")
    assert entitled(hold(stands_in), tom, None, left) and entitled(hold(stands_in), DANA, None, left)
    assert entitled(hold(plain, BOX), MEI, MEI, plain)
    assert not entitled(hold(plain, BOX), JILL, None, plain)


def test_an_address_of_nobody_is_nobody(plain: Site) -> None:
    unknown = replace(hold(plain), new=replace(hold(plain).new, agent="", may_settle=("",)))
    assert not entitled(unknown, "", None, plain)
