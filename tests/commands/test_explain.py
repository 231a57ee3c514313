"""`explain`: the contract of its JSON, its exit codes, and what people see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.reading.reader import Reading

from .conftest import Run

KEYS = {
    "path", "requester", "facts", "findings", "disposition", "add_cc", "notify_supervisor", "lang", "policy_version",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "path", "code"),
    [
        ("explain-bare-no", "bare-no.eml", 1),
        ("explain-explained-no", "explained-no.eml", 0),
        ("explain-nobodys", "nobodys.eml", 0),
        ("explain-handed-on", "handed-on", 1),
    ],
)
def test_what_people_see(name: str, path: str, code: int, run: Run, pinned: Callable[[str, str], None]) -> None:
    ran = run("explain", path)
    assert (ran.code, ran.err) == (code, "")
    pinned(name, ran.out)


def test_one_json_object_a_line_with_the_keys_of_the_contract(run: Run) -> None:
    ran = run("explain", "--json", "bare-no.eml", "handed-on", "nobodys.eml")
    assert ran.code == 1 and ran.out.isascii()
    bare, handed, nobodys = (json.loads(line) for line in ran.out.splitlines())
    assert set(bare) == set(handed) == set(nobodys) == KEYS
    assert bare["path"] == "bare-no.eml" and bare["disposition"] == "hold"
    assert bare["requester"]["address"] == "fiona.walsh@acme.example"
    [finding] = bare["findings"]
    assert set(finding) == {"policy", "why", "evidence", "mode"}
    assert (finding["policy"], finding["mode"]) == ("bare-refusal", "enforce")
    text = Path("bare-no.eml").read_text().partition("\n\n")[2]
    for span in bare["facts"]["refusal"]["evidence"]:
        assert text[span["start"] : span["end"]] == span["text"] and span["part"] == "1"
    assert handed["add_cc"] == ["fiona.walsh@acme.example"] and handed["requester"]["grade"] == "observed"
    assert nobodys["requester"] is None and nobodys["facts"] == {} and nobodys["disposition"] == "pass"


def test_what_excuses_though_unsure_is_shown(run: Run, home: Path) -> None:
    said = Path("bare-no.eml").read_bytes().replace(b"\r\n", b"\n")
    head, _, _ = said.partition(b"\n\n")
    text = b"Hi Fiona, not really our department, but I rang Facilities and they're sending Jo at two.\n\nDana\n"
    (home / "rang.eml").write_bytes(head + b"\n\n" + text)
    ran = run("explain", home / "rang.eml")
    assert ran.out.startswith("PASS")
    assert re.search(r'^  perhaps .*\n    handoff \(0\.\d\d sure\) +"not really', ran.out, re.MULTILINE)
    told = json.loads(run("explain", "--json", home / "rang.eml").out)
    assert set(told) == KEYS | {"hints"}
    assert "I rang Facilities" in told["hints"]["handoff"]["evidence"][0]["text"]


def test_each_fact_is_shown_with_its_words_and_their_place(run: Run) -> None:
    shown, said = run("explain", "bare-no.eml").out, json.loads(run("explain", "--json", "bare-no.eml").out)
    listed = shown.partition("  facts  ")[2].splitlines()
    for name, fact in said["facts"].items():
        (line,) = [each for each in listed if re.match(rf"    {name}\b", each)]
        for span in fact["evidence"][:1]:
            assert f'"{span["text"]}"   [{span["part"]}, {span["start"]} to {span["end"]}]' in line
        assert ("confidence" in fact) == (" sure)" in line)  # what is quite sure needs no figure
    assert re.search(r"^    because of: refusal, to_requester( \(0\.\d+ sure\))?$", shown, re.MULTILINE)
    assert max(map(len, listed)) <= 100


def test_what_is_not_quite_sure_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import gateway.cases

    real = gateway.cases.read

    def unsure(*given: Any) -> Reading:
        reading = real(*given)
        no = reading.facts["refusal"]
        reading.facts["refusal"] = replace(no, confidence=0.8125, evidence=no.evidence * 2)
        return reading

    monkeypatch.setattr(gateway.cases, "read", unsure)
    shown, said = run("explain", "bare-no.eml").out, json.loads(run("explain", "--json", "bare-no.eml").out)
    assert "    because of: refusal, to_requester (0.81 sure)\n" in shown and "    refusal (0.81 sure) " in shown
    refusal = said["facts"]["refusal"]
    places = [(span["start"], span["end"]) for span in refusal["evidence"]]
    assert refusal["confidence"] == 0.812 and len(places) == len(set(places))  # the same words are shown once


def test_each_path_starts_with_an_empty_memory(run: Run) -> None:
    message = "handed-on/message.eml"
    alone = json.loads(run("explain", "--json", message).out)
    beside = [json.loads(line) for line in run("explain", "--json", "handed-on", message).out.splitlines()]
    assert beside[1] == alone and alone["requester"]["grade"] == "quoted"
    assert beside[0]["requester"]["grade"] == "observed"


def test_envelope_and_context_may_be_named(run: Run, tmp_path: Path) -> None:
    envelope = tmp_path / "e.json"
    envelope.write_text('{"mail_from": "dana.cole@acme.example", "rcpt_to": ["network-team@acme.example"]}')
    ran = run("explain", "--json", "--envelope", envelope, "--context", "handed-on/context", "handed-on/message.eml")
    assert json.loads(ran.out)["requester"]["grade"] == "observed"


def test_a_message_that_the_gateway_did_not_see_is_not_remembered(run: Run, tmp_path: Path) -> None:
    for name in ("01.eml", "01.json"):
        (tmp_path / name).write_bytes(Path("handed-on/context", name).read_bytes().replace(b"true", b"false"))
    ran = run("explain", "--json", "--context", tmp_path, "handed-on/message.eml")
    assert json.loads(ran.out)["requester"]["grade"] == "quoted"


def test_what_cannot_be_read_is_said_and_the_others_are_explained(run: Run) -> None:
    ran = run("explain", "--json", "absent.eml", "bare-no.eml", "handed-on/context")
    absent, bare, folder = (json.loads(line) for line in ran.out.splitlines())
    assert ran.code == 2 and bare["disposition"] == "hold"
    assert absent == {"path": "absent.eml", "error": "absent.eml cannot be read: no such file or directory"}
    assert folder == {"path": "handed-on/context", "error": "the folder has no message.eml"}
    assert run("explain", "absent.eml").err == "absent.eml cannot be read: no such file or directory\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is not JSON"),
        ("[]", "write an object, with mail_from and rcpt_to"),
        ('{"rcpt_to": "a@b"}', "write {"),
        ('{"mail_from": 3}', "write {"),
        ("[" * 100_000, "this is not JSON"),
    ],
)
def test_a_bad_envelope_is_the_users(text: str, said: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text(text)
    ran = run("explain", "--envelope", tmp_path / "e.json", "bare-no.eml")
    assert ran.code == 2 and said in ran.err


def test_observe_turns_the_stop_into_a_record(run: Run) -> None:
    ran = run("explain", "--json", "--observe", "bare-no.eml")
    said = json.loads(ran.out)
    assert (ran.code, said["disposition"], said["findings"][0]["mode"]) == (0, "pass", "observe")


def test_bad_policies_are_the_users_and_all_problems_are_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("nam: x\n")
    ran = run("explain", "--site", tmp_path / "site.yaml", "bare-no.eml")
    assert ran.code == 2 and f'{tmp_path}/site.yaml:1:1: unknown key "nam"' in ran.err and ran.out == ""


def test_our_own_fault_is_called_so_and_the_others_are_explained(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import gateway.cases

    real = gateway.cases.read

    def broken(message: object, *rest: object) -> object:
        if "<no@acme.example>" in str(getattr(message, "message_id", "")):
            raise RuntimeError("boom")
        return real(message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway.cases, "read", broken)
    ran = run("explain", "--json", "bare-no.eml", "nobodys.eml")
    first, second = (json.loads(line) for line in ran.out.splitlines())
    assert ran.code == 3 and second["disposition"] == "pass"
    assert first["error"] == "a fault of the gateway, not of the mail: RuntimeError: boom"


def test_odd_octets_are_explained_and_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    mail = tmp_path / "odd.eml"
    raw = (
        Path("bare-no.eml")
        .read_bytes()
        .replace(b"Hi Fiona", b"Hi \x1b[31m\xff\x00Fiona")
        .replace(b"Dana Cole", b"D\x1b[2J")
    )
    mail.write_bytes(raw)
    for form in ([], ["--json"]):
        ran = run("explain", *form, mail)
        assert ran.code in (0, 1) and "\x1b" not in ran.out
    (tmp_path / "empty.eml").write_bytes(b"")
    assert run("explain", tmp_path / "empty.eml").code == 0


def test_what_is_no_mail_and_whose_site_it_is_are_noted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.eml").write_text("")
    ran = run("explain", tmp_path / "empty.eml")
    assert ran.code == 0 and "note: this does not look like a mail; it has no header" in ran.out
    (tmp_path / "site.yaml").write_text("agents: [ada@example.org]\n")
    (tmp_path / "mail.eml").write_text("From: eve@example.org\nTo: bob@example.org\n\nHi\n")
    by_example = "note: this is by the example site file; name your own with --site FILE"
    assert by_example in run("explain", tmp_path / "mail.eml").out
    assert by_example not in run("explain", tmp_path / "mail.eml", "--site", tmp_path / "site.yaml").out
