"""`follow`: hand-offs and promises that are open, and what people ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.held import By
from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, here, moment, plain, print_json, user_error, who_acts
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.follow.entries import Entry

app = typer.Typer(
    help="Hand-offs and promises: list, show, close, report.", no_args_is_help=True, rich_markup_mode=None
)

Json = Annotated[bool, typer.Option("--json", help="JSON, one object a line")]
KINDS = {"handoff": "hand-off", "promise": "promise"}


@app.command("list")
@with_settings(*STORE)
def list_(
    settings: Settings,
    kind: Annotated[str, typer.Option("--kind", help="handoff or promise")] = "",
    team: Annotated[str, typer.Option("--team", help="Only of this team")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="Also what is closed")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, the earliest due first")] = 100,
    json: Json = False,
) -> None:
    """List what is open, by when it is due."""
    from gateway.commands.opened import open_store

    if kind and kind not in KINDS:
        user_error(f'--kind: "{plain(kind)}" is not one of them', "handoff or promise")
    with open_store(settings) as store:
        found = store.ledger_list(kinds=[kind] if kind else list(KINDS), closed=closed, team=team, limit=limit)
    if json:
        for entry in found:
            print_json(summary(entry))
        return
    out = console()
    if not found:
        out.print("nothing is open")
    for entry in found:
        owners = ", ".join(plain(who.name or who.address) for who in entry.owners) or plain(entry.agent.address)
        out.print(f"{entry.id}  {KINDS[entry.kind]:<8}  due {moment(entry.due)}  {entry.state:<9}  {owners}")
        out.print(f"    {plain(entry.requester.name or entry.requester.address)} waits: {plain(entry.subject)}")
        if entry.state == "closed":
            out.print(
                f"    closed {moment(entry.closed_at or entry.at)} by {plain(entry.closed_by)}: {plain(entry.why)}"
            )


@app.command()
@with_settings(*STORE)
def show(
    settings: Settings,
    id: Annotated[str, typer.Argument(metavar="ID", help="The id, or enough of its beginning")],
    json: Json = False,
) -> None:
    """Show one hand-off or promise with its history."""
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        entry = store.ledger_show(id)
        row = store.audit_show(entry.mail_id) if entry is not None and entry.mail_id else None
    if entry is None:
        user_error(f"nothing has an id that begins with {plain(id)}", "referral-gateway follow list")
    history = [each for each in row.history if each[1].startswith(f"{entry.kind}-")] if row else []
    if json:
        past = [{"at": at, "what": what, "detail": detail, "by": by} for at, what, detail, by in history]
        print_json(summary(entry) | {"history": past})
        return
    out = console()
    out.print(f"{entry.id}  {KINDS.get(entry.kind, entry.kind)}  {entry.state}")
    lines = {
        "since": moment(entry.at, zone=True),
        "due": moment(entry.due, zone=True),
        "waits": f"{entry.requester.name} <{entry.requester.address}>",
        "agent": f"{entry.agent.address}, {entry.team}",
        "owner": ", ".join(str(who) for who in entry.owners),
        "subject": entry.subject,
        "words": entry.words,
        "mail": entry.mail_id,
    }
    for name, value in lines.items():
        if value:
            out.print(f"  {name:<8}  {plain(value)}")
    for at, what, detail, by in history:
        who = f" by {plain(by)}" if by else ""
        out.print(f"  {moment(at)}  {what}{who}{': ' + plain(detail) if detail else ''}")


@app.command()
@with_settings(*STORE)
def close(
    settings: Settings,
    id: Annotated[str, typer.Argument(metavar="ID", help="The id, or enough of its beginning")],
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the audit log")],
    by: By = "",
) -> None:
    """Close a hand-off or promise that was settled some other way. Nobody is reminded of it again."""
    from gateway.commands.opened import open_store

    if not why.strip():
        user_error("this needs a reason", '--why "…"')
    with open_store(settings) as store:
        entry = store.ledger_show(id)
        if entry is None:
            user_error(f"nothing has an id that begins with {plain(id)}", "referral-gateway follow list")
        if not store.ledger_close(entry, who_acts(by), " ".join(why.split()), datetime.now(UTC), here()):
            user_error(f"{entry.id} is closed already: {plain(entry.why)}")
    console().print(f"{entry.id} is closed")


@app.command()
@with_settings(*STORE)
def report(
    settings: Settings,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How far back")] = 30,
    team: Annotated[str, typer.Option("--team", help="Only of this team")] = "",
    json: Json = False,
) -> None:
    """Count hand-offs and promises, and what is asked again and again. Agents are not ranked."""
    from gateway.commands.opened import open_store
    from gateway.follow.counted import count

    since = datetime.now(UTC) - timedelta(days=days)
    with open_store(settings) as store:
        found = store.ledger_list(kinds=[*KINDS, "request"], closed=True, team=team, since=since, limit=100_000)
    counted = count(found)
    if json:
        print_json(counted)
        return
    out = console()
    out.print(f"the last {days} days{f', team {plain(team)}' if team else ''}")
    for kind, name in KINDS.items():
        its = counted[kind]
        ended = ", ".join(f"{number} {word}" for word, number in its["closed"].items())
        out.print(f"  {name + 's':<10} {its['opened']:>5}   open {its['open']}{'; ' + ended if ended else ''}")
    out.print(f"  requests   {counted['request']['opened']:>5}")
    for topic, number, people in counted["topics"]:
        out.print(f"    {number:>3} times by {people} people: {plain(topic)}")


def summary(entry: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "id": entry.id,
        "kind": entry.kind,
        "state": entry.state,
        "at": entry.at,
        "due": entry.due,
        "mail": entry.mail_id,
        "agent": entry.agent.address,
        "team": entry.team,
        "requester": entry.requester.address,
        "owners": [who.address for who in entry.owners],
        "subject": entry.subject,
        "words": entry.words,
        "closed_at": entry.closed_at,
        "closed_by": entry.closed_by,
        "why": entry.why,
    }
