"""Mail that cannot be read, readings that fail, templates that do not render: the mail is safe and somebody hears."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway import pipeline
from gateway.commands import serve
from gateway.mail.message import read_message
from gateway.readers import work
from gateway.readers.pool import ReadersAway, ReadingFault, TooMuch, _Nursery
from gateway.resources import shipped
from gateway.smtp.sink import Fault
from gateway.template_files import Templates, load_templates
from gateway.templating import CannotRender
from tests.e2e.house import House, connection, house, mail
from tests.e2e.ledgers import (
    BOB,
    DANA,
    JILL,
    MARY,
    Ledgers,
    Sent,
    answer,
    explained,
    forwarded,
    question,
    refusal,
    until,
)  # fmt: skip
from tests.e2e.limits import NO_LIMITS, site_with

pytestmark = pytest.mark.usefixtures("files_once")


@contextlib.asynccontextmanager
async def scene(tmp_path: Path, **settings: Any) -> AsyncIterator[tuple[House, Ledgers]]:
    async with house(tmp_path, **settings) as gateway:
        yield gateway, Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")


def policies(gateway: House, **changes: Any) -> None:
    """All policies in force, changed."""
    rules = gateway.service.rules
    rules.current = replace(rules.current, policies=tuple(replace(each, **changes) for each in rules.current.policies))


# --- readings that fail ----------------------------------------------------------------------------------------------


def fails(*_: object, **__: object) -> None:
    raise ValueError("words of the mail: the password is swordfish")


@pytest.mark.parametrize(
    ("fail", "observe", "code", "outcomes"),
    [
        ("open", False, 250, ["passed"]),
        ("defer", False, 451, []),
        ("hold", False, 250, ["held"]),
        ("defer", True, 250, ["passed"]),
        ("hold", True, 250, ["passed"]),
    ],
)
async def test_a_reading_that_fails(tmp_path, monkeypatch, fail, observe, code, outcomes):
    """As the policies say; nothing of the fault's own words is logged or answered, since they can quote the mail."""
    async with scene(tmp_path, observe=observe) as (gateway, ledgers):
        policies(gateway, fail=fail)
        logged = io.StringIO()
        as_served = [serve._where_it_failed, structlog.processors.JSONRenderer()]
        monkeypatch.setattr(pipeline, "log", structlog.wrap_logger(structlog.PrintLogger(logged), as_served))
        monkeypatch.setattr(work, "read", fails)
        sent = refusal("unread")
        said = await gateway.send(sent.mail_from, list(sent.rcpt_to), sent.raw)
        assert said[0] == code
        ledgers.told[sent.message_id] = [code]
        assert ledgers.outcomes(sent.message_id) == outcomes
        assert all("could not judge" in row.entry.reason for row in ledgers.rows(sent.message_id))
        assert "ValueError" in logged.getvalue() and "swordfish" not in logged.getvalue() + said[1]
        if code == 451:
            assert said[1].startswith("4.3.0 A fault of the gateway, not of your mail")
        # whoever is no agent is not read, and passes
        other = Sent(MARY, (DANA,), mail(MARY, DANA, "Hello", "Hello", message_id="<other@t>"))
        assert await ledgers.send(gateway.port, other) == 250
        if outcomes == ["held"]:
            to = await ledgers.notice(sent.message_id)
            assert await ledgers.send(gateway.port, answer(to, "SEND: it is fine")) == 250
            await until(lambda: ledgers.outcomes(sent.message_id) == ["overridden"], "released")
        monkeypatch.undo()
        assert await ledgers.send(gateway.port, explained("next")) == 250
        ledgers.check()


@pytest.mark.parametrize(("team", "code", "outcomes"), [("it-support", 250, ["held"]), ("other", 250, ["passed"])])
async def test_after_a_fault_only_policies_for_its_team_count(tmp_path, monkeypatch, team, code, outcomes):
    """One policy, for one team, holds what cannot be read; all others let it pass. The header still tells the team."""
    async with scene(tmp_path) as (gateway, ledgers):
        policies(gateway, fail="open")
        rules = gateway.service.rules
        first, *others = rules.current.policies
        strict = replace(first, fail="hold", scope=replace(first.scope, teams=frozenset({team})))
        rules.current = replace(rules.current, policies=(strict, *others))
        monkeypatch.setattr(work, "read", fails)
        sent = refusal("unread")
        assert await ledgers.send(gateway.port, sent) == code
        assert ledgers.outcomes(sent.message_id) == outcomes
        [row] = ledgers.rows(sent.message_id)
        assert row.entry.basis == {"fault": "ValueError"}
        ledgers.check()


def long(sent: Sent) -> Sent:
    """The same mail, too long to be read anywhere but in a reader."""
    return replace(sent, raw=sent.raw + b"> what was quoted before\r\n" * 400)


async def test_too_much_to_read_is_judged_by_its_beginning(tmp_path, monkeypatch):
    """There is a verdict, and it says what is missing; no policy of ours stops what it cannot know."""
    async with scene(tmp_path) as (gateway, ledgers):
        assert await ledgers.send(gateway.port, long(refusal("read"))) == 250

        async def too_much(*_: object) -> None:
            raise TooMuch

        monkeypatch.setattr(gateway.service.readers, "read", too_much)
        assert await ledgers.send(gateway.port, long(refusal("bomb"))) == 250
        assert await ledgers.send(gateway.tap, long(question("in", JILL, "Jill Amory"))) == 250
        assert (ledgers.outcomes("<read@t>"), ledgers.outcomes("<bomb@t>")) == (["held"], ["passed"])
        [row] = ledgers.rows("<bomb@t>")
        assert row.entry.facts["unreadable"]["value"] == "too much to read"
        assert row.entry.agent == DANA and row.entry.requester == JILL and row.entry.policy_version
        ledgers.check()


@pytest.mark.parametrize(
    ("fault", "named"), [(ReadersAway("none"), "ReadersAway"), (ReadingFault("KeyError", "x.py:1"), "KeyError")]
)
@pytest.mark.parametrize(("fail", "outcomes"), [("open", ["passed"]), ("defer", []), ("hold", ["held"])])
async def test_no_reading_to_be_had(tmp_path, monkeypatch, fault, named, fail, outcomes):
    async with scene(tmp_path) as (gateway, ledgers):
        policies(gateway, fail=fail)

        async def fails(*_: object) -> None:
            raise fault

        monkeypatch.setattr(gateway.service.readers, "read", fails)
        assert await ledgers.send(gateway.port, long(refusal("no"))) == (250 if outcomes else 451)
        assert ledgers.outcomes("<no@t>") == outcomes
        assert all(named in row.entry.reason for row in ledgers.rows("<no@t>"))
        done = explained("small")  # and in words that nobody doubts: read on the loop
        plain = done.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\nDone.\r\n"
        assert await ledgers.send(gateway.port, replace(done, raw=plain)) == 250
        ledgers.check()


async def test_a_reader_is_killed_amid_a_mail(tmp_path):
    """The mail is read by another one; and when the gateway stops, none is left."""
    async with scene(tmp_path, readers=1) as (gateway, ledgers):
        readers = gateway.service.readers
        readers._new = _Nursery  # a real start, not one of the tests' own
        await readers.warm(gateway.service.rules.current)
        [first] = readers.processes
        os.kill(first, signal.SIGSTOP)
        under_way = asyncio.create_task(ledgers.send(gateway.port, long(refusal("no"))))
        await until(lambda: any(nursery.busy for nursery in readers._nurseries), "the mail is with its reader")
        os.kill(first, signal.SIGKILL)
        assert await under_way == 250 and ledgers.outcomes("<no@t>") == ["held"]
        to = await ledgers.notice("<no@t>")
        assert await ledgers.send(gateway.port, long(answer(to, "SEND: it is fine"))) == 250
        await until(lambda: ledgers.outcomes("<no@t>") == ["overridden"], "released")
        processes = (readers._nurseries[0]._process.pid, *readers.processes)
        assert len(processes) == 2
        ledgers.check()
    assert not any(Path(f"/proc/{process}").exists() for process in processes)


async def test_what_cannot_be_remembered_goes_out_all_the_same(tmp_path, monkeypatch):
    async with scene(tmp_path) as (gateway, ledgers):
        monkeypatch.setattr(work, "remember", fails)
        assert await ledgers.send(gateway.port, explained("out")) == 250
        assert await ledgers.send(gateway.tap, question("in", JILL, "Jill Amory")) == 250
        assert await ledgers.send(gateway.port, refusal("no")) == 250
        assert (ledgers.outcomes("<out@t>"), ledgers.outcomes("<no@t>")) == (["passed"], ["held"])
        ledgers.check()


# --- mail that cannot be read ----------------------------------------------------------------------------------------

ODD = {
    "empty": b"",
    "only an empty line": b"\r\n",
    "no header": b"just words, no header at all\r\n",
    "no name": b": nothing\r\nFrom: " + DANA.encode() + b"\r\n\r\nhello\r\n",
    "eight-bit header": b"From: " + DANA.encode() + b"\r\nSubject: \xff\xfe\x80\r\n\r\n\xff\xfe\r\n",
    "no such charset": b"From: " + DANA.encode() + b"\r\nContent-Type: text/plain; charset=x-no-such\r\n\r\n\xa4\r\n",
    "not base64": b"From: " + DANA.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!=\r\n",
    "no end of parts": b"From: " + DANA.encode()
    + b'\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>no',
    "parts in parts": b"From: " + DANA.encode() + b"\r\n"
    + b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(400)),
    "bad dates": b"From: " + DANA.encode() + b"\r\nDate: Mon, 99 Foo 0000 99:99:99\r\nMessage-ID: <<>\r\n\r\nx\r\n",
    "a thousand senders": b"From: " + b", ".join(b"a%d@acme.example" % n for n in range(1000)) + b"\r\n\r\nx\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_mail_that_cannot_be_parsed_passes_as_it_is(tmp_path, name: str):
    raw = ODD[name]
    async with scene(tmp_path) as (gateway, _):
        assert (await gateway.send(DANA, [JILL], raw))[0] == 250
        [arrived] = gateway.sink.messages
        expected = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
        assert arrived.raw.split(b"\r\n", 3)[-1] == expected
        assert [row.outcome for row in gateway.audit()] == ["passed"]


# --- templates -------------------------------------------------------------------------------------------------------

NEEDS_A_TARGET = """---
subject: "Wait: {{ subject }}"
needs:
  subject: the subject
  target_name: to whom it goes on
example:
  subject: Chair
  target_name: Bob
---
{{ target_name }}
"""


async def test_a_template_that_does_not_fit_gives_way_to_the_shipped_one(tmp_path):
    own = tmp_path / "templates" / "en" / "notices" / "hold.txt"
    own.parent.mkdir(parents=True)
    own.write_text(NEEDS_A_TARGET)
    async with scene(tmp_path) as (gateway, ledgers):
        gateway.service.rules.templates = load_templates(shipped("templates"), tmp_path / "templates")
        assert await ledgers.send(gateway.port, refusal("fits")) == 250
        await ledgers.notice("<fits@t>")
        assert "Before your mail goes out" in ledgers.notices("<fits@t>")[0].subject


@pytest.mark.parametrize("error", [CannotRender("no"), RuntimeError("words of the mail")])
async def test_no_template_works(tmp_path, monkeypatch, error: Exception):
    """Everything goes on in fixed words, from the notice to the upstream's refusal and the second answer."""

    def breaks(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Templates, "render", breaks)
    async with scene(tmp_path) as (gateway, ledgers):
        sent = forwarded("plain", MARY, "Mary Jones")
        assert await ledgers.send(gateway.tap, question("plain", MARY, "Mary Jones")) == 250
        assert await ledgers.send(gateway.port, sent) == 250
        to = await ledgers.notice(sent.message_id)
        [notice] = ledgers.notices(sent.message_id)
        text = notice.parts[0].text or ""
        assert notice.subject == "Your mail waits: Fwd: Shared drive slow"
        assert "SEND: and why" in text and f"FIX             adds {MARY} to Cc" in text
        gateway.sink.faults.append(Fault("DOT", reply=b"550 5.7.1 not from you\r\n"))
        assert await ledgers.send(gateway.port, answer(to, "FIX")) == 250
        await until(lambda: len(ledgers.notices(sent.message_id)) == 2, "it came back")
        assert "not from you" in (ledgers.notices(sent.message_id)[1].parts[0].text or "")
        assert await ledgers.send(gateway.port, answer(await ledgers.notice(sent.message_id), "FIX")) == 250
        await until(lambda: ledgers.outcomes(sent.message_id) == ["fixed"], "released")
        # acknowledgements cannot be written: what they tell of has happened
        assert await ledgers.send(gateway.port, answer(to, "FIX")) == 250
        assert await ledgers.send(gateway.port, answer(to.replace("+", "+0"), "FIX")) == 250
        ledgers.check()


async def test_a_rewrite_whose_note_cannot_be_written(tmp_path, monkeypatch):
    async with scene(tmp_path) as (gateway, ledgers):
        assert await ledgers.send(gateway.tap, question("note", JILL, "Jill Amory")) == 250
        monkeypatch.setattr(Templates, "render", fails)
        assert await ledgers.send(gateway.port, forwarded("note", JILL, "Jill Amory")) == 250
        assert ledgers.outcomes("<note@t>") == ["rewritten"]
        ledgers.check()


async def test_a_rejection_without_its_template(tmp_path, monkeypatch):
    async with scene(tmp_path) as (gateway, ledgers):
        policies(gateway, do="reject")
        monkeypatch.setattr(Templates, "render", fails)
        sent = refusal("rejected")
        code, text = await gateway.send(sent.mail_from, list(sent.rcpt_to), sent.raw)
        assert code == 550 and text.startswith("5.7.1 Not sent: ")
        assert ledgers.outcomes(sent.message_id) == ["rejected"] and gateway.sink.messages == []


# --- clients that leave ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(("kind", "outcome"), [("pass", "passed"), ("hold", "held")])
async def test_a_client_that_leaves_after_the_final_dot(tmp_path, how: str, kind: str, outcome: str):
    """The dot is the point of no return: whatever the client hears, the mail is dealt with and written down."""
    async with scene(tmp_path) as (gateway, ledgers):
        sent = explained("left") if kind == "pass" else refusal("left")
        gateway.sink.faults.append(Fault("DOT" if kind == "pass" else "RSET", delay=0.2, keep=True))
        async with connection(gateway.port) as talk:
            await talk.command(b"EHLO client.example")
            await talk.command(b"MAIL FROM:<%s>" % sent.mail_from.encode())
            await talk.command(b"RCPT TO:<%s>" % sent.rcpt_to[0].encode())
            await talk.command(b"DATA")
            talk.writer.write(sent.raw + b".\r\n")
            await talk.writer.drain()
            if how == "reset":
                linger = struct.pack("ii", 1, 0)
                talk.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        ledgers.told[sent.message_id] = [None]
        await until(lambda: ledgers.outcomes(sent.message_id) == [outcome], outcome)
        if kind == "hold":  # it comes again, and waits once
            assert await ledgers.send(gateway.port, sent) == 250
            assert ledgers.outcomes(sent.message_id) == ["held"] and list(ledgers.states().values()) == ["held"]
        else:
            assert len(ledgers.copies(sent.message_id)) == 1
        ledgers.check()


# --- many at once ----------------------------------------------------------------------------------------------------


async def test_fifty_mails_at_once(tmp_path):
    """Passed, held, rewritten, and of people who are no agents, all at the same time: every ledger adds up."""
    async with scene(tmp_path, site=site_with(tmp_path, NO_LIMITS)) as (gateway, ledgers):
        names = [f"n{number}" for number in range(50)]
        await asyncio.gather(*(ledgers.send(gateway.tap, question(name, JILL, "Jill Amory")) for name in names[2::5]))
        outside = Sent(MARY, (BOB,), mail(MARY, BOB, "Hello", "Hello Bob", message_id="<n3@t>"))
        mails = []
        for number, name in enumerate(names):
            if number % 5 == 0:
                mails.append(explained(name))
            elif number % 5 == 1:
                mails.append(refusal(name))
            elif number % 5 == 2:
                mails.append(forwarded(name, JILL, "Jill Amory"))
            elif number % 5 == 3:
                raw = outside.raw.replace(b"<n3@t>", b"<%s@t>" % name.encode())
                mails.append(replace(outside, raw=raw))
            else:
                mails.append(forwarded(name, MARY, "Mary Jones"))
        assert await asyncio.gather(*(ledgers.send(gateway.port, each) for each in mails)) == [250] * 50
        await until(lambda: not ledgers.waiting().get("waiting"), "the outbox is empty")
        wanted = ["passed", "held", "rewritten", "passed", "held"] * 10
        assert [ledgers.outcomes(each.message_id) for each in mails] == [[each] for each in wanted]
        assert sorted(ledgers.states().values()) == ["held"] * 20
        held = {row.entry.id for row in ledgers.rows() if row.outcome == "held"}
        assert held == set(ledgers.states())
        noticed = [mail for mail in gateway.sink.messages if b"X-Referral-Gateway: hold;" in mail.raw]
        assert len(noticed) == 20
        ledgers.check()


@pytest.mark.parametrize("count", [2, 10])
async def test_one_answer_many_times_at_once(tmp_path, count: int):
    async with scene(tmp_path) as (gateway, ledgers):
        assert await ledgers.send(gateway.port, refusal("once")) == 250
        to = await ledgers.notice("<once@t>")
        words = ["SEND: because I said so", "DISCARD"] * count
        answers = [answer(to, word) for word in words[: count if count == 2 else 2 * count]]
        codes = await asyncio.gather(*(ledgers.send(gateway.port, each) for each in answers))
        assert codes == [250] * len(answers)
        await until(lambda: ledgers.outcomes("<once@t>")[0] != "held", "settled")
        await until(lambda: not ledgers.waiting().get("waiting"), "the outbox is empty")
        [end] = ledgers.outcomes("<once@t>")
        assert len(ledgers.copies("<once@t>")) == (1 if end == "overridden" else 0)
        [row] = ledgers.rows("<once@t>")
        assert sum(event[1] in ("approved", "discarded") for event in row.history) == 1
        ledgers.check()


# --- answers that settle nothing -------------------------------------------------------------------------------------


def out_of_office(to: str) -> Sent:
    return answer(to, "SEND: I am out of the office", Auto_Submitted="auto-replied")


def vacation(to: str) -> Sent:
    return answer(to, "DISCARD", Precedence="bulk")


def bounce(to: str) -> Sent:
    return replace(answer(to, "FIX"), mail_from="")


def stranger(to: str) -> Sent:
    return answer(to, "SEND: let it go", sender=MARY)


def colleague(to: str) -> Sent:
    return answer(to, "SEND: let it go", sender="mei.tan@acme.example")


def forged(to: str) -> Sent:
    """An agent's From on a mail of somebody else's envelope is judged by its From; a wrong token is no token."""
    local, _, domain = to.partition("@")
    return answer(f"{local[:-4]}0000@{domain}", "SEND: let it go")


def without_token(to: str) -> Sent:
    return answer(to.partition("+")[0] + "@" + to.partition("@")[2], "SEND: let it go")


def unclear(to: str) -> Sent:
    return answer(to, "Hm, what is this?")


def not_offered(to: str) -> Sent:
    return answer(to, "FIX")


@pytest.mark.parametrize(
    "wrong",
    [out_of_office, vacation, bounce, stranger, colleague, forged, without_token, unclear, not_offered],
)
async def test_answers_that_settle_nothing(tmp_path, wrong):
    """Swallowed or asked back; the mail waits, and the right answer still works."""
    async with scene(tmp_path) as (gateway, ledgers):
        assert await ledgers.send(gateway.port, refusal("waits")) == 250
        to = await ledgers.notice("<waits@t>")
        await until(lambda: not ledgers.waiting().get("waiting"), "the notice is gone")
        before = len(gateway.sink.messages)
        sent = wrong(to)
        assert await ledgers.send(gateway.port, sent) == 250
        await until(lambda: not ledgers.waiting().get("waiting"), "the outbox is empty")
        said = [read_message(each.raw) for each in gateway.sink.messages[before:]]
        # nobody outside is answered, and no machine; our own people are told what was wrong
        silent = wrong in (out_of_office, vacation, bounce, stranger)
        assert [[who.address for who in each.to] for each in said] == ([] if silent else [[sent.mail_from]])
        assert all(each.auto_submitted for each in said)
        assert ledgers.outcomes("<waits@t>") == ["held"] and ledgers.copies("<waits@t>") == []
        assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
        await until(lambda: ledgers.outcomes("<waits@t>") == ["overridden"], "released")
        # used up: a second word is only acknowledged
        assert await ledgers.send(gateway.port, answer(to, "DISCARD")) == 250
        assert ledgers.outcomes("<waits@t>") == ["overridden"] and len(ledgers.copies("<waits@t>")) == 1
        ledgers.check()
