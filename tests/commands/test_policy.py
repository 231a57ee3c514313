"""`policy check` and `policy test`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.resources import shipped

from .conftest import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one shipped policy in it."""
    folder = tmp_path / "policies"
    folder.mkdir()
    shutil.copy(shipped("policies") / "bare-refusal.yaml", folder)
    return folder


def test_the_shipped_files_are_fine(run: Run) -> None:
    ran = run("policy", "check")
    assert ran.code == 0 and "bare-refusal" in ran.out and "in de, en" in ran.out


def test_the_shipped_examples_hold(run: Run) -> None:
    ran = run("policy", "test")
    assert ran.code == 0 and ran.out.endswith(", 0 failed\n")


def test_every_problem_of_every_file_at_once(run: Run, folder: Path, pinned: Callable[[str, str], None]) -> None:
    (folder / "bare-refusal.yaml").write_text("titel: x\nwhen: [refusl]\n")
    templates = folder.parent / "templates"
    (templates / "en").mkdir(parents=True)
    (templates / "en" / "x.txt").write_text("Hello\n")
    (folder.parent / "site.yaml").write_text("name: x\nname: y\n")
    ran = run("policy", "check", "--policies", folder, "--templates", templates, "--site", folder.parent / "site.yaml")
    assert ran.code == 2
    pinned("policy-check", ran.out)


def test_one_fault_hides_no_other(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinned: Callable[[str, str], None]
) -> None:
    """Settings, site, policies, phrases and templates, each with faults of form and of meaning: all in one round."""
    shutil.copytree(Path(__file__).parent / "broken", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    ran = run("policy", "check", "--settings", "settings.toml", "--state", tmp_path / "state")
    assert ran.code == 2
    pinned("policy-check-broken", ran.out)


def test_examples_are_run_beside_the_faults_of_other_files(run: Run, folder: Path) -> None:
    path = folder / "bare-refusal.yaml"
    text = path.read_text()
    (folder / "other.yaml").write_text("title: x\n")
    path.write_text(text.replace("no, we can't do that.", "yes, gladly.", 1))
    ran = run("policy", "check", "--policies", folder)
    assert ran.code == 2 and 'the key "when" is missing' in ran.out
    assert 'the example "a bare no" fails' in ran.out and "The examples of other were not run" in ran.out


def test_doubts_about_a_site_are_notes(run: Run, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("agents: [ann@other.example]\nlogins: {b: bob@other.example}\ngateway: {notices: g@gw.example}\n")
    ran = run("policy", "check", "--site", site)
    assert ran.code == 0
    assert f"note       {site}:2:13: bob@other.example is no agent: mail of whoever logs in as b is never judged" in (
        " ".join(ran.out.split()).replace("note ", "note       ")
    )


def test_a_policy_that_names_a_template_that_is_not_there(run: Run, folder: Path) -> None:
    path = folder / "bare-refusal.yaml"
    path.write_text(path.read_text() + "\ndraft: bare-refusl\nnotice: ours\n")
    ran = run("policy", "check", "--policies", folder)
    assert ran.code == 2
    assert "there is no template drafts/bare-refusl\n" in ran.out and "  Write: bare-refusal\n" in ran.out
    assert re.search(r"  Write: a template en/notices/ours.txt, or one of .*\bhold, .*supervisor\n", ran.out)


def test_a_failing_example_is_shown_and_gives_one(run: Run, folder: Path) -> None:
    path = folder / "bare-refusal.yaml"
    path.write_text(path.read_text().replace("no, we can't do that.", "yes, gladly.", 1))
    ran = run("policy", "test", "--policies", folder)
    assert ran.code == 1
    assert "FAILED  bare-refusal: a bare no\n        " in ran.out and ", 1 failed" in ran.out
    lines = [json.loads(line) for line in run("policy", "test", "--json", "--policies", folder).out.splitlines()]
    assert [line["example"] for line in lines if not line["ok"]] == ["a bare no"]


def test_check_says_what_would_keep_serve_from_starting(run: Run, folder: Path) -> None:
    path = folder / "bare-refusal.yaml"
    path.write_text(path.read_text().replace("no, we can't do that.", "yes, gladly.", 1))
    ran = run("policy", "check", "--policies", folder)
    assert ran.code == 2 and 'the example "a bare no" fails: it should hit, and does not' in ran.out


def test_what_may_not_be_meant_is_noted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text('agents: ["*"]\nlang: sv\n')
    own = tmp_path / "templates" / "en" / "notices"
    own.mkdir(parents=True)
    shutil.copy(shipped("templates") / "en" / "notices" / "hold.txt", own / "holdd.txt")
    ran = run("policy", "check", "--site", tmp_path / "site.yaml", "--templates", tmp_path / "templates")
    assert ran.code == 0
    assert "note       the site file asks for sv, and there are no templates in it: those notices are in En" in ran.out
    assert f"note       {own / 'holdd.txt'}: nothing uses this template; is hold meant?\n" in ran.out
    assert "note       no gateway.notices in the site file" in ran.out


def test_one_policy_of_several_and_a_wrong_name(run: Run) -> None:
    assert "dropped-requester" not in run("policy", "test", "bare-refusal").out
    ran = run("policy", "test", "bare-refusel")
    assert (ran.code, ran.err) == (2, 'there is no policy "bare-refusel"\n  Write: bare-refusal\n')


def test_a_policy_whose_time_is_over_is_noted(run: Run, folder: Path) -> None:
    path = folder / "bare-refusal.yaml"
    path.write_text(path.read_text() + "\nscope: {active_until: 2020-01-01, share: 0}\n")
    ran = run("policy", "check", "--policies", folder)
    assert (
        ran.code == 0 and "active_until: 2020-01-01 has passed" in ran.out and "share: 0 enforces it for no" in ran.out
    )
