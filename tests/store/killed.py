"""A process to be killed: does one thing with the store, says so, and waits for the end."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection

from gateway.store.store import Store
from tests.store.conftest import KEY, NOW, Rows


def run(url: str, what: str, link: Connection) -> None:
    asyncio.run(main(url, what, link))


async def main(url: str, what: str, link: Connection) -> None:
    store = Store.open(url, KEY)
    await store.start()
    await store.recover(NOW)
    if what == "intend":
        await store.intend(Rows.entry("m1"))
    elif what == "remember":
        await store.remember(Rows.seen("<1@x>"))
    elif what == "busy":
        number = 0
        while True:
            ids = [f"m{number + each}" for each in range(20)]
            await asyncio.gather(*(store.hold(Rows.hold(id), Rows.entry(id), [Rows.notice(f"n-{id}")]) for id in ids))
            link.send(" ".join(ids))
            number += 20
    else:
        await store.hold(Rows.hold("m1"), Rows.entry("m1"), [Rows.notice()])
    if what in ("approve", "claim", "dot", "finish"):
        assert await store.approve("m1", "send", "bob", "because", "token-of-m1", NOW)
    if what in ("claim", "dot", "finish"):
        claim = await store.claim_next("killed", 600, NOW)
        assert claim is not None
        if what in ("dot", "finish"):
            await store.mark_dot(claim)
        if what == "finish":
            await store.finish(claim, "released", "250", "overridden", "bob")
    link.send("done")
    await asyncio.sleep(60)
