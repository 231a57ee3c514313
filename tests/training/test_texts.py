"""The texts that the second reader learns from: all three forms, and that every one of ours can be read."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.commands.evaluate import EVERYBODY
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.reading.acts.acts import ACTS
from gateway.reading.lexicon import Lexicon
from gateway.resources import shipped
from gateway.site.loader import load_site
from gateway.training.texts import DIGITS, MARKED, read_archived, read_labelled, read_written

TEXTS = Path(__file__).parents[1] / "texts"


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    everybody = load_site(EVERYBODY, "everybody is an agent")
    return replace(load_policies(shipped(), None, shipped=shipped()), site=everybody)


@pytest.fixture(scope="module")
def lexicon(policies: PolicySet) -> Lexicon:
    return policies.lexicon


def test_written_mail_bears_its_acts(tmp_path: Path, lexicon: Lexicon) -> None:
    file = tmp_path / "one.txt"
    file.write_text("? may I?\nP| Hi Tom,\nRW| We can't, the vendor closed.\nDN| Ask Ruth Vale.\n\n? -\nI| Done.\n")
    first, second = read_written(file, lexicon)
    assert first.asked.prepared.text == "may I?"
    assert second.asked.prepared.text == ""
    told = [(first.text[s.start : s.end], set(s.acts)) for s in first.sentences]
    assert told[1:] == [
        ("We can't, the vendor closed.", {"refusal", "reason"}),
        ("Ask Ruth Vale.", {"redirect", "route"}),
    ]


@pytest.mark.parametrize(
    ("mail", "to"),
    [
        ("?> Can we have a key? -- Moira\nP| Hi Kev,\nQ| do we lend keys?", "others"),
        ("?< Can we have a key? -- Moira\nH| Ask Kev.", "requester"),
        ("? Can we have a key? -- Moira Vale\nP| Dear Ms Vale,\nQ| which door?", "requester"),
        ("? Can we have a key? -- Moira Vale\nP| Kev,\nH| yours.", "others"),
        ("? Can we have a key?\nR| No.", "requester"),
        ("? Can we have a key? -- Moira\nP| Hi Kev,\nR| No.", None),
        ("? Can we have a key?\nH| Kev has it now.", None),
    ],
)
def test_it_is_told_whom_a_written_mail_goes_to(tmp_path: Path, lexicon: Lexicon, mail: str, to: str | None) -> None:
    file = tmp_path / "one.txt"
    file.write_text(mail + "\n")
    (text,) = read_written(file, lexicon)
    assert text.to == to
    assert text.asked.prepared.text.startswith("Can we have a key?")


def test_a_line_without_letters_is_named(tmp_path: Path, lexicon: Lexicon) -> None:
    file = tmp_path / "bad.txt"
    file.write_text("? may I?\nP| Hi\nno letters here\n")
    with pytest.raises(ValueError, match=r"bad\.txt: block 1: write letters, a bar"):
        list(read_written(file, lexicon))


def test_of_labelled_mail_only_what_is_known_counts(tmp_path: Path, policies: PolicySet) -> None:
    labels = {"refusal": True, "reason_given": False, "eta_given": True, "referral": "none", "dismissive": None}
    row = {
        "id": "1",
        "text": "We never lend these. Good luck with the talk on Monday.",
        "previous_question": "May I?",
        "labels": labels,
        "evidence": {"refusal": "never lend these", "eta_given": "not in the text"},
    }
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(row) + "\n")
    (text,) = read_labelled(file, policies)
    assert [set(s.acts) for s in text.sentences] == [{"refusal"}, set()]
    assert text.weights["refusal"] == 0.2, "the other sentence may refuse too"
    assert text.weights["reason"] == 1.0
    assert text.weights["eta"] == 0.0, "nobody says where"
    assert text.weights["dismissive"] == 0.0, "nobody knows"


@pytest.mark.parametrize("path", sorted((TEXTS / "acts").rglob("*.txt")), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_all_our_mails_can_be_read(path: Path, lexicon: Lexicon) -> None:
    mails = list(read_written(path, lexicon))
    assert len(mails) >= 20
    assert all(any(s.acts for s in mail.sentences) for mail in mails)
    assert {act for mail in mails for s in mail.sentences for act in s.acts} <= set(ACTS)


MAIL = b"""From: Dana Cole <dana.cole@acme.example>\r
To: Rita Blom <rita.blom@acme.example>\r
Subject: Re: Port 12\r
\r
Hi Rita,\r
\r
we can't patch it, the room is locked.\r
\r
On Mon, 3 Nov 2025 at 10:00, Rita Blom <rita.blom@acme.example> wrote:\r
> Can you patch port 12?\r
"""
SAID = "Hi Rita,\n\nwe can't patch it, the room is locked."
HEAD = "mail\tlength\tsentences\n"
NAME = hashlib.sha256(MAIL).hexdigest()[:DIGITS]


def archive(folder: Path) -> None:
    with tarfile.open(folder / "some.tar.xz", "w:xz") as tar:
        member = tarfile.TarInfo("some/one.eml")
        member.size = len(MAIL)
        tar.addfile(member, io.BytesIO(MAIL))


def table(folder: Path, row: str) -> Path:
    file = folder / "table.tsv"
    file.write_text(HEAD + row + "\n", encoding="utf-8")
    return file


def test_mail_of_an_archive_bears_the_letters_of_a_table(tmp_path: Path, policies: PolicySet) -> None:
    archive(tmp_path)
    file = table(tmp_path, f"{NAME}\t{len(SAID)}\t0-8:P 10-48:RW")
    (text,) = read_archived(file, tmp_path, policies)
    assert text.asked.prepared.text == "Can you patch port 12?"
    assert [set(s.acts) for s in text.sentences] == [{"pleasantry"}, {"refusal", "reason"}]
    assert text.to == "requester"


def test_mail_that_is_read_otherwise_than_it_was_labelled_is_left_out(tmp_path: Path, policies: PolicySet) -> None:
    archive(tmp_path)
    assert list(read_archived(table(tmp_path, f"{NAME}\t7\t0-7:P"), tmp_path, policies)) == []


@pytest.mark.parametrize("row", ["0a\t0-8:P", "0a\tten\t0-8:P", "0a\t9\t0-8:Z"])
def test_a_row_that_is_none_is_named(tmp_path: Path, policies: PolicySet, row: str) -> None:
    with pytest.raises(ValueError, match=r"table\.tsv:2: write digest, length and start-end:letters"):
        list(read_archived(table(tmp_path, row), tmp_path, policies))


def test_the_table_of_the_archives_can_be_read() -> None:
    rows = (TEXTS / "acts" / "real" / "sentences.tsv").read_text("utf-8").splitlines()[1:]
    assert len(rows) > 600
    assert all(MARKED.fullmatch(row.split("\t")[2]) for row in rows)
