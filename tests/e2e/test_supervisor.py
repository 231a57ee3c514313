"""Who hears what when somebody other than the sender decides, and what a gateway without an address does."""

from __future__ import annotations

import pytest

from gateway.located import BadFiles
from gateway.mail.message import read_message
from tests.e2e.house import house, mail

DANA, PRIYA, JILL = "dana.cole@acme.example", "priya.raman@acme.example", "jill.amory@acme.example"
NO = "No.\n\nOn Monday, Jill Amory <jill.amory@acme.example> wrote:\n> Could I have a second monitor?\n"


@pytest.mark.parametrize("answer", ["DISCARD", "SEND: agreed with Jill"])
async def test_the_sender_hears_what_the_supervisor_decided(answer: str, tmp_path) -> None:
    async with house(tmp_path) as gateway:
        await gateway.send(DANA, [JILL], mail(f"Dana Cole <{DANA}>", JILL, "Re: Monitor", NO))
        [notice] = await gateway.wait_to(DANA)
        to = read_message(notice.raw).reply_to[0].address
        said = mail(f"Priya Raman <{PRIYA}>", to, "Re: Before", f"{answer}\n")
        assert (await gateway.send(PRIYA, [to], said))[0] == 250
        _, ack = await gateway.wait_to(DANA, 2)
        assert f"{PRIYA} decided" in read_message(ack.raw).parts[0].text.replace("\n", " ")
        if answer == "DISCARD":
            assert await gateway.wait_to(PRIYA)
        assert bool(gateway.to(JILL)) == (answer != "DISCARD")


async def test_enforcing_without_an_address_for_answers_is_refused(tmp_path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text('name: Small\nagents: ["*"]\n')
    with pytest.raises(BadFiles, match="no address for the notices"):
        async with house(tmp_path, site=str(site)):
            pass
    async with house(tmp_path, site=str(site), observe=True) as gateway:
        assert "observing" in gateway.service.status()
    async with house(tmp_path, site=str(site), notices_address="gw@gateway.example") as gateway:
        assert gateway.service.settling.takes("gw+abc@gateway.example")
