"""`policy health`, `sample` and `review` beside a running gateway, over mail that came by SMTP."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.house import house, mail
from tests.e2e.limits import DANA, JILL, beside, no, site_with
from tests.e2e.test_canary import answer_all


async def test_health_of_what_was_answered(tmp_path: Path) -> None:
    async with house(tmp_path, site=site_with(tmp_path, "{holds_per_agent: 7}")) as gateway:
        for word, number in (("SEND: they are on the phone", 5), ("DISCARD", 1)):
            for _ in range(number):
                await gateway.send(DANA, [JILL], no())
            await answer_all(gateway, word)
        for _ in range(2):  # one waits, and one is advice
            await gateway.send(DANA, [JILL], no())
        code, out, err = await beside(gateway, "policy", "health", "--json")
        assert code == 0, err
        said, terse, estimate = map(json.loads, out.splitlines())
        assert (terse["policy"], terse["matched"]) == ("terse-reply", said["matched"]), "a one-word no is both"
        assert said["policy"] == "bare-refusal"
        assert {key: said[key] for key in ("matched", "stopped", "advised", "waiting")} == {
            "matched": 8, "stopped": 7, "advised": 1, "waiting": 1,
        }  # fmt: skip
        assert said["settled"]["overridden"] == 5 and said["settled"]["discarded"] == 1
        assert said["whys"] == [{"why": "they are on the phone", "n": 5}]
        assert said["teams"] == {}, "one agent is no team of five"
        assert "dana" not in out and estimate["estimate"]["reviewed"] == 0
        code, out, _ = await beside(gateway, "policy", "health", "--since", "2d")
        assert code == 0 and "sent all the same: 5 of 6 (" in out and "5 x  they are on the phone" in out
        assert (await beside(gateway, "policy", "health", "--since", "soon"))[0] == 2


async def test_a_sample_is_blind_and_its_reviews_count(tmp_path: Path) -> None:
    (journal := tmp_path / "journal" / "cur").mkdir(parents=True)
    async with house(tmp_path) as gateway:
        to = f"Jill Amory <{JILL}>"
        for number in range(4):
            text = f"Hello Jill,\n\nthe monitor comes on Tuesday by 3 pm, number {number}.\n\nDana\n"
            raw = mail(f"Dana Cole <{DANA}>", to, f"Re: Monitor {number}", text, message_id=f"<s{number}@x>")
            await gateway.send(DANA, [JILL], raw)
            (journal / f"{number}:2,S").write_bytes(b"Received: from here\r\n" + raw)
        await gateway.send(DANA, [JILL], no())
        secret = mail(f"Dana Cole <{DANA}>", "hr@acme.example", "Re: Jill", "It is settled.", message_id="<secret@x>")
        (journal / "secret").write_bytes(secret)
        code, out, err = await beside(gateway, "policy", "sample", "--n", "3", "--seed", "5", "--json")
        assert code == 0, err
        drawn = [json.loads(line) for line in out.splitlines()]
        assert len(drawn) == 3 and all(each["to"] == [JILL] and each["message_id"] for each in drawn)
        assert not any({"facts", "requester", "findings"} & set(each) for each in drawn), "blind"
        code, out, err = await beside(gateway, "policy", "review", drawn[0]["id"], "yes", "--why", "nobody was told")
        assert (code, out) == (0, f"{drawn[0]['id']}: missed\n"), err
        assert (await beside(gateway, "policy", "review", drawn[1]["id"], "no"))[0] == 0
        code, out, _ = await beside(gateway, "policy", "sample", "--open", "--reveal")
        assert code == 0 and drawn[2]["id"] in out and "facts" in out and drawn[0]["id"] not in out
        code, out, _ = await beside(gateway, "policy", "sample", "--open", "--mails", str(tmp_path / "journal"))
        number = drawn[2]["subject"].split()[-1]
        assert f"    | the monitor comes on Tuesday by 3 pm, number {number}.\n" in out and "facts" not in out
        code, out, _ = await beside(gateway, "policy", "sample", "--open", "--mails", str(journal / "0:2,S"), "--json")
        assert (json.loads(out)["text"] is None) == (number != "0")
        assert (await beside(gateway, "policy", "sample", "--open", "--mails", str(tmp_path / "nowhere")))[0] == 2
        await gateway.send(DANA, ["hr@acme.example"], secret)
        code, out, _ = await beside(gateway, "policy", "sample", "--n", "9", "--mails", str(journal))
        assert out.count("\n    message  ") == 2 and "<secret@x>" in out and "settled" not in out, "confidential"
        code, out, _ = await beside(gateway, "policy", "health")
        assert "missed: 1 of 2 reviewed, so 9.5% to 90.5% of 5 passed mails (0 to 5)" in out
        code, _, err = await beside(gateway, "policy", "review", "zzz", "yes")
        assert code == 2 and "no mail that was drawn" in err
        assert (await beside(gateway, "policy", "review", drawn[0]["id"], "perhaps"))[0] == 2
