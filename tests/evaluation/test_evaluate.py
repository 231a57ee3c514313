"""`evaluate` on a corpus of each form: the counts, the ids, the page, and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Run, home, run

__all__ = ["home", "run"]  # the fixtures of the commands' tests


def figures(run: Run, *paths: Path) -> dict[str, Any]:
    ran = run("evaluate", "--json", *map(str, paths))
    assert (ran.code, ran.err) == (0, "")
    (line,) = ran.out.splitlines()
    return json.loads(line)


def test_labelled_texts(run: Run, labelled: Path) -> None:
    found = figures(run, labelled)
    assert (found["form"], found["n"]) == ("labelled", 6)
    bare = found["policies"]["bare-refusal"]
    assert (bare["tp"], bare["fn"], bare["fp"], bare["tn"]) == (2, 1, 1, 2)
    assert (bare["misses"], bare["false_stops"]) == (["bare-missed"], ["false-alarm"])
    assert bare["recall"] == pytest.approx(2 / 3)
    assert bare["fpr"] == 0.0  # the false alarm was a candidate, not drawn blindly
    assert bare["random"] == {"fp": 0, "tn": 2}
    assert found["labels"]["refusal"]["tp"] == 3 and found["labels"]["reason_given"]["tp"] == 1
    assert found["without_doubtful"]["policies"]["bare-refusal"]["tp"] == 1
    assert found["languages"]["de"]["policies"]["bare-refusal"]["tp"] == 1
    assert found["policies"]["dropped-requester"]["n"] == 6  # null, and nothing handed on: a stop would be wrong
    assert found["faults"] == {}


def test_threads(run: Run, threads: Path) -> None:
    found = figures(run, threads)
    assert found["form"] == "threads"
    assert found["checks"]["requester"] == {
        "right": 2, "n": 2, "share": 1.0, "ci": found["checks"]["requester"]["ci"], "wrong": []
    }  # fmt: skip
    dropped = found["policies"]["dropped-requester"]
    assert (dropped["tp"], dropped["fn"], dropped["fp"], dropped["tn"]) == (1, 0, 0, 1)
    assert found["labels"]["handoff_to_colleague"]["tp"] == 1


def test_a_folder_of_mails(run: Run, ordinary: Path) -> None:
    found = figures(run, ordinary)
    assert (found["form"], found["n"]) == ("mails", 3)
    dropped = found["policies"]["dropped-requester"]
    assert (dropped["tp"], dropped["tn"], dropped["fp"]) == (1, 1, 0)
    assert found["stopped_unlabelled"] == {"dropped-requester": ["c.eml"]}  # "?": read it before calling it false


def test_a_folder_with_all_of_them(run: Run, labelled: Path, threads: Path, ordinary: Path) -> None:
    ran = run("evaluate", "--json", str(labelled.parent))
    assert [json.loads(line)["form"] for line in ran.out.splitlines()] == ["labelled", "mails", "threads"]


def test_scenario_folders(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "some" / "take-over"
    folder.mkdir(parents=True)
    mail = (Path(__file__).parent.parent / "mails" / "hand-off.eml").read_bytes()
    (folder / "message.eml").write_bytes(mail)
    expected = {"requester": "mary.jones@customer.example", "violations": ["dropped-requester"], "lang": "en",
                "acceptable_violations": [], "verdict": "act", "add_cc": ["mary.jones@customer.example"],
                "notify_supervisor": False, "why": "handed on"}  # fmt: skip
    (folder / "expect.json").write_text(json.dumps(expected))
    found = figures(run, folder.parent)
    assert (found["form"], found["checks"]["right"]["right"], found["checks"]["right"]["n"]) == ("scenarios", 1, 1)
    expected["add_cc"] = []
    (folder / "expect.json").write_text(json.dumps(expected))
    assert figures(run, folder)["checks"]["right"]["wrong"] == ["take-over"]


def test_a_notice_is_no_stop(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "told"
    folder.mkdir()
    head = b"From: dana.cole@acme.example\r\nTo: helen.brandt@acme.example\r\nSubject: Re: VPN\r\n"
    quote = b"On Mon, 2 Jun 2025 at 10:00, Helen Brandt <helen.brandt@acme.example> wrote:\r\n> Can I have it?\r\n"
    no = b"No, we can't open it, because it holds the payroll data.\r\n\r\n"
    (folder / "message.eml").write_bytes(head + b"\r\n" + no + quote)
    expected = {"requester": "helen.brandt@acme.example", "violations": [], "notify_supervisor": True}
    (folder / "expect.json").write_text(json.dumps(expected))
    found = figures(run, folder)
    assert found["checks"]["notify_supervisor"]["right"] == 1
    assert found["stopped_unlabelled"] == {}


def test_what_people_see(run: Run, labelled: Path) -> None:
    ran = run("evaluate", str(labelled))
    assert ran.code == 0
    assert "bare-refusal                2      1     1    66.7 % 66.7 % 66.7 %      0 of 2" in ran.out
    assert "  bare-refusal, missed:\n    bare-missed\n" in ran.out
    assert "  bare-refusal, wrongly stopped:\n    false-alarm\n" in ran.out
    assert ran.out.endswith("\n--html FILE shows each miss beside its text.\n")
    assert max(map(len, ran.out.splitlines()[1:])) <= 80


def test_many_ids_are_wrapped_between_them(run: Run, labelled: Path) -> None:
    row = json.loads(labelled.read_text("utf-8").splitlines()[1])
    rows = [{**row, "id": f"<{number:02}.{'x' * 30}@mail.example>"} for number in range(15)]
    labelled.write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
    lines = run("evaluate", str(labelled)).out.splitlines()
    start = lines.index("  bare-refusal, missed:")
    assert lines[start + 1].strip() == f"{rows[0]['id']},"
    assert max(map(len, lines[1:])) <= 80 and any(line.endswith(" and 3 more") for line in lines)


def test_a_page_that_cannot_be_written_is_said_before_the_work(run: Run, labelled: Path, tmp_path: Path) -> None:
    for path, why in ((tmp_path, "it is a folder"), (tmp_path / "no" / "page.html", "there is no such folder")):
        ran = run("evaluate", str(labelled), "--html", str(path))
        assert ran.code == 2 and ran.out == "" and f"{path} cannot be written: {why}" in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ('{"id": 1}\n', ":1: no labelled text"),
        ('{"text": "a", "labels": {}}\n{"text": \n', ":2: this is not JSON"),
        ("[1]\n", ":1: write an object"),
    ],
)
def test_bad_files_are_named_with_their_line(run: Run, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    ran = run("evaluate", str(path))
    assert ran.code == 2 and said in ran.err and str(path) in ran.err


def test_missing_mails_and_paths(run: Run, threads: Path, tmp_path: Path) -> None:
    (tmp_path / "threads.tar.xz").unlink()
    ran = run("evaluate", str(threads))
    assert ran.code == 2 and "its mails are missing" in ran.err
    assert run("evaluate", str(tmp_path / "nowhere")).code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no labelled mail in it" in run("evaluate", str(empty)).err


def test_a_table_without_its_columns(run: Run, ordinary: Path) -> None:
    ordinary.with_name("ordinary.tsv").write_text("name\tlabel\na.eml\t-\n")
    ran = run("evaluate", str(ordinary))
    assert ran.code == 2 and "no columns file and violations" in ran.err
