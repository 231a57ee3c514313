"""The forms in which the log leaves the gateway: JSON Lines, CSV, ECS for a SIEM, syslog. Pure.

The schema is a contract: `SCHEMA` names its version, a field is only ever added, and the README lists them all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.logged import OVERRIDES, word
from gateway.store.exporting import Record

SCHEMA = "referral-gateway/log/1"

HIDDEN = "(confidential)"
"""What stands in place of the words of a confidential mail."""

COLUMNS: Mapping[str, str] = {
    "time": "when, UTC, RFC 3339",
    "kind": "decision, delivery, hold, answer, release, override, view, follow, policy, account, log or service",
    "what": "the disposition of a decision (pass, rewrite, hold, reject), else what happened",
    "result": "success or failure",
    "about": "the id of the mail; gateway, log, rules, bypass, policy/NAME or account/NAME",
    "who": "who acted: the agent of a decision, else whoever answered, looked, changed; empty for the gateway itself",
    "origin": "from where: the peer of a mail, a command or the service and its machine, the console and its client",
    "why": "the reason, or what was said",
    "agent": "the sender whose mail it is about",
    "team": "their team",
    "requester": "the person who asked",
    "requester_grade": "how that is known: observed, declared, attached, quoted",
    "recipients": "the envelope's recipients",
    "subject": "the Subject of the mail",
    "message_id": "its Message-ID",
    "sha256": "the digest of its octets",
    "size": "its octets",
    "lang": "its language",
    "disposition": "what the policies came to: pass, rewrite, hold, reject",
    "outcome": "what became of it last",
    "policies": "the policies that matched",
    "policy_version": "the version of the rules that judged it",
    "override": "true where it went out as it was although it had been stopped",
    "chain": "with seq: which link of the log proves this line",
    "seq": "its number in that chain",
}
"""The fields of JSON Lines and the columns of CSV, in their order."""

LISTS = ("recipients", "policies")
EXTRA = {
    "schema": "this schema and its version",
    "findings": "only in JSON Lines, of decisions: each policy that matched, with its evidence and mode",
    "facts": "only in JSON Lines, of decisions: what the reading found, with its evidence",
}


def fields(record: Record, *, confidential: bool = False) -> dict[str, Any]:
    """One record with every field of COLUMNS. The words of confidential mail are hidden unless `confidential`."""
    mail: Mapping[str, Any] = record.mail or {}
    meaning = word(record.what)
    hide = record.confidential and not confidential
    return {
        "time": plain_time(record.at),
        "kind": "decision" if record.is_decision else meaning.kind,
        "what": record.what,
        "result": "failure" if meaning.failed and not record.is_decision else "success",
        "about": record.subject,
        "who": record.by,
        "origin": record.origin,
        "why": HIDDEN if hide and record.detail else record.detail,
        "agent": mail.get("agent", ""),
        "team": mail.get("team", ""),
        "requester": HIDDEN if hide and mail.get("requester") else mail.get("requester", ""),
        "requester_grade": mail.get("requester_grade", ""),
        "recipients": [HIDDEN] if hide else list(mail.get("rcpt_to", ())),
        "subject": HIDDEN if hide else mail.get("subject", ""),
        "message_id": mail.get("message_id", ""),
        "sha256": mail.get("sha256", ""),
        "size": mail.get("size"),
        "lang": mail.get("lang", ""),
        "disposition": mail.get("disposition", ""),
        "outcome": mail.get("outcome", ""),
        "policies": sorted({str(each["policy"]) for each in mail.get("findings", ()) if each.get("policy")}),
        "policy_version": mail.get("policy_version", ""),
        "override": mail.get("outcome") in OVERRIDES,
        "chain": record.chain,
        "seq": record.seq,
    }


def plain_time(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Change = Callable[[dict[str, Any]], dict[str, Any]]
"""What is done to each line before it is written, such as pseudonyms in place of people."""


def json_lines(records: Iterable[Record], change: Change = dict, *, confidential: bool = False) -> Iterator[str]:
    """One JSON object a line; decisions with findings and facts."""
    for record in records:
        line = {"schema": SCHEMA, **fields(record, confidential=confidential)}
        if record.is_decision and record.mail is not None:
            hide = record.confidential and not confidential
            line["findings"] = _without_words(record.mail["findings"]) if hide else list(record.mail["findings"])
            line["facts"] = sorted(record.mail["facts"]) if hide else dict(record.mail["facts"])
        yield json.dumps(change(line), ensure_ascii=True)


def _without_words(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"policy": each.get("policy"), "mode": each.get("mode")} for each in findings]


# --- CSV (RFC 4180) ---------------------------------------------------------------------------------------------------

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is a formula to a spreadsheet (OWASP, CSV Injection); full-width ones count in some."""


def safe_cell(value: object) -> str:
    """Text that no spreadsheet runs: a formula gets an apostrophe in front, and nothing starts a line of its own."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = "".join(ch if ch.isprintable() else " " for ch in text)
    return "'" + text if text.lstrip(" ").startswith(DANGEROUS) else text


def csv_lines(records: Iterable[Record], change: Change = dict, *, confidential: bool = False) -> Iterator[str]:
    """A header and one row for each record; nothing at all where there is none. Lists are parted by blanks."""
    for number, record in enumerate(records):
        if number == 0:
            yield _row(COLUMNS)
        line = change(fields(record, confidential=confidential))
        yield _row(" ".join(line[name]) if name in LISTS else line[name] for name in COLUMNS)


def _row(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="").writerow([safe_cell(value) for value in values])
    return out.getvalue()


# --- Elastic Common Schema 8.17 ---------------------------------------------------------------------------------------

ECS_VERSION = "8.17.0"
_OURS = (
    *("kind", "about", "origin", "team", "requester", "requester_grade", "disposition", "outcome", "override"),
    *("lang", "size"),
)


def ecs_lines(
    records: Iterable[Record], change: Change = dict, *, confidential: bool = False, instance: str = ""
) -> Iterator[str]:
    """One ECS document a line; what ECS has no field for stands under `referral_gateway`."""
    for record in records:
        yield json.dumps(ecs(record, change(fields(record, confidential=confidential)), instance), ensure_ascii=True)


def ecs(record: Record, line: Mapping[str, Any], instance: str) -> dict[str, Any]:
    """A line (`fields`) as an ECS document. Empty fields are left out."""
    meaning = word(record.what)
    decision = record.is_decision
    document = {
        "@timestamp": line["time"],
        "ecs": {"version": ECS_VERSION},
        "message": f"{line['kind']} {line['what']} {line['about']}".strip(),
        "event": {
            "kind": "alert" if decision and line["policies"] else "event",
            "category": ["email"] if decision else [meaning.category],
            "type": ["info"] if decision else [meaning.type],
            "action": line["what"],
            "outcome": line["result"],
            "reason": line["why"],
            "id": f"{line['chain']}:{line['seq']}" if line["seq"] is not None else "",
            "dataset": "referral_gateway.log",
            "module": "referral_gateway",
            "provider": "referral-gateway",
        },
        "user": {"email": line["who"]} if "@" in line["who"] else {"name": line["who"]},
        "source": {"address": line["origin"].rpartition(" ")[2]} if line["origin"] else {},
        "rule": {"name": line["policies"], "version": line["policy_version"]},
        "email": {
            "from": {"address": [line["agent"]] if line["agent"] else []},
            "to": {"address": line["recipients"]},
            "subject": line["subject"],
            "message_id": line["message_id"],
            "local_id": line["about"] if record.mail is not None else "",
        },
        "hash": {"sha256": line["sha256"]},
        "observer": {"product": "referral-gateway", "type": "email-gateway", "serial_number": instance},
        "referral_gateway": {
            "schema": SCHEMA,
            **{name: line[name] for name in _OURS},
        },
    }  # fmt: skip
    return _filled(document)


def _filled(value: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _filled(inner) if isinstance(inner, Mapping) else inner for name, inner in value.items()}
    return {name: inner for name, inner in found.items() if inner not in ("", None, [], {})}
