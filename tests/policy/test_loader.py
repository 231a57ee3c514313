"""A folder of policies becomes one set, or one list of problems; and it is quick."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.located import BadFiles
from gateway.policy.examples import run_examples
from gateway.policy.loader import load_policies, policy_files, read_policy
from gateway.policy.model import PolicySet
from gateway.reading.sentences import prepare
from gateway.resources import shipped

MINE = """
title: Mine
why: You say no.
when: refusal
do: hold
scope: {teams: [desk]}
examples:
  - {name: a, expect: hit, from: dana.cole@acme.example, to: rita.blom@acme.example, text: "No, we can't do that.",
     quoted: {from: rita.blom@acme.example, text: "Could I get a second monitor?"}}
  - {name: b, expect: miss, from: dana.cole@acme.example, to: rita.blom@acme.example, text: "Yes, done."}
"""
SITE = "internal_domains: [other.example]\nteams: {desk: {agents: [ann@other.example]}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(MINE)
    (tmp_path / "site.yaml").write_text(SITE)
    return tmp_path


def test_the_shipped_set(policies: PolicySet) -> None:
    assert [policy.id for policy in policies.policies] == [
        "dropped-requester", "dismissive", "referral-without-route", "no-escalation", "bare-refusal", "no-substance",
        "terse-reply", "executive-refusal",
    ]  # fmt: skip
    assert {policy.mode for policy in policies.policies} == {"enforce"}
    assert [policy.do for policy in policies.policies] == ["rewrite", *6 * ["hold"], "notify"]
    assert policies.site.agent("dana.cole@acme.example") is not None


def test_every_shipped_example_says_what_it_expects(policies: PolicySet) -> None:
    for policy in policies.policies:
        results = run_examples(policy, policies, policies.site)
        assert [result.told for result in results if not result.ok] == []
        assert {example.expect for example in policy.examples} == {"hit", "miss"}


def test_a_folder_replaces_the_policies_and_brings_its_site(folder: Path) -> None:
    own = load_policies(folder, None, shipped=shipped())
    assert [policy.id for policy in own.policies] == ["mine"]
    assert own.site.agent("ann@other.example") is not None and own.site.agent("dana.cole@acme.example") is None
    named = load_policies(folder, folder / "site.yaml", shipped=shipped())
    assert named.version == own.version


def test_the_version_follows_what_files_say_not_how(folder: Path) -> None:
    def version() -> str:
        return load_policies(folder, None, shipped=shipped(), run=False).version

    first = version()
    (folder / "mine.yaml").write_text("# a comment\n" + MINE.replace("title: Mine", 'title: "Mine"'))
    assert version() == first
    (folder / "mine.yaml").write_text(MINE.replace("do: hold", "do: reject"))
    assert version() != first
    (folder / "mine.yaml").write_text(MINE)
    (folder / "site.yaml").write_text(SITE + "name: Other\n")
    assert version() != first


def test_templates_enter_the_version(folder: Path) -> None:
    templates = folder / "templates"
    templates.mkdir()
    (templates / "hold.txt").write_text("a")
    first = load_policies(folder, None, shipped=shipped(), templates=templates, run=False).version
    (templates / "hold.txt").write_text("b")
    assert load_policies(folder, None, shipped=shipped(), templates=templates, run=False).version != first


def test_problems_of_all_files_come_at_once(folder: Path) -> None:
    (folder / "mine.yaml").write_text(MINE.replace("when: refusal", "when: refusl"))
    (folder / "second.yaml").write_text("title: x\n")
    (folder / "site.yaml").write_text("team: {}\n" + SITE)
    with pytest.raises(BadFiles) as bad:
        load_policies(folder, None, shipped=shipped())
    assert {Path(problem.path).name for problem in bad.value.problems} == {"mine.yaml", "second.yaml", "site.yaml"}


def test_a_folder_that_is_not_there_or_empty(tmp_path: Path) -> None:
    for folder, said in ((tmp_path / "absent", "there is no such folder"), (tmp_path, "the folder has no policies")):
        with pytest.raises(BadFiles) as bad:
            load_policies(folder, None, shipped=shipped())
        assert [problem.what for problem in bad.value.problems] == [said]


def test_five_hundred_policies_are_read_in_no_time(tmp_path: Path) -> None:
    """Whole policies with two examples each: measured 0.15 s; the bound is a multiple for busy machines."""
    text = (shipped() / "executive-refusal.yaml").read_text(encoding="utf-8")
    bare = text[: text.index("examples:")] + MINE[MINE.index("examples:") :]
    for number in range(500):
        (tmp_path / f"p{number}.yaml").write_text(bare)
    best = min(_seconds(tmp_path) for _ in range(3))
    assert best < 1.0, f"{best:.3f} s"


def _seconds(folder: Path) -> float:
    start = time.perf_counter()
    for path in policy_files(folder):
        read_policy(path)
    return time.perf_counter() - start


def test_the_shipped_files_can_be_copied_and_changed(tmp_path: Path) -> None:
    """What the README tells admins to do: copy the folder, name a site of one's own."""
    shutil.copytree(shipped(), tmp_path / "policies")
    (tmp_path / "site.yaml").write_text(SITE)
    own = load_policies(tmp_path / "policies", tmp_path / "site.yaml", shipped=shipped())
    assert len(own.policies) == len(load_policies(shipped(), None, shipped=shipped(), run=False).policies)


def test_what_editors_leave_behind_is_no_policy(folder: Path) -> None:
    first = load_policies(folder, None, shipped=shipped(), run=False).version
    for name in (".#mine.yaml", ".mine.yaml.swp", ".hidden.yaml", "mine.yaml~"):
        (folder / name).write_text("not: a policy")
    assert load_policies(folder, None, shipped=shipped(), run=False).version == first


WORDY = MINE.replace("No, we can't do that.", "We snorfle it.").replace("scope: {teams: [desk]}\n", "")


def test_a_folder_adds_to_the_shipped_lexicon(folder: Path) -> None:
    """Words of one's own make facts, and the shipped ones stay."""
    (folder / "wordy.yaml").write_text(WORDY)
    with pytest.raises(BadFiles, match='"a" fails: it should hit, and does not'):
        load_policies(folder, None, shipped=shipped())
    (folder / "lexicon").mkdir()
    (folder / "lexicon" / "en.yaml").write_text(
        "lang: en\ncues:\n  refusal:\n    - say: [we snorfle]\n      hits: [I fear that we snorfle.]\n"
    )
    own = load_policies(folder, None, shipped=shipped())
    assert [policy.id for policy in own.policies] == ["mine", "wordy"]
    # The words of time stay, too: a date must go on excusing a no.
    assert own.lexicon.calendar.find(prepare("It will be there on Tuesday at 3 pm."), datetime(2025, 6, 2, tzinfo=UTC))
