"""`policy new`, `copy`, `facts` and `site new`: what they write is right at once, and nothing is ever overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.policy.loader import policy_files
from gateway.policy.names import NAMES
from gateway.policy.schema import schemas
from gateway.reading.cues import CUES, FEEDS
from gateway.reading.vocabulary import FACTS
from gateway.resources import shipped

from .conftest import Run

SHIPPED = [path.stem for path in policy_files(shipped())]


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    assert run("policy", "copy", tmp_path / "policies").code == 0
    return tmp_path / "policies"


def test_copy_brings_the_shipped_policies_and_nothing_else(run: Run, folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {*(f"{name}.yaml" for name in SHIPPED), "policy.schema.json"}
    ran = run("policy", "copy", folder)
    assert (ran.code, ran.out) == (2, "") and "has policies already" in ran.err
    assert run("policy", "check", "--policies", folder).code == 0


def test_what_is_written_passes_check_and_test_at_once(run: Run, folder: Path, tmp_path: Path) -> None:
    templates = tmp_path / "words"
    ours = ("--policies", folder, "--templates", templates)
    (folder / "policy.schema.json").write_text("{}")
    ran = run("policy", "new", "no-without-a-day", "--why", "You promise {requester_name}: no day.", *ours)
    assert ran.code == 0 and "ok     2 examples hold; mode: observe\n" in ran.out
    written = {path.relative_to(templates).as_posix() for path in templates.rglob("*.txt")}
    assert written == {"en/reasons/no-without-a-day.txt", "en/drafts/no-without-a-day.txt"}
    assert (folder / "policy.schema.json").read_text() == schemas()["policy.schema.json"]
    ran = run("policy", "check", *ours)
    assert ran.code == 0 and "note       no gateway" not in ran.out and "nothing uses this template" not in ran.out
    assert run("policy", "test", "no-without-a-day", *ours).out.endswith("2 examples, 0 failed\n")
    first = (folder / "no-without-a-day.yaml").read_text()
    assert first.startswith("# yaml-language-server: $schema=policy.schema.json\n") and "policy facts" in first
    assert 'why: "You promise {requester_name}: no day."' in first and "mode: observe" in first
    ran = run("policy", "new", "no-without-a-day", *ours)
    assert ran.code == 2 and "are there already" in ran.err
    assert (folder / "no-without-a-day.yaml").read_text() == first


@pytest.mark.parametrize("like", ["bare-refusal", "dropped-requester", "executive-refusal"])
def test_a_copy_of_a_shipped_policy_passes(run: Run, folder: Path, tmp_path: Path, like: str) -> None:
    ours = ("--policies", folder, "--templates", tmp_path / "words")
    ran = run("policy", "new", "ours", "--like", like, "--why", "We say {requester_name} no.", *ours)
    assert ran.code == 0 and "examples hold; mode: observe" in ran.out
    text = (folder / "ours.yaml").read_text()
    assert text.count("yaml-language-server") == 1 and f"copy of {like}" in text
    assert text.count('\nwhy: "We say {requester_name} no."\n') == 1
    assert run("policy", "check", *ours).code == 0
    for lang in ("en", "de"):
        for kind in ("reasons", "drafts"):
            copied = shipped("templates") / lang / kind / f"{like}.txt"
            if copied.exists():
                assert (tmp_path / "words" / lang / kind / "ours.txt").read_text() == copied.read_text()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("No Without A Day", "no-without-a-day"), ("x.yaml", "x"), ("Ärger mit Straßen", "arger-mit-strassen"),
        ("site", "our-site"),
        ("../../etc/passwd", "etc-passwd"), ("", "no-without-a-day"), ("9lives", "lives"), ("a" * 65, "a" * 64),
        ("bare-refusal", "my-bare-refusal, with --like bare-refusal"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_says_which_can(run: Run, folder: Path, name: str, write: str) -> None:
    before = sorted(folder.iterdir())
    ran = run("policy", "new", "--policies", folder, "--", name)
    assert ran.code == 2 and ran.err.endswith(f"\n  Write: {write}\n")
    assert sorted(folder.iterdir()) == before


def test_wrong_arguments_write_nothing(run: Run, folder: Path, tmp_path: Path) -> None:
    for words, told in (
        (("--why", "You told {who}."), 'unknown name "{who}"'),
        (("--why", "two\nlines"), "this is not one sentence"),
        (("--like", "bare-refusel"), "Write: bare-refusal"),
    ):
        ran = run("policy", "new", "ours", "--policies", folder, *words)
        assert ran.code == 2 and told in ran.err
    assert not (folder / "ours.yaml").exists() and not (tmp_path / "templates").exists()


def test_without_a_folder_of_one_s_own_it_says_what_to_do(run: Run, tmp_path: Path) -> None:
    ran = run("policy", "new", "ours")
    assert ran.code == 2 and ran.err.startswith("the shipped policies are in force")
    assert "referral-gateway policy copy" in ran.err
    ran = run("policy", "new", "ours", "--policies", tmp_path / "absent")
    assert ran.err == f"there is no folder {tmp_path}/absent\n  Write: referral-gateway policy copy {tmp_path}/absent\n"


def test_templates_beside_the_policies_where_no_setting_names_them(run: Run, folder: Path, tmp_path: Path) -> None:
    ran = run("policy", "new", "ours", "--policies", folder)
    assert ran.code == 0 and f"write: --templates {tmp_path}/templates\n" in ran.out
    assert run("policy", "check", "--policies", folder, "--templates", tmp_path / "templates").code == 0


def test_other_files_that_are_broken_do_not_stop_it(run: Run, folder: Path) -> None:
    (folder / "dismissive.yaml").write_text("do: hodl\n")
    ran = run("policy", "new", "ours", "--policies", folder)
    assert ran.code == 0 and "problems in other files, the first: " in ran.out and (folder / "ours.yaml").exists()


def test_every_fact_is_explained(run: Run) -> None:
    lines = run("policy", "facts").out.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES) and all(len(line.split()) > 1 for line in lines)
    told = [json.loads(line) for line in run("policy", "facts", "--json", "requester.grade").out.splitlines()]
    assert told[0]["values"] == ["observed", "declared", "attached", "quoted"]
    assert "escalation_offer" in run("policy", "facts", "raise").out
    assert "phrases: lexicon/*.yaml, under dismissive, rude\n" in run("policy", "facts", "brush-off").out
    assert {*FEEDS} <= {*FACTS} and {cue for cues in FEEDS.values() for cue in cues} <= {*CUES}
    assert run("policy", "facts", "xyzzy").code == 2


def test_a_site_file_that_doctor_takes(run: Run, tmp_path: Path) -> None:
    site = tmp_path / "etc" / "site.yaml"
    ran = run("site", "new", site, "--domain", "example.org", "--agent", "ann@example.org", "--zone", "Europe/Berlin")
    assert ran.code == 0
    assert run("policy", "check", "--site", site).code == 0
    checks = [json.loads(line) for line in run("doctor", "--json", "--site", site).out.splitlines()]
    [told] = [check for check in checks if check["name"] == "site"]
    assert (told["state"], told["found"]) == ("ok", "example.org: 2 agent addresses")
    assert run("site", "new", site, "--domain", "example.org").code == 2
    for words in (("--domain", "not a domain"), ("--domain", "example.org", "--zone", "Mars/Olympus")):
        ran = run("site", "new", tmp_path / "other.yaml", *words)
        assert ran.code == 2 and "Write: " in ran.err and not (tmp_path / "other.yaml").exists()
