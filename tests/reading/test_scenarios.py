"""The scenario corpus, where it is at hand: no false stop, and the first two policies lose none of theirs again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gateway.mail.envelope import Envelope
from gateway.mail.message import Message, read_message
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.model import PolicySet
from gateway.reading.memory import remember
from gateway.reading.reader import Context, Reading, read
from gateway.reading.thread import SeenMessage, Thread
from tests.reading.conftest import NOW

CORPUS = Path(os.environ.get("GATEWAY_CORPUS") or Path(__file__).parents[2].parent / "shared" / "corpus")
FOLDERS = sorted(path.parent for path in (CORPUS / "scenarios").glob("*/expect.json"))
FIRST = {"dropped-requester", "bare-refusal"}
KEY = b"scenarios"

pytestmark = pytest.mark.skipif(not FOLDERS, reason=f"no scenarios in {CORPUS}; GATEWAY_CORPUS names the folder")


def linked(message: Message, seen: Iterable[SeenMessage], tags: tuple[str, ...]) -> Thread:
    """The thread as the store links it: by ids, transitively; what only shares a tag stands apart."""
    ids, left, found = {message.message_id, *message.references}, list(seen), True
    by_id = set()
    while found:
        found = [one for one in left if one.message_id in ids or ids & set(one.references)]
        for one in found:
            left.remove(one)
            by_id.add(one.message_id)
            ids |= {one.message_id, *one.references}
    return Thread(
        tuple(one for one in seen if one.message_id in by_id), tuple(one for one in left if set(tags) & set(one.tags))
    )


def judged(folder: Path, policies: PolicySet) -> tuple[Reading, Decision]:
    seen = []
    for described in sorted((folder / "context").glob("*.json")):
        about: dict[str, Any] = json.loads(described.read_text())
        if about["seen_by_gateway"]:
            earlier = read_message(described.with_suffix(".eml").read_bytes())
            envelope = Envelope.of(about["mail_from"], about["rcpt_to"])
            seen.append(remember(earlier, envelope, about["direction"], policies.site, policies.lexicon, NOW, KEY))
    message = read_message((folder / "message.eml").read_bytes())
    about = json.loads((folder / "envelope.json").read_text())
    now = message.date or NOW
    thread = linked(message, seen, policies.site.ticket_tags(message.subject))
    context = Context(policies.site, policies.lexicon, now, thread, key=KEY)
    reading = read(message, Envelope.of(about["mail_from"], about["rcpt_to"]), context)
    return reading, decide(reading, policies, now=now)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scenario(folder: Path, policies: PolicySet) -> None:
    expected: dict[str, Any] = json.loads((folder / "expect.json").read_text())
    reading, decision = judged(folder, policies)
    found = {f.policy for f in decision.enforced if not f.exempt} - {"executive-refusal"}
    wanted = set(expected["violations"])
    assert found & FIRST <= wanted | set(expected["acceptable_violations"])
    assert decision.notify_supervisor == expected["notify_supervisor"]
    if wanted & FIRST:
        assert found & wanted
        assert reading.requester is not None
        assert reading.requester.mailbox.key == expected["requester"].lower()
        assert sorted(box.key for box in decision.add_cc) == sorted(map(str.lower, expected["add_cc"]))
    for fact in reading.facts.values():
        for span in fact.evidence:
            assert span.start <= span.end
            assert span.text
