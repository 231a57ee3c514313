"""The three ledgers of every mail: what the client was told, what the upstream has, what the store says (SMTP.md D)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gateway.mail.message import Message, read_message
from gateway.smtp.sink import Sink
from gateway.store import holds
from gateway.store.crypto import load_or_create_key
from gateway.store.records import AuditRow
from gateway.store.store import Store
from tests.e2e.house import connection, mail

T = TypeVar("T")

DANA = "dana.cole@acme.example"
JILL = "jill.amory@acme.example"
BOB = "bob.nilsson@acme.example"
MARY = "mary.jones@customer.example"


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail as the client sends it, again too."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    raw: bytes

    @property
    def message_id(self) -> str:
        return read_message(self.raw).message_id or ""


def refusal(name: str) -> Sent:
    """A bare no: held."""
    text = "No.\n\nDana\n\nOn Fri, 21 Nov 2025 at 09:12, Jill Amory <jill.amory@acme.example> wrote:\n"
    text += f"> Could I have a second monitor for my desk? ({name})\n"
    return Sent(DANA, (JILL,), mail(f"Dana Cole <{DANA}>", JILL, "Re: Second monitor", text, message_id=f"<{name}@t>"))


def explained(name: str) -> Sent:
    """A no with its reason: passes."""
    text = "Hello Jill,\n\nnot today, I am afraid: the backup server is being patched. I will restore it on Tuesday by"
    text += f" 3 pm. ({name})\n\nDana\n\nOn Fri, 21 Nov 2025 at 09:12, Jill Amory <jill.amory@acme.example> wrote:\n"
    text += "> Could you restore the folder today?\n"
    return Sent(DANA, (JILL,), mail(f"Dana Cole <{DANA}>", JILL, "Re: Restore", text, message_id=f"<{name}@t>"))


def forwarded(name: str, who: str, shown: str) -> Sent:
    """A hand-off without `who` asked: held when they are a customer, rewritten when the gateway saw a colleague ask."""
    text = "Hi Bob, this one is for your team, please take it from here.\n\nDana\n\n"
    text += f"---------- Forwarded message ---------\nFrom: {shown} <{who}>\nDate: Fri, 21 Nov 2025 at 09:12\n"
    text += f"Subject: Shared drive slow {name}\nTo: IT Support <it-support@acme.example>\n\nThe S: drive is slow.\n"
    asked = f"<asked-{name}@t>"
    raw = mail(f"Dana Cole <{DANA}>", BOB, "Fwd: Shared drive slow", text, message_id=f"<{name}@t>", reply_to=asked)
    return Sent(DANA, (BOB,), raw)


def question(name: str, who: str, shown: str) -> Sent:
    """What somebody asked before, for the inbound tap."""
    text = f"The S: drive is slow. Can somebody look? ({name})\n"
    to, asked = "it-support@acme.example", f"<asked-{name}@t>"
    raw = mail(f"{shown} <{who}>", f"IT Support <{to}>", f"Shared drive slow {name}", text, message_id=asked)
    return Sent(who, (to,), raw)


_numbers = itertools.count()


def answer(to: str, word: str, sender: str = DANA, **headers: str) -> Sent:
    """A reply to a notice."""
    headers = {"message_id": f"<{next(_numbers)}@answers>", **headers}
    return Sent(sender, (to,), mail(sender, to, "Re: Before your mail goes out", word, **headers))


async def until(look: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
    """Look until there is something (anything but None and False)."""
    try:
        async with asyncio.timeout(seconds):
            while (found := look()) in (None, False):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not in time: {what}") from None
    return found


@dataclass
class Ledgers:
    """All three, for everything that was sent through gateways on `state` with `sink` behind them."""

    sink: Sink
    state: Path
    key: Path
    told: dict[str, list[int | None]] = field(default_factory=dict)
    """Message-ID -> the replies to its end of data, None where the connection broke first."""

    async def send(self, port: int, sent: Sent) -> int | None:
        """Send, and write down what the client heard."""
        code: int | None = None
        with contextlib.suppress(OSError, EOFError):
            async with connection(port) as talk:
                await talk.command(b"EHLO client.example")
                code, _ = await talk.command(b"MAIL FROM:<%s>" % sent.mail_from.encode())
                for to in sent.rcpt_to:
                    if code < 400:
                        code, _ = await talk.command(b"RCPT TO:<%s>" % to.encode())
                if code < 400:
                    code, _ = await talk.command(b"DATA")
                if code == 354:
                    code = None
                    code, _ = await talk.content(sent.raw)
        self.told.setdefault(sent.message_id, []).append(code)
        return code

    # --- what the upstream has -------------------------------------------------------------------------------------

    def arrived(self) -> list[Message]:
        return [read_message(each.raw) for each in self.sink.messages]

    def copies(self, message_id: str) -> list[Message]:
        return [each for each in self.arrived() if each.message_id == message_id]

    def own(self, message_id: str) -> list[Message]:
        """The gateway's own mails about a mail, oldest first."""
        return [each for each in self.arrived() if each.get("X-Referral-Gateway") and message_id in each.references]

    def notices(self, message_id: str) -> list[Message]:
        """Those that can be answered."""
        return [each for each in self.own(message_id) if each.reply_to and _kind(each) != "companion"]

    def acknowledged(self, message_id: str) -> bool:
        """Whether the sender heard what became of it."""
        return any(_kind(each) == "ack" for each in self.own(message_id))

    def companions(self, message_id: str) -> list[Message]:
        """The notes to whoever asked."""
        return [each for each in self.own(message_id) if _kind(each) == "companion"]

    async def notice(self, message_id: str) -> str:
        """The address that answers about this mail go to, from the newest notice."""
        await until(lambda: bool(self.notices(message_id)), f"a notice about {message_id}")
        return self.notices(message_id)[-1].reply_to[0].address

    # --- what the store says ---------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _store(self) -> Iterator[Store]:
        store = Store.open(f"sqlite:///{self.state / 'gateway.db'}", load_or_create_key(self.key), create=False)
        try:
            yield store
        finally:
            store.database.dispose()

    def rows(self, message_id: str = "") -> list[AuditRow]:
        """Audit entries, oldest first."""
        with self._store() as store:
            found = store.audit_list(limit=100_000)[::-1]
        return [row for row in found if not message_id or row.entry.message_id == message_id]

    def outcomes(self, message_id: str) -> list[str]:
        return [row.outcome for row in self.rows(message_id)]

    def states(self) -> dict[str, str]:
        """The state of every hold by its id."""
        with self._store() as store, store.database.reader.connect() as connection:
            listed = holds.list_holds(connection, state=None, agent="", limit=100_000)
        return {hold.new.id: hold.state for hold in listed}

    def waiting(self) -> dict[str, int]:
        with self._store() as store:
            return store.outbox_count()

    # --- the rule --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every 2xx is at the upstream, or held, or discarded with an audit row, or in doubt; and nothing is there
        twice without being marked in doubt, but for what a client sent again that had never heard of the first."""
        rows: dict[str, list[AuditRow]] = {}
        for row in self.rows():
            rows.setdefault(row.entry.message_id, []).append(row)
        copies: dict[str, int] = {}
        for each in self.arrived():
            if not each.get("X-Referral-Gateway"):
                copies[each.message_id or ""] = copies.get(each.message_id or "", 0) + 1
        for message_id, told in self.told.items():
            mine = rows.get(message_id, [])
            if not mine and not copies.get(message_id):
                assert not _is_mail(message_id) or not any(code and code < 300 for code in told), f"{message_id}: lost"
                continue
            ends = [row.outcome for row in mine]
            heard = any(code is not None and code < 300 for code in told)
            kept = any(end in ("held", "discarded", "in-doubt") for end in ends)
            assert not heard or copies.get(message_id) or kept, f"{message_id}: {told}, {ends}, and nowhere"
            doubts = sum(any(event[1] == "in-doubt" for event in row.history) for row in mine)
            unheard = min(told.count(None), sum(end in ("passed", "rewritten") for end in ends) - 1)
            allowed = 1 + doubts + max(0, unheard)
            assert copies.get(message_id, 0) <= allowed, f"{message_id}: {copies[message_id]} copies, {ends}, {told}"
            assert "pending" not in ends, f"{message_id}: forgotten"


def _kind(own: Message) -> str:
    return (own.get("X-Referral-Gateway") or "").partition(";")[0]


def _is_mail(message_id: str) -> bool:
    return bool(re.fullmatch(r"<[^@>]+@t>", message_id))
