"""`audit`: what was judged, why, by which policies, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands import audit_complete, audit_export, audit_proof, audit_report
from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, here, moment, plain, print_json, user_error, who_acts
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.store.records import AuditRow

app = typer.Typer(
    help="The audit log: list, show, export, report, verify, complete.", no_args_is_help=True, rich_markup_mode=None
)

for command in (
    audit_proof.verify, audit_export.export, audit_proof.checkpoint, audit_proof.key, audit_proof.rotate_key,
    audit_complete.complete, audit_report.report,
):  # fmt: skip
    app.command(command.__name__.replace("_", "-"))(command)

DISPOSITIONS = ("pass", "rewrite", "hold", "reject")

Json = Annotated[bool, typer.Option("--json", help="JSON, one object a line")]


@app.command("list")
@with_settings(*STORE)
def list_(
    settings: Settings,
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="From this day or time on: 2026-11-30")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Up to, without, this day or time")] = "",
    agent: Annotated[str, typer.Option("--agent", help='This sender, or a whole domain as "@example.org"')] = "",
    policy: Annotated[str, typer.Option("--policy", help="Only findings of this policy")] = "",
    disposition: Annotated[str, typer.Option("--disposition", help="pass, rewrite, hold or reject")] = "",
    outcome: Annotated[
        str, typer.Option("--outcome", help="What became of it: passed, held, released, in-doubt, …")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest first")] = 50,
    json: Json = False,
) -> None:
    """List judged mails, newest first."""
    from typing import get_args

    from gateway.circle import veiled
    from gateway.commands.opened import open_store
    from gateway.located import suggest
    from gateway.store.records import Outcome

    for flag, given, known in (("--disposition", disposition, DISPOSITIONS), ("--outcome", outcome, get_args(Outcome))):
        if given and given not in known:
            user_error(f'{flag}: "{given}" is not one of them', suggest(given, known) or ", ".join(known))
    filters: dict[str, Any] = {
        "since": moment_of("--since", since),
        "until": moment_of("--until", until),
        "agent": agent,
        "policy": policy,
        "disposition": disposition,
        "outcome": outcome,
        "limit": limit,
    }
    with open_store(settings) as store:
        rows = list(map(veiled, store.audit_list(**filters)))
        asked = ", ".join(f"{name} {plain(str(value))}" for name, value in filters.items() if value and name != "limit")
        store.log_now("log", "listed", f"{len(rows)} entries; {asked or 'everything'}", who_acts(), here())
    if json:
        for row in rows:
            print_json(as_json(row))
        return
    out = console()
    if not rows:
        out.print("no mail fits")
    for row in rows:
        entry = row.entry
        found = ", ".join(map(_named, entry.findings)) or ("unread" if row.outcome == "bypassed" else "no finding")
        sender = plain(entry.agent or f"{entry.mail_from or '<>'} (no agent)")
        out.print(f"{entry.id}  {moment(entry.at)}  {entry.disposition:<7}  {row.outcome:<16}  {sender}")
        out.print(f"    {plain(entry.subject) or '(no subject)'}  [{found}]")


@app.command()
@with_settings(*STORE)
def show(
    settings: Settings,
    id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The mail's id or its beginning; bypass, rules, policy/NAME, account/NAME, console, gateway, log",
        ),
    ],
    confidential: Annotated[
        bool, typer.Option("--confidential", help="The words of a confidential mail; needs --why")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="What it is looked at for, kept in the log")] = "",
    by: Annotated[str, typer.Option("--by", help="Who looks, for the log; default: your login name")] = "",
    json: Json = False,
) -> None:
    """Show one judged mail with its evidence and its history, or what happened to the bypass, a policy, the rules, …"""
    from gateway.circle import veiled
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        row = store.audit_show(id)
        others = store.timeline(id) if row is None and _is_subject(id) else []
        decided = [(each.at, each.what, each.detail, each.by) for each in others]
        if confidential and not why.strip():
            user_error("the words of a confidential mail need a reason", '--why "…"')
        if row is not None:
            seen = f"entry{', confidential' if confidential else ''}{': ' + plain(why).strip() if why.strip() else ''}"
            store.log_now(row.entry.id, "viewed", seen, who_acts(by), here())
            row = row if confidential else veiled(row)
    if decided:
        if json:
            print_json({"id": id, "history": _history(decided)})
        else:
            console().print("\n".join((plain(id), *_lines(decided))))
        return
    if row is None:
        user_error(f"no audit entry has an id that begins with {plain(id)}", "referral-gateway audit list")
    if json:
        print_json(as_json(row))
        return
    out = console()
    entry = row.entry
    out.print(f"{entry.id}  {entry.disposition}  {row.outcome}")
    lines = {
        "came": f"{moment(entry.at, zone=True)} from {entry.peer} ({entry.listener})",
        "agent": f"{entry.agent or 'nobody of a team'}{', ' + entry.team if entry.team else ''}",
        "requester": f"{entry.requester}, {entry.requester_grade}" if entry.requester else "nobody found",
        "to": ", ".join(entry.rcpt_to),
        "subject": entry.subject or "(no subject)",
        "message": f"{entry.message_id or 'no Message-ID'}, {entry.size:,} octets, SHA-256 {entry.sha256[:16]}…",
        "language": entry.lang,
        "reason": entry.reason,
        "added": ", ".join(entry.add_cc),
        "policies": entry.policy_version,
    }
    for name, value in lines.items():
        if value:
            out.print(f"  {name:<9}  {plain(value)}")
    for finding in entry.findings:
        out.print(f"  {finding['policy']} ({finding['mode']}): {plain(str(finding['why']))}")
        for span in finding["evidence"]:
            out.print(f"    | {plain(str(span['text']))}   [{span['part']}]")
    for line in _lines(row.history):
        out.print(line)


def _is_subject(id: str) -> bool:
    return id in ("bypass", "console", "gateway", "log", "rules") or id.startswith(("policy/", "account/"))


def _named(finding: Mapping[str, Any]) -> str:
    """The policy; "observed" where it would have stopped the mail, and did not."""
    return str(finding["policy"]) + ("" if finding["mode"] == "enforce" else " (observed)")


def as_json(row: AuditRow) -> dict[str, Any]:
    """An audit row as JSON; `outcome` is what became of it."""
    return asdict(row.entry) | {"outcome": row.outcome, "history": _history(row.history)}


def _history(events: Iterable[tuple[datetime, str, str, str]]) -> list[dict[str, Any]]:
    return [{"at": at, "outcome": outcome, "detail": detail, "by": by} for at, outcome, detail, by in events]


def _lines(events: Iterable[tuple[datetime, str, str, str]]) -> Iterator[str]:
    for at, outcome, detail, by in events:
        who = f" by {plain(by)}" if by else ""
        yield f"  {moment(at)}  {outcome}{who}{': ' + plain(detail) if detail else ''}"


def moment_of(flag: str, text: str) -> datetime | None:
    """A day or time from a flag, in the local zone where it names none; None for "". Exits 2."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        user_error(f'{flag}: "{text}" is no date', "a date like 2026-11-30, or a time like 2026-11-30T08:30")
    return at.astimezone(UTC)
