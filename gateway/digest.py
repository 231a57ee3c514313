"""The daily digest: the mails that the gateway added somebody to, in one note at the end of the sender's day.

Each line waits in the outbox, in the transaction of the mail that it is about; when the day is over the lines of one
person become one mail, in one transaction too, so that no line is lost and none is told twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from gateway import notices
from gateway.correspondence import Correspondence, mail_id
from gateway.mail.address import Mailbox
from gateway.notice_facts import MAX_SUBJECT, NoticeFacts, variables
from gateway.store.records import DIGEST_LINE, OutMail
from gateway.store.store import Store
from gateway.templating import one_line


def line(facts: NoticeFacts, *, id: str, now: datetime, due: datetime) -> OutMail:
    """One mail's line; `now` is in the reader's zone."""
    seen = variables(facts)
    said = {
        "text": f"{now:%H:%M}  {one_line(facts.subject)[:MAX_SUBJECT]}: + {', '.join(seen['adds'])}",
        "name": facts.agent.name,
        "lang": facts.lang,
    }
    return OutMail(id, "", (facts.agent.address,), json.dumps(said).encode(), DIGEST_LINE, facts.held_id, due)


async def send_due(store: Store, letters: Correspondence) -> int:
    """Make the digests that are due; how many. The dispatcher sends them."""

    def compose(address: str, lines: Sequence[OutMail]) -> OutMail:
        said = [json.loads(each.raw) for each in lines]
        agent, lang = Mailbox(address, said[-1]["name"]), said[-1]["lang"]
        facts = NoticeFacts(held_id="", agent=agent, subject="", lang=lang)
        return notices.letter(
            "digest", "notices/digest", facts, agent, letters.head(), id=mail_id(), now=letters.clock(),
            count=len(said), items=[each["text"] for each in said],
        )  # fmt: skip

    return await store.gather(DIGEST_LINE, letters.clock(), compose)
