"""`audit complete` on the logs of a real Postfix and Exim: what went around is listed, what came through is not."""

from __future__ import annotations

import json
import os
import smtplib
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import forked
from tests.peers.exim import RealExim
from tests.peers.far_end import FarEnd
from tests.peers.postfix import RealPostfix
from tests.peers.test_whole import AGENT, CUSTOMER, NO, YES, answer
from tests.peers.whole import WholeGateway

pytestmark = pytest.mark.peers


Relay = RealPostfix | RealExim


@pytest.fixture(params=[RealPostfix, RealExim], ids=["postfix", "exim"])
def behind(far_end: FarEnd, request: pytest.FixtureRequest) -> Iterator[tuple[Relay, WholeGateway]]:
    relay: Relay = request.param(far_end.port)
    gateway = WholeGateway(relay.port)
    try:
        relay.start()
        gateway.start()
        yield relay, gateway
    finally:
        gateway.stop()
        relay.stop()


@pytest.fixture
def in_front(far_end: FarEnd) -> Iterator[tuple[RealPostfix, WholeGateway]]:
    """Postfix hands its mail to the gateway after its queue, and gets it back: each mail has two queue ids."""
    postfix = RealPostfix(far_end.port, front="content_filter")
    gateway = WholeGateway(postfix.reinject_port)
    postfix.filter_port = gateway.ports["plain"]
    try:
        gateway.start()
        postfix.start()
        yield postfix, gateway
    finally:
        postfix.stop()
        gateway.stop()


@pytest.fixture
def behind_exim(far_end: FarEnd) -> Iterator[tuple[RealExim, WholeGateway]]:
    """Exim hands its mail to the gateway, which relays it onward: all that Exim has of it is our reply."""
    gateway = WholeGateway(far_end.port)
    exim = RealExim(gateway.ports["plain"])
    try:
        gateway.start()
        exim.start()
        yield exim, gateway
    finally:
        exim.stop()
        gateway.stop()


def send(port: int, sender: str, to: str, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail(sender, [to], raw)


def complete(relay: Relay, gateway: WholeGateway) -> tuple[int, list[dict[str, Any]]]:
    state, site = gateway.folder / "state", gateway.folder / "site.yaml"
    words = ["audit", "complete", "--relay-log", relay.log, "--state", state, "--site", site, "--json"]
    ran = forked.run(*words, env={**os.environ, "HOME": str(gateway.folder)})
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]


def own_mail(folder: Path) -> str:
    """The id of a mail of the gateway's own, as every agent can read it in their notices."""
    import sqlite3

    for _ in range(200):
        with sqlite3.connect(folder / "state" / "gateway.db") as database:
            if found := database.execute("SELECT id FROM outbox WHERE state = 'sent'").fetchone():
                return str(found[0])
        time.sleep(0.05)
    raise AssertionError("no notice went out")


def test_what_goes_around_is_listed(behind: tuple[Relay, WholeGateway]) -> None:
    relay, gateway = behind
    port = gateway.ports["plain"]
    passed, held, direct, theirs, forged = (f"c-{uuid4().hex}" for _ in range(5))
    send(port, AGENT, CUSTOMER, answer(passed, YES))
    send(port, AGENT, CUSTOMER, answer(held, NO))
    notice = own_mail(gateway.folder)
    relay.settle()
    assert complete(relay, gateway) == (0, [])

    raw = answer(forged, NO).replace(f"<{forged}@acme.example>".encode(), f"<{notice}@acme.example>".encode())
    for sender, to, content in (
        (AGENT, CUSTOMER, answer(direct, NO)),
        (AGENT, CUSTOMER, answer(held, NO)),  # what was stopped, sent by another way
        (AGENT, CUSTOMER, answer(passed, NO)),  # another mail under a name that we know
        (CUSTOMER, AGENT, answer(theirs, YES)),  # no agent's mail need come through here
        (AGENT, CUSTOMER, raw),  # under the name of one of the gateway's own
    ):
        send(relay.port, sender, to, content)
        relay.settle()  # the log has a mail where the server was done with it
    code, around = complete(relay, gateway)
    assert code == 1
    assert [(each["why"], each["message_id"].strip("<>").partition("@")[0]) for each in around] == [
        ("unknown", direct), ("stopped", held), ("copy", passed), ("unknown", notice),
    ]  # fmt: skip
    assert all(each["sender"] == AGENT and each["recipients"] == [CUSTOMER] for each in around)
    assert all(each["client"].startswith("unknown[127.0.0.1]") or "127.0.0.1" in each["client"] for each in around)


def test_mail_that_a_postfix_in_front_hands_over_is_known_under_both_queue_ids(
    in_front: tuple[RealPostfix, WholeGateway],
) -> None:
    postfix, gateway = in_front
    passed, held = (f"c-{uuid4().hex}" for _ in range(2))
    send(postfix.front_port, AGENT, CUSTOMER, answer(passed, YES))
    send(postfix.front_port, AGENT, CUSTOMER, answer(held, NO))
    own_mail(gateway.folder)
    postfix.settle()
    assert complete(postfix, gateway) == (0, [])
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = AGENT, CUSTOMER, "<around@acme.example>"
    send(postfix.port, AGENT, CUSTOMER, mail.as_bytes())
    postfix.settle()
    code, around = complete(postfix, gateway)
    assert (code, [each["message_id"] for each in around]) == (1, ["<around@acme.example>"])


def test_mail_that_an_exim_hands_over_is_known_by_our_reply(behind_exim: tuple[RealExim, WholeGateway]) -> None:
    exim, gateway = behind_exim
    passed, held = (f"c-{uuid4().hex}" for _ in range(2))
    send(exim.port, AGENT, CUSTOMER, answer(passed, YES))
    send(exim.port, AGENT, CUSTOMER, answer(held, NO))
    exim.settle()
    assert exim.accepted() == [AGENT] * 2
    assert complete(exim, gateway) == (0, [])
