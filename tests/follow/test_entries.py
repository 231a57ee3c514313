"""Which mail closes what: in the thread, by the right people, and by no machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.follow.entries import Entry, Trail, closes
from gateway.mail.address import Mailbox
from gateway.policy.loader import load_policies
from gateway.reading.thread import SeenMessage
from gateway.resources import shipped
from gateway.site.model import Site

MONDAY = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
DANA, BOB, JILL = (f"{name}@acme.example" for name in ("dana.cole", "bob.nilsson", "jill.amory"))
NETWORK = "network-team@acme.example"


@pytest.fixture(scope="module")
def site() -> Site:
    return load_policies(shipped("policies"), shipped("policies") / "site.yaml", shipped=shipped("policies")).site


def entry(site: Site, kind: Any = "handoff", owner: str = BOB, subject: str = "Fwd: VPN") -> Entry:
    team = site.team_of(DANA)
    assert team is not None
    return Entry(
        id="m-h", kind=kind, at=MONDAY, mail_id="m", agent=Mailbox(DANA), team=team.id, requester=Mailbox(JILL),
        owners=(Mailbox(owner),) if kind == "handoff" else (), subject=subject, thread=("<h@x>", "<q@x>"),
        due=MONDAY + timedelta(hours=8),
    )  # fmt: skip


def mail(
    author: str, *, to: str = JILL, subject: str = "Re: VPN", references: tuple[str, ...] = (), **marks: str
) -> SeenMessage:
    return SeenMessage(
        "<new@x>", "outbound", Mailbox(author), (Mailbox(to),), (), (to,), MONDAY, subject, references, marks=marks
    )


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (mail(BOB), "answered"),
        (mail("Bob.Nilsson+net@acme.example"), "answered"),
        (mail(BOB, subject="Your router", references=("<q@x>",)), "answered"),
        (mail(BOB, subject="AW: [EXT] Fwd: vpn", references=("<h@x>",)), "answered"),
        (mail(BOB, subject="Lunch on Friday?"), ""),  # the same people, another matter
        (mail(BOB, subject="Re: "), ""),
        (mail(BOB, to="someone.else@acme.example"), ""),
        (mail("bob.nilsson@acrne.example"), ""),
        (mail("bob.nilsson@acme.example.evil.example"), ""),
        (mail(BOB, machine="yes"), ""),
        (mail(BOB, subject="Automatic reply: VPN", references=("<q@x>",)), ""),
        (mail(BOB, subject="Abwesenheitsnotiz: VPN", references=("<q@x>",)), ""),
        (mail(DANA), "taken back"),
        (mail(JILL, to=DANA), ""),
        (mail(""), ""),
    ],
    ids=lambda each: f"{each.author.key} {each.subject}" if isinstance(each, SeenMessage) else None,
)
def test_a_hand_off_is_closed_by(seen: SeenMessage, why: str, site: Site) -> None:
    assert closes(entry(site), seen, site) == why


def test_anybody_of_the_department_answers_for_its_mailbox(site: Site) -> None:
    assert closes(entry(site, owner=NETWORK), mail(BOB), site) == "answered"


def test_a_promise_is_kept_late_or_moved(site: Site) -> None:
    promise, word = entry(site, "promise"), mail(DANA, references=("<h@x>",))
    assert Trail(promise.due, seen=word, site=site).closed(promise) == "kept"
    assert Trail(promise.due + timedelta(minutes=1), seen=word, site=site).closed(promise) == "late"
    again = Trail(promise.due, (entry(site, "promise"),), seen=word, site=site)
    assert again.closed(promise) == "moved", "a new date is no answer"
    assert Trail(promise.due, seen=mail(BOB, references=("<h@x>",)), site=site).closed(promise) == ""
