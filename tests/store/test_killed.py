"""kill -9 the moment after the store has answered: what it answered for is there."""

from __future__ import annotations

import contextlib
import multiprocessing.context
import signal
from collections.abc import Iterator

import pytest

from tests.store import killed as killed_process


@pytest.fixture(scope="session")
def forks() -> multiprocessing.context.ForkServerContext:
    """Processes that have the store's code from the start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([killed_process.__name__])
    return context


@pytest.fixture
def killed(url, forks) -> Iterator[object]:
    started: list[multiprocessing.context.ForkServerProcess] = []

    def run(what: str, lines: int = 1) -> list[str]:
        ours, theirs = forks.Pipe(duplex=False)
        process = forks.Process(target=killed_process.run, args=(url, what, theirs))
        process.start()
        theirs.close()
        started.append(process)
        said = [ours.recv() for _ in range(lines)]
        process.kill()
        with contextlib.suppress(EOFError, OSError):
            while True:
                said.append(ours.recv())
        process.join()
        assert process.exitcode == -signal.SIGKILL
        return said

    yield run
    for process in started:
        process.kill()
        process.join()


@pytest.mark.parametrize(
    ("what", "state", "outcome"),
    [
        ("hold", "held", "held"),
        ("approve", "approved", "held"),
        ("claim", "approved", "held"),
        ("dot", "in-doubt", "in-doubt"),
        ("finish", "released", "overridden"),
    ],
)
async def test_each_step_of_a_hold_survives(killed, url, open_store, rows, what, state, outcome):
    assert killed(what) == ["done"]
    store = open_store(url)
    await store.recover(rows.now)
    hold = await store.held("m1")
    assert (hold.state, hold.raw) == (state, rows.hold().raw)
    assert store.audit_show("m1").outcome == outcome
    assert [mail.raw for mail in await store.outbox_due(rows.now, 9, "me", 60)] == [rows.notice().raw]
    token = await store.token("token-of-m1")
    assert token.alive is (what == "hold")
    claim = await store.claim_next("me", 60, rows.now)
    assert (claim is not None) is (state == "approved")


async def test_an_intent_survives_and_is_in_doubt(killed, url, open_store, rows):
    killed("intend")
    store = open_store(url)
    assert store.audit_show("m1").outcome == "pending"
    assert (await store.recover(rows.now)).mails_in_doubt == ("m1",)


async def test_thread_memory_survives(killed, url, open_store):
    killed("remember")
    assert len((await open_store(url).thread(["<1@x>"])).by_id) == 1


async def test_killed_in_the_middle_of_work_nothing_is_half(killed, url, open_store, rows):
    said = killed("busy", lines=5)
    answered = {id for line in said for id in line.split()}
    store = open_store(url)
    held = {hold.new.id for hold in await store.held_list(limit=10_000)}
    assert answered <= held
    audited = {row.entry.id for row in store.audit_list(limit=10_000)}
    noticed = {mail.id.removeprefix("n-") for mail in await store.outbox_due(rows.now, 10_000, "me", 60)}
    assert held == audited == noticed
    for id in sorted(held)[:50]:
        assert (await store.held(id)).raw == rows.hold(id).raw
