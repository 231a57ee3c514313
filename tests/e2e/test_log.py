"""What happens is in the log: who, what, when, from where, and whether it came off. The log of a running gateway is
proved from outside by what it wrote into the auditor's file.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

import gateway
from gateway.chain import verifier
from gateway.logged import WORDS
from gateway.store.exporting import LogFilter
from tests.e2e.house import house, mail
from tests.e2e.ledgers import until
from tests.e2e.limits import DANA, JILL, Clock, beside, no


def proved(key: str, kept: Path, lines: list[Any], folder: Path) -> tuple[int, str]:
    (folder / "export.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-I", verifier.__file__, "--key", key, "--checkpoints", str(kept), "export.jsonl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


async def test_from_start_to_stop(tmp_path: Path) -> None:
    kept = tmp_path / "auditor" / "kept.jsonl"
    kept.parent.mkdir()
    more: dict[str, Any] = {
        "checkpoint_file": str(kept),
        "checkpoint_every": "1s",
        "checkpoint_mail": "auditor@x.example",
    }
    async with house(tmp_path, **more) as running:
        store = running.service.store
        assert (await running.send(DANA, [JILL], no()))[0] == 250
        [notice] = await running.wait_to(DANA)
        answer_to = message_from_bytes(notice.raw)["Reply-To"]
        raw = f"From: {DANA}\r\nTo: {answer_to}\r\nSubject: Re\r\n\r\nSEND: she knows why\r\n".encode()
        address = re.search(r"<?([^<>\s]+@[^<>\s]+?)>?$", answer_to)[1]
        forged = raw.replace(DANA.encode(), b"mallory@evil.example")
        await running.send("mallory@evil.example", [address], forged)
        await running.send(DANA, [address], raw)
        await running.wait_to(JILL)
        await until(lambda: running.audit()[0].outcome == "overridden", "it went out")
        code, _, _ = await beside(running, "held", "show", running.audit()[0].entry.id)
        assert code == 0
        await running.service.witnesses.step(now=True)
        [carried, *_] = await running.wait_to("auditor@x.example")
        assert b"application/json" in carried.raw
        run = store.run_id
        said = [(each.what, each.by, each.origin) for each in store.records(LogFilter()) if each.mail is not None]
    point, *_ = verifier.read_checkpoints(str(kept))
    assert "notice-sent" in [what for what, *_ in said]
    whats = [what for what, *_ in said if what != "notice-sent"]
    assert whats[:4] == ["hold", "held", "bound", "answer-refused"] and {"approved", "overridden", "viewed"} <= set(
        whats
    )
    assert ("answer-refused", "mallory@evil.example", "mail from 127.0.0.1") in said
    [(_, who, where)] = [each for each in said if each[0] == "approved"]
    assert who == DANA and where == "mail from 127.0.0.1"
    assert said[0] == ("hold", DANA, "mail from 127.0.0.1")

    async with house(tmp_path, **more) as again:
        then = tmp_path / "then.jsonl"  # its own last word will be in the file too
        then.write_text(kept.read_text())
        lines = list(again.service.store.proof())
        newest = max(line["seq"] for line in lines if line.get("chain") == run)
        points = verifier.read_checkpoints(str(kept))
        assert [run, newest] in [head[:2] for point in points for head in point["heads"]], "its last word is covered"
        services = [each for each in again.service.store.records(LogFilter()) if each.subject == "gateway"]
        rules = [each for each in again.service.store.records(LogFilter()) if each.subject == "rules"]
        assert [each.what for each in services] == ["started", "stopped", "started"]
        assert services[0].chain == services[1].chain == run != services[2].chain
        assert "clock " in services[0].detail and "policies " in services[0].detail
        assert rules and all(each.seq for each in rules)
    code, out = proved(point["key"], then, lines, tmp_path)
    assert code == 0, out
    cut = [line for line in lines if line.get("chain") != run]
    code, out = proved(point["key"], then, cut, tmp_path)
    assert code == 1 and "truncated" in out


async def test_serve_keeps_to_what_it_says_it_keeps(tmp_path: Path) -> None:
    clock = Clock()
    async with house(tmp_path, clock=clock, keep_log="30d") as running:
        done = mail(DANA, JILL, "Re: VPN", "I have reset your password; please try again and tell me if it fails.")
        assert (await running.send(DANA, [JILL], done))[0] == 250
        await until(lambda: [row.outcome for row in running.audit()] == ["passed"], "it is recorded")
        await running.service.sweep()
        assert len(running.audit()) == 1
        clock.move(days=31)
        running.service._retain_at = 0.0  # an hour later
        await running.service.sweep()
        assert running.audit() == []
        check = verifier.Check()
        for line in running.service.store.proof():
            check.line(json.loads(json.dumps(line)))
        check.end()
        assert (
            check.findings == [] and check.erased >= 2 and check.erasures[0].endswith("by the gateway: kept no longer")
        )


async def test_a_witness_that_is_away_stops_no_mail(tmp_path: Path) -> None:
    async with house(tmp_path, checkpoint_file=str(tmp_path / "no" / "kept.jsonl"), checkpoint_every="1s") as running:
        await running.service.witnesses.step(now=True)
        assert (await running.send(DANA, ["someone@x.example"], no().replace(b"Re: ", b"")))[0] == 250


def words_in_the_source() -> set[str]:
    """Every constant that the source writes as the name of an event."""
    found: set[str] = set()
    place = {"Event": 2, "_event": 3, "_outcome": 3, "log": 1, "log_now": 1, "_note": 2, "note": 1}
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = place.get(name)
            if at is not None and len(node.args) > at and isinstance(node.args[at], ast.Constant):
                word = node.args[at].value
                if (
                    isinstance(word, str)
                    and re.fullmatch("[a-z]+(-[a-z]+)*", word)
                    and (name not in ("log", "log_now") or len(node.args) > 2)
                ):
                    found.add(word)
    return found


def test_every_word_that_is_written_is_explained() -> None:
    found = words_in_the_source()
    assert {"started", "stopped", "held", "approved", "exported", "viewed", "legal-hold", "reminded"} <= found
    assert {"log-in", "log-out", "account-added", "searched", "claimed"} <= found, "those of the console too"
    assert found <= set(WORDS), found - set(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_each_word_has_a_category_that_ecs_allows(word: str) -> None:
    """https://www.elastic.co/guide/en/ecs/8.17/ecs-allowed-values-event-category.html: each with its types."""
    types = {
        "email": {"info"},
        "file": {"access", "change", "creation", "deletion", "info"},
        "configuration": {"access", "change", "creation", "deletion", "info"},
        "authentication": {"start", "end", "info"},
        "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
        "database": {"access", "change", "info", "error"},
        "process": {"access", "change", "end", "info", "start"},
        "host": {"access", "change", "end", "info", "start"},
    }
    meaning = WORDS[word]
    assert meaning.type in types[meaning.category]
