"""The forms in which labelled mail comes: scenario folders, labelled texts, threads, and folders of mails."""

from __future__ import annotations

import csv
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gateway.cases import CannotRead, Case, envelope_of, judge, read_case
from gateway.evaluation.labelled import make_mail
from gateway.evaluation.sample import LABELS, VIOLATIONS, Sample
from gateway.mail.message import read_headers
from gateway.policy.decision import Decision
from gateway.policy.model import PolicySet
from gateway.reading.reader import Reading

Form = Literal["scenarios", "labelled", "threads", "mails"]
FORMS = "a scenario folder, a .jsonl of labelled texts or threads, or a folder or .tar.xz of mails"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled mail of one form. `samples` reads it anew each time; `size` is how many there are."""

    path: str
    form: Form
    size: int
    samples: Callable[[], Iterator[Sample]]
    real: bool = True
    """Whether its people are those of no site file, so that everybody counts as an agent."""


def find_corpora(path: Path) -> list[Path]:
    """The corpora at a path: itself, or each file and folder in it that is one. Raises CannotRead."""
    if not path.exists():
        raise CannotRead(f"{path}: there is nothing there; write {FORMS}")
    if not path.is_dir() or _is_scenario(path) or any(map(_is_scenario, _folders(path))) or _mails(path):
        return [path]
    found = [each for each in sorted(path.iterdir()) if _is_corpus(each)]
    threads = {each.stem for each in found if each.suffix == ".jsonl"}
    found = [each for each in found if each.name.partition(".")[0] not in threads or each.suffix == ".jsonl"]
    if not found:
        raise CannotRead(f"{path}: no labelled mail in it; write {FORMS}")
    return [inner for each in found for inner in find_corpora(each)]


def read_corpus(path: Path, policies: PolicySet) -> Corpus:
    """Tell the form of a path and open it. Raises CannotRead, with the line where there is one."""
    if path.is_dir() and (_is_scenario(path) or any(map(_is_scenario, _folders(path)))):
        folders = [path] if _is_scenario(path) else [each for each in _folders(path) if _is_scenario(each)]
        return Corpus(
            str(path), "scenarios", len(folders), lambda: (_scenario(each, policies) for each in folders), real=False
        )
    if path.suffix == ".jsonl":
        rows = _rows(path)
        if rows and "file" in rows[0][1] and "labels" not in rows[0][1]:
            mails = _beside(path)
            return Corpus(str(path), "threads", len(rows), lambda: _threads(path, rows, mails, policies))
        for number, row in rows:
            if not isinstance(row.get("labels"), dict) or not isinstance(row.get("text"), str):
                raise CannotRead(f'{path}:{number}: no labelled text; write {{"id": …, "text": …, "labels": {{…}}}}')
        return Corpus(
            str(path), "labelled", len(rows), lambda: (_labelled(number, row, policies) for number, row in rows)
        )
    if path.is_dir() or tarfile.is_tarfile(path):
        mails = mails_in(path)
        told = _told(path)
        names = [name for name in mails if not told or name in told] or list(mails)
        return Corpus(
            str(path),
            "mails",
            len(names),
            lambda: (_mail(name, mails[name], told.get(name), policies) for name in names),
        )
    raise CannotRead(f"{path}: not a form that can be read; write {FORMS}")


def _is_scenario(path: Path) -> bool:
    return (path / "message.eml").is_file() and (path / "expect.json").is_file()


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir())


def _mails(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.suffix == ".eml" and each.is_file())


def _is_corpus(path: Path) -> bool:
    if path.is_dir():
        return _is_scenario(path) or any(map(_is_scenario, _folders(path))) or bool(_mails(path))
    return path.suffix == ".jsonl" or path.name.endswith((".tar.xz", ".tar.gz", ".tar", ".tgz"))


# --- scenario folders ---------------------------------------------------------------------------------------------


def _scenario(folder: Path, policies: PolicySet) -> Sample:
    try:
        expected = json.loads((folder / "expect.json").read_text(encoding="utf-8"))
        wanted, fine = set(expected["violations"]), set(expected.get("acceptable_violations", ()))
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRead(f"{folder / 'expect.json'}: not what a scenario expects: {str(error)[:120]}") from None
    known = {policy.id for policy in policies.policies} | set(VIOLATIONS.values())
    truth = {policy: True if policy in wanted else None if policy in fine else False for policy in sorted(known)}
    truth.pop("executive-refusal", None)  # a notice, no stop
    return Sample(
        folder.name,
        lambda: judge(read_case(folder), policies),
        policies=truth,
        lang=str(expected.get("lang", "")),
        asked=str(expected.get("why", "")),
        check=lambda reading, decision: _scenario_checks(reading, decision, expected),
    )


def _scenario_checks(reading: Reading, decision: Decision, expected: Mapping[str, Any]) -> dict[str, bool | None]:
    """The rules of the corpus: right is who has a wanted finding and no other, the requester, the Cc and the notice."""
    found = {finding.policy for finding in decision.enforced if not finding.exempt} - {"executive-refusal"}
    wanted = set(expected["violations"])
    fine = wanted | set(expected.get("acceptable_violations", ()))
    verdict = (bool(found & wanted) if wanted else True) and found <= fine
    who = reading.requester.mailbox.address.lower() if reading.requester else ""
    requester = who == (expected.get("requester") or "").lower() or (not wanted and not expected.get("requester"))
    added = {box.address.lower() for box in decision.add_cc}
    cc = added == {each.lower() for each in expected.get("add_cc", ())} or (not wanted and "dropped-requester" in found)
    notice = decision.notify_supervisor == expected.get("notify_supervisor", False)
    return {
        "right": verdict and cc and notice and (requester or not wanted),
        "requester": requester,
        "add_cc": cc,
        "notify_supervisor": notice,
    }


# --- labelled texts -----------------------------------------------------------------------------------------------


def _labelled(number: int, row: Mapping[str, Any], policies: PolicySet) -> Sample:
    labels = row["labels"]
    referral = labels.get("referral")
    truth: dict[str, bool | None] = {label: _bool(labels.get(label)) for label in LABELS}
    truth["handoff_to_colleague"] = None if referral is None else referral == "handoff_to_colleague"
    truth["redirect_requester"] = None if referral is None else referral == "redirect_requester"
    truth["target_named"] = _bool(labels.get("target_named")) if referral not in (None, "none") else None
    told = row.get("violations", {})
    violations = {VIOLATIONS[key]: _bool(value) for key, value in told.items() if key in VIOLATIONS}
    # Redirect without named target, whoever is copied; null counts neither way where something is handed on.
    violations["referral-without-route"] = truth["redirect_requester"] and not labels.get("target_named")
    violations["dropped-requester"] = _dropped(labels.get("requester_dropped"), referral == "handoff_to_colleague")
    raw, envelope = make_mail(row)
    case = Case(str(row.get("id", number)), raw, envelope)
    return Sample(
        case.path,
        lambda: judge(case, policies),
        truth,
        violations,
        str(row.get("lang") or ""),
        bool(row.get("doubtful")),
        str(row.get("selection", "random")).startswith("random"),
        row["text"],
        str(row.get("previous_question") or ""),
        {key: value for key, value in row.get("evidence", {}).items() if isinstance(value, str)},
    )


def _dropped(label: Any, hands_off: bool) -> bool | None:
    """Null counts neither way where something is handed on; elsewhere a stop would be a false one."""
    return bool(label) if label is not None else None if hands_off else False


def _bool(value: Any) -> bool | None:
    return None if value is None else bool(value)


# --- threads ------------------------------------------------------------------------------------------------------


def _threads(
    path: Path, rows: list[tuple[int, dict[str, Any]]], mails: Mapping[str, bytes], policies: PolicySet
) -> Iterator[Sample]:
    for number, row in rows:
        raw = mails.get(Path(row["file"]).name)
        if raw is None:
            raise CannotRead(f"{path}:{number}: no mail {row['file']} beside it; put the folder or the .tar.xz there")
        yield _thread(number, row, raw, policies)


def _thread(number: int, row: dict[str, Any], raw: bytes, policies: PolicySet) -> Sample:
    hands_off = _bool(row.get("is_handoff"))
    truth = _dropped(row.get("requester_dropped"), bool(hands_off))
    case = Case(str(row.get("id", number)), raw, envelope_of(read_headers(raw)))
    return Sample(
        case.path,
        lambda: judge(case, policies),
        {"handoff_to_colleague": hands_off},
        {"dropped-requester": truth},
        random=str(row.get("selection", "random")).startswith("random"),
        asked=str(row.get("note") or ""),
        check=lambda reading, _: {"requester": _is_requester(reading, row.get("requester"))},
    )


def _is_requester(reading: Reading, truth: Mapping[str, Any] | None) -> bool | None:
    """The address; the name where the mail itself has no address. Who has no known address does not count."""
    if not truth or not truth.get("address"):
        return None
    if reading.requester is None:
        return False
    box = reading.requester.mailbox
    if box.address:
        return box.address.lower() == str(truth["address"]).lower()
    named = set(re.findall(r"[^\W\d_]{2,}", re.split(r"[<@\[]", str(truth.get("name") or ""))[0].lower()))
    words = set(re.findall(r"[^\W\d_]{2,}", box.name.lower()))
    return bool(words) and (words <= named or (len(named) > 1 and named <= words))


# --- folders of mails ---------------------------------------------------------------------------------------------


def _mail(name: str, raw: bytes, told: str | None, policies: PolicySet) -> Sample:
    """`told`: violations by name, "-" for none, "?" where nobody has looked; None without a table."""
    truth: dict[str, bool | None] = {}
    if told is not None and told != "?":
        held = {VIOLATIONS[each] for each in told.split(",") if each in VIOLATIONS}
        truth = {policy: policy in held for policy in sorted(set(VIOLATIONS.values()))}
    case = Case(name, raw, envelope_of(read_headers(raw)))
    return Sample(name, lambda: judge(case, policies), policies=truth)


def _told(path: Path) -> dict[str, str]:
    """The table beside a folder or archive of mails: columns file and violations, parted by tabs."""
    table = path.with_name(path.name.partition(".")[0] + ".tsv")
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        if not {"file", "violations"} <= set(rows.fieldnames or ()):
            raise CannotRead(f"{table}:1: no columns file and violations; write both there, with a tab between them")
        return {row["file"]: row["violations"] or "-" for row in rows}


def mails_in(path: Path) -> dict[str, bytes]:
    """The mails of a folder or of an archive, by the name of their file."""
    if path.is_dir():
        return {each.name: each.read_bytes() for each in _mails(path)}
    with tarfile.open(path) as archive:
        files = ((Path(member.name).name, archive.extractfile(member)) for member in archive if member.isfile())
        return {name: file.read() for name, file in files if file is not None and name.endswith(".eml")}


def _beside(path: Path) -> Mapping[str, bytes]:
    """The mails that a .jsonl speaks of: in the folder or archive of its own name beside it."""
    for name in (path.stem, f"{path.stem}.tar.xz", f"{path.stem}.tar.gz", f"{path.stem}.tar"):
        beside = path.with_name(name)
        if beside.is_dir() or beside.is_file():
            return mails_in(beside)
    raise CannotRead(f"{path}: its mails are missing; put the folder {path.stem}/ or {path.stem}.tar.xz beside it")


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRead(f"{path}: cannot be read: {str(error)[:120]}") from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            what = f"{path}:{number}: this is not JSON: {str(error)[:120]}"
            raise CannotRead(f"{what}; write one object a line") from None
        if not isinstance(row, dict):
            raise CannotRead(f"{path}:{number}: write an object")
        rows.append((number, row))
    if not rows:
        raise CannotRead(f"{path}: it is empty; write one object a line")
    return rows
