"""The six stories, over SMTP from the first octet to the last, each with its three ledgers compared.

The ledgers: what the client was told, what the upstream took, what store and audit say. Every mail that was answered
2xx must be at the upstream, or held, or discarded with an audit row; and nowhere twice.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

import pytest

from gateway.commands.demo_mails import STORIES, Story, agent_mail, question_mail, reply_mail
from gateway.mail.message import read_message
from tests.e2e.house import House, house, mail

NAMES = [story.title.partition(";")[0].replace(" ", "-") for story in STORIES]


def bare(mailbox: str) -> str:
    return parseaddr(mailbox)[1]


async def settled(gateway: House, mail_id: str) -> str:
    """The outcome once there is one."""
    async with asyncio.timeout(10):
        while (row := gateway.service.store.audit_show(mail_id)) is None or row.outcome in ("pending", "held"):
            await asyncio.sleep(0.02)
    return row.outcome


async def outbox_is_empty(gateway: House) -> None:
    async with asyncio.timeout(10):
        while gateway.service.store.outbox_count().get("waiting", 0):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("story", STORIES, ids=NAMES)
async def test_story_ends_as_it_should(story: Story, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    agent, to = bare(story.agent), [bare(each) for each in (story.to, story.cc) if each]
    async with house(tmp_path) as gateway:
        asked = question_mail(story, 1, now)
        requester = bare(story.requester)
        assert (await gateway.send(requester, ["it-support@acme.example"], asked, port=gateway.tap))[0] == 250
        sent = agent_mail(story, 1, now)
        code, text = await gateway.send(agent, to, sent)
        assert code == 250
        [row] = gateway.audit()
        assert row.entry.disposition == story.verdict
        if story.verdict == "hold":
            assert row.entry.id in text, "the sender can name the mail"
            assert not [m for m in gateway.sink.messages if sent.split(b"\r\n\r\n", 1)[1] in m.raw], "held is held"
            [notice] = await gateway.wait_to(agent)
            answer_to = read_message(notice.raw).reply_to[0].address
            answer = reply_mail(story, answer_to, now)
            assert (await gateway.send(agent, [answer_to], answer))[0] == 250
            assert await settled(gateway, row.entry.id) == story.ending
        await outbox_is_empty(gateway)

        # upstream's ledger: the mail is there once, for exactly these people, changed only where the story says
        arrived = [m for m in gateway.sink.messages if read_message(m.raw).message_id == row.entry.message_id]
        assert len(arrived) == 1
        reached = [argument.partition(b">")[0].lstrip(b"<").decode() for argument in arrived[0].rcpt_args]
        assert sorted(reached) == sorted(story.arrives_at)
        own, rest = arrived[0].raw.split(b"\r\n", 3)[:3], arrived[0].raw.split(b"\r\n", 3)[3]
        assert own[0].startswith(b"Received: from client.example")
        if story.cc_after:
            cc = [line for line in rest.split(b"\r\n") if line.startswith(b"Cc: ")]
            assert len(cc) == 1 and story.cc_after[0].encode() in cc[0]
            rest = rest.replace(cc[0] + b"\r\n", b"", 1)
        assert rest == sent

        # the store's ledger: one audit row, with who, why, evidence, version and what became of it
        [row] = gateway.audit()
        entry = row.entry
        assert row.outcome == story.ending and entry.agent == agent and entry.policy_version
        assert entry.requester == bare(story.requester)
        if story.verdict != "pass":
            assert entry.findings[0]["policy"] in ("dropped-requester", "bare-refusal")
            assert entry.findings[0]["evidence"][0]["text"] in story.answer
        holds = await gateway.service.store.held_list()
        assert [hold.state for hold in holds] == (["released"] if story.verdict == "hold" else [])
        told = 1 + (story.verdict == "hold") * 2 + (story.verdict == "rewrite")
        assert len(gateway.sink.messages) == 1 + told, "the question, the mail, and what the agent was told; no more"


async def test_discard_deletes_and_nothing_leaves(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        body = "No.\n\nOn Monday, Jill Amory <jill.amory@acme.example> wrote:\n> Could I have a second monitor?\n"
        no = mail("Dana Cole <dana.cole@acme.example>", "jill.amory@acme.example", "Re: Monitor", body)
        assert (await gateway.send("dana.cole@acme.example", ["jill.amory@acme.example"], no))[0] == 250
        [notice] = await gateway.wait_to("dana.cole@acme.example")
        to = read_message(notice.raw).reply_to[0].address
        answer = mail("Dana Cole <dana.cole@acme.example>", to, "Re: Before", "Verwerfen\n\n> Hello Dana\n")
        assert (await gateway.send("dana.cole@acme.example", [to], answer))[0] == 250
        [row] = gateway.audit()
        assert row.outcome == "discarded" and row.history[-1][3] == "dana.cole@acme.example"
        await gateway.wait_to("dana.cole@acme.example", 2)
        assert not gateway.to("jill.amory@acme.example")


async def test_reject_answers_the_client_with_what_to_do(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    shipped = Path(__file__).resolve().parents[2] / "policies"
    text = (shipped / "bare-refusal.yaml").read_text().replace("\ndo: hold", "\ndo: reject")
    (policies / "bare-refusal.yaml").write_text(text)
    async with house(tmp_path, policies=str(policies)) as gateway:
        body = "No.\n\nOn Monday, Jill Amory <jill.amory@acme.example> wrote:\n> Could I have a second monitor?\n"
        no = mail("Dana Cole <dana.cole@acme.example>", "jill.amory@acme.example", "Re: Monitor", body)
        code, said = await gateway.send("dana.cole@acme.example", ["jill.amory@acme.example"], no)
        assert code == 550 and said.startswith("5.7.1 ") and "would have passed" in said
        [row] = gateway.audit()
        assert row.outcome == "rejected" and row.entry.id in said
        assert gateway.sink.messages == []


async def test_mail_of_others_is_neither_judged_nor_changed(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        no = mail("Bob Nilsson <bob.nilsson@acme.example>", "jill.amory@acme.example", "Re: Monitor", "No.\n")
        assert (await gateway.send("bob.nilsson@acme.example", ["jill.amory@acme.example"], no))[0] == 250
        [row] = gateway.audit()
        assert row.outcome == "passed" and row.entry.agent == "" and row.entry.findings == ()
        assert gateway.sink.messages[0].raw.endswith(no)


async def test_observe_records_and_passes(tmp_path: Path) -> None:
    async with house(tmp_path, observe=True) as gateway:
        body = "No.\n\nOn Monday, Jill Amory <jill.amory@acme.example> wrote:\n> Could I have a second monitor?\n"
        no = mail("Dana Cole <dana.cole@acme.example>", "jill.amory@acme.example", "Re: Monitor", body)
        assert (await gateway.send("dana.cole@acme.example", ["jill.amory@acme.example"], no)) == (250, "2.0.0 Taken")
        [row] = gateway.audit()
        assert row.outcome == "passed" and row.entry.findings[0]["mode"] == "observe"
        assert gateway.sink.messages[0].raw.endswith(no)


async def test_without_a_site_nothing_is_judged(tmp_path: Path) -> None:
    async with house(tmp_path, site=None) as gateway:
        assert "judging nothing" in gateway.service.status()
        no = mail("Dana Cole <dana.cole@acme.example>", "jill.amory@acme.example", "Re: Monitor", "No.\n")
        assert (await gateway.send("dana.cole@acme.example", ["jill.amory@acme.example"], no))[0] == 250
        [row] = gateway.audit()
        assert row.outcome == "passed" and row.entry.agent == ""


async def test_a_journal_copy_is_remembered_and_goes_no_further(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        to = "it-support@acme.example"
        asked = mail("Mary <mary@customer.example>", to, "VPN", "Help?\n", message_id="<q@x.example>")
        assert (await gateway.send("mary@customer.example", ["journal@gateway.acme.example"], asked))[0] == 250
        assert gateway.sink.messages == []
        thread = await gateway.service.store.thread(["<q@x.example>"])
        assert thread.by_id[0].author.address == "mary@customer.example"
