"""A policy on trial over SMTP: a thread is treated alike, overrides make it fall back, and a person arms it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.canary import Trial
from gateway.mail.message import read_message
from gateway.site.model import Canary
from tests.e2e.house import House, house, mail
from tests.e2e.ledgers import until
from tests.e2e.limits import ADMIN, DANA, JILL, beside, no, policies_with, site_with, words

LIMITS = "{holds_per_agent: null, canary: {overrides: 30, last: 10, at_least: 5}}"


def scene(folder: Path, share: int) -> dict[str, Any]:
    policies = policies_with(folder, "bare-refusal", scope=f"{{share: {share}}}")
    return {"site": site_with(folder, LIMITS), "policies": policies}


async def held(gateway: House) -> bool:
    return "Held" in (await gateway.send(DANA, [JILL], no()))[1]


async def answer_all(gateway: House, word: str) -> None:
    """Answer every notice that waits, and see the answers done."""
    store = gateway.service.store
    waiting = {hold.new.id for hold in await store.held_list("held")}
    await until(lambda: not store.outbox_count().get("waiting"), "notices are out")
    for notice in list(gateway.to(DANA)):
        about = notice.raw.partition(b"mail=")[2].split()[0].decode()
        if about in waiting and (reply_to := read_message(notice.raw).reply_to):
            to = reply_to[0].address
            said = mail(f"Dana Cole <{DANA}>", to, "Re: Before your mail goes out", f"{word}\n")
            assert (await gateway.send(DANA, [to], said))[0] == 250
    await until(
        lambda: all(store.audit_show(id).outcome not in ("held", "pending") for id in waiting),  # type: ignore[union-attr]
        "all are settled",
    )


async def test_a_thread_is_treated_alike(tmp_path: Path) -> None:
    async with house(tmp_path, **scene(tmp_path, 50)) as gateway:
        sides = []
        for number in range(12):
            thread = f"<root{number}@limits>"
            told = [(await gateway.send(DANA, [JILL], no(thread=thread)))[1] for _ in range(2)]
            first, second = ("Held" in each for each in told)
            assert first == second
            sides.append(first)
        assert 0 < sum(sides) < 12, "some threads are on each side"
        observed = [row for row in gateway.audit() if row.outcome == "passed"]
        assert all(row.entry.findings[0]["mode"] == "observe" for row in observed)


async def test_overrides_make_a_policy_fall_back_until_it_is_armed(tmp_path: Path) -> None:
    async with house(tmp_path, **scene(tmp_path, 99)) as gateway:
        service = gateway.service
        assert sum([await held(gateway) for _ in range(4)]) == 4
        await answer_all(gateway, "SEND: they are on the phone")
        await service.watch.trials()
        assert await held(gateway), "four are too few to tell"
        await answer_all(gateway, "SEND: they are on the phone")
        await service.watch.trials()
        assert not await held(gateway)
        assert gateway.audit()[0].entry.findings[0]["mode"] == "observe"
        [told] = await gateway.wait_to(ADMIN)
        assert "Of its last 5 stops, 5 were sent all the same" in words(told.raw)
        _, states = service.store.governed_now()
        assert states["bare-refusal"].why == "5 of the last 5 stops were sent all the same"

        code, _, err = await beside(gateway, "policy", "arm", "bare-refusl", "--why", "mended")
        assert code == 2 and "has not fallen back" in err and "bare-refusal" in err
        code, out, err = await beside(gateway, "policy", "arm", "bare-refusal", "--why", "mended")
        assert (code, out) == (0, "bare-refusal does again what its file says\n"), err
        code, out, _ = await beside(gateway, "audit", "show", "policy/bare-refusal")
        assert code == 0 and "canary-off: 5 of the last 5 stops" in out and ": mended" in out
        await service.watch.step()
        assert await held(gateway)
        await service.watch.trials()
        assert await held(gateway), "its trial starts anew"
        await service.watch.step()
        assert len(gateway.to(ADMIN)) == 1


async def test_a_policy_that_people_heed_stays(tmp_path: Path) -> None:
    async with house(tmp_path, **scene(tmp_path, 99)) as gateway:
        for _ in range(6):
            await held(gateway)
        await answer_all(gateway, "DISCARD")
        await gateway.service.watch.trials()
        assert await held(gateway)


async def test_a_policy_for_all_mail_is_on_no_trial(tmp_path: Path) -> None:
    async with house(tmp_path, **scene(tmp_path, 100)) as gateway:
        for _ in range(6):
            await held(gateway)
        await answer_all(gateway, "SEND: they are on the phone")
        await gateway.service.watch.trials()
        assert await held(gateway)


@pytest.mark.parametrize(
    ("overrides", "of", "failed"),
    [(9, 9, False), (10, 10, True), (6, 10, True), (5, 10, False), (22, 50, True), (21, 50, False), (0, 50, False)],
)
def test_only_what_is_sure_counts(overrides: int, of: int, failed: bool) -> None:
    """Wilson's lower end at 95 %: 6 of 10 lies above 31 %, 5 of 10 above 24 %, 22 of 50 above 31 %, 21 of 50 29 %."""
    assert Trial(overrides, of).failed(Canary(overrides=30, last=50, at_least=10)) == failed
