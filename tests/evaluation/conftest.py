"""Small corpora of every form, made here: nobody's real mail."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

NONE: dict[str, Any] = {
    "refusal": False, "reason_given": False, "eta_given": False, "alternative_given": False, "referral": "none",
    "target_named": False, "requester_dropped": None, "dismissive": False, "terse_unhelpful": False,
    "escalation_offered": False, "asks_clarifying_question": False, "out_of_scope": False,
}  # fmt: skip
FINE = {
    "requester_dropped": False, "bare_refusal": False, "dismissive": False, "terse": False,
    "unnamed_or_uncopied_redirect": False, "out_of_scope_no_escalation": False,
}  # fmt: skip


def row(id: str, text: str, *, selection: str = "random", lang: str = "en", **said: Any) -> dict[str, Any]:
    """A labelled text; `said` are its labels, and violations with a leading underscore."""
    labels = {key: value for key, value in said.items() if not key.startswith("_")}
    violations = {key[1:]: value for key, value in said.items() if key.startswith("_")}
    return {
        "id": id, "from": "dana@team.example", "to": ["mary@customer.example"], "cc": [], "subject": "Printer",
        "date": "Mon, 3 Nov 2025 10:00:00 +0000", "text": text, "quoted": "", "lang": lang, "selection": selection,
        "previous_question": "Could you move the printer to room 12, please?", "doubtful": id.endswith("?"),
        "labels": {**NONE, **labels}, "evidence": {"refusal": "No"} if labels.get("refusal") else {}, "note": "",
        "violations": {**FINE, **violations},
    }  # fmt: skip


ROWS = [
    row("bare", "No, we can't do that.", refusal=True, _bare_refusal=True),
    row("bare-missed", "The printer is grey.", refusal=True, _bare_refusal=True),
    row("false-alarm", "No, we can't do that.", selection="candidate"),
    row("fine", "Done, it stands in room 12 now."),
    row("explained", "No, we can't, because room 12 is being painted.", refusal=True, reason_given=True),
    row("nein?", "Nein, das geht leider nicht.", lang="de", refusal=True, _bare_refusal=True),
]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in ROWS), "utf-8")
    return path


def eml(sender: str, to: str, subject: str, body: str) -> bytes:
    head = f"From: {sender}\nTo: {to}\nSubject: {subject}\nMessage-ID: <1@x.example>\n"
    head += "Date: Mon, 3 Nov 2025 10:00:00 +0000\n"
    return (head + "\n" + body).replace("\n", "\r\n").encode()


FORWARD = (
    "Can you take this over, please?\n\n-----Original Message-----\nFrom: Mary Jones <mary@customer.example>\n"
    "To: dana@team.example\nSubject: Printer\n\nCould you move the printer?\n"
)


QUOTE = FORWARD.partition("\n\n")[2]


@pytest.fixture
def threads(tmp_path: Path) -> Path:
    mails = {
        "dropped.eml": eml("dana@team.example", "bob@network.example", "FW: Printer", FORWARD),
        "fyi.eml": eml("dana@team.example", "bob@network.example", "FW: Printer", f"FYI.\n\n{QUOTE}"),
    }
    with tarfile.open(tmp_path / "threads.tar.xz", "w:xz") as archive:
        for name, octets in mails.items():
            info = tarfile.TarInfo(f"threads/{name}")
            info.size = len(octets)
            archive.addfile(info, io.BytesIO(octets))
    mary = {"name": "Mary Jones", "address": "mary@customer.example"}
    rows = [
        {"id": "dropped", "file": "threads/dropped.eml", "agent": "dana@team.example", "requester": mary,
         "kind": "handoff", "is_handoff": True, "requester_dropped": True, "selection": "random"},
        {"id": "fyi", "file": "threads/fyi.eml", "agent": "dana@team.example", "requester": mary,
         "kind": "fyi", "is_handoff": False, "requester_dropped": None, "selection": "random"},
    ]  # fmt: skip
    path = tmp_path / "threads.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
    return path


@pytest.fixture
def ordinary(tmp_path: Path) -> Path:
    folder = tmp_path / "ordinary"
    folder.mkdir()
    (folder / "a.eml").write_bytes(eml("dana@team.example", "bob@network.example", "FW: Printer", FORWARD))
    (folder / "b.eml").write_bytes(eml("dana@team.example", "bob@network.example", "Lunch", "See you at noon.\n"))
    (folder / "c.eml").write_bytes(eml("dana@team.example", "bob@network.example", "FW: Printer", FORWARD))
    (tmp_path / "ordinary.tsv").write_text("file\tviolations\na.eml\trequester_dropped\nb.eml\t-\nc.eml\t?\n", "utf-8")
    return folder
