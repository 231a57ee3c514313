"""How many mails a second the store takes, and how long a thread look-up lasts among many rows.

    python tests/bench/store.py [--url URL] [--mails 5000] [--clients 20] [--rows 100000]

Prints figures; asserts nothing. Without --url it makes an SQLite database in a temporary folder (mind that /tmp may be
in memory, where synchronising costs nothing: name a folder on a disk with --folder).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime

from gateway.mail.address import Mailbox
from gateway.reading.thread import SeenMessage
from gateway.store.records import AuditEntry
from gateway.store.store import Store
from gateway.store.threads import insert_seen

EVIDENCE = [{"text": "a sentence of evidence", "part": "1", "start": 0, "end": 22}]
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def seen(number: int) -> SeenMessage:
    """Threads of eight messages, each naming those before it."""
    first = number - number % 8
    return SeenMessage(
        message_id=f"<{number}.{number * 7919 % 104729}@mail.example>",
        direction="inbound",
        author=Mailbox(f"user{first}@acme.example", "A User"),
        to=(Mailbox("help@acme.example", "Help"),),
        rcpt_to=("help@acme.example",),
        sent_at=NOW,
        subject=f"[ACME-{first}] printer",
        references=tuple(f"<{each}.{each * 7919 % 104729}@mail.example>" for each in range(number - 1, first - 1, -1)),
        tags=(f"ACME-{first}",),
        lines=frozenset(random.getrandbits(64) for _ in range(30)),
    )


def entry(id: str) -> AuditEntry:
    return AuditEntry(
        id=id, at=NOW, listener="smtp", peer="192.0.2.1", agent="bob@acme.example", team="it",
        requester="mary@acme.example", requester_grade="observed", mail_from="bob@acme.example",
        rcpt_to=("carol@acme.example",), message_id=f"<{id}@acme.example>", subject="Re: printer", size=30000,
        sha256="0" * 64, lang="en", disposition="pass", reason="", policy_version="v1",
        facts={name: {"value": True, "evidence": EVIDENCE} for name in ("handoff", "target", "eta", "to_requester")},
    )  # fmt: skip


async def mails(store: Store, count: int, clients: int) -> None:
    """What each judged mail costs: a look-up, an intent, an outcome with thread memory."""
    numbers = iter(range(count))

    async def client() -> None:
        for number in numbers:
            message = seen(10_000_000 + number)
            await store.thread(message.references, message.tags)
            await store.intend(entry(f"b{number}"))
            await store.outcome(f"b{number}", "passed", "250 2.0.0 Ok", seen=message)

    started, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    took, used = time.perf_counter() - started, time.process_time() - used
    print(f"{clients:3} clients: {count / took:8.0f} mails a second, {used / count * 1e6:6.0f} µs of CPU a mail")


async def lookups(store: Store, rows: int, count: int = 2000) -> None:
    took = []
    for _ in range(count):
        message = seen(random.randrange(rows))
        started = time.perf_counter()
        await store.thread([message.message_id, *message.references], message.tags)
        took.append(time.perf_counter() - started)
    took.sort()
    print(
        f"thread look-up among {rows} messages: median {statistics.median(took) * 1e3:.2f} ms, "
        f"p99 {took[int(count * 0.99)] * 1e3:.2f} ms"
    )


async def fill(store: Store, rows: int) -> None:
    started = time.perf_counter()
    for start in range(0, rows, 1000):
        batch = [seen(number) for number in range(start, min(start + 1000, rows))]

        def work(connection, batch=batch) -> None:
            insert_seen(connection, [(message, NOW) for message in batch], store.run_id)

        await store._writer.run(work)
    print(f"{rows / (time.perf_counter() - started):.0f} messages a second remembered in bulk")


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--url", default="")
    arguments.add_argument("--folder", default=None)
    arguments.add_argument("--mails", type=int, default=5000)
    arguments.add_argument("--clients", type=int, default=20)
    arguments.add_argument("--rows", type=int, default=100_000)
    said = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=said.folder) as folder:
        store = Store.open(said.url or f"sqlite:///{folder}/gateway.db", bytes(32))
        await store.start()
        await mails(store, said.mails, said.clients)
        if said.rows:
            await fill(store, said.rows)
            await lookups(store, said.rows)
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
