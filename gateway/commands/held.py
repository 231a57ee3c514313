"""`held`: the mails that wait for a word from somebody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, here, moment, plain, print_json, user_error, who_acts
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.store.records import Hold, HoldState
    from gateway.store.store import Store

app = typer.Typer(help="Mails that wait: list, show, release, discard.", no_args_is_help=True, rich_markup_mode=None)

STATES = ("held", "approved", "releasing", "released", "discarded", "in-doubt")
WAITING = ("held", "approved", "releasing", "in-doubt")

By = Annotated[str, typer.Option("--by", help="Who decides, for the audit log; default: your login name")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The mail's id, or enough of its beginning")]
Json = Annotated[bool, typer.Option("--json", help="JSON, one object a line")]


@app.command("list")
@with_settings(*STORE)
def list_(
    settings: Settings,
    state_is: Annotated[str, typer.Option("--state-is", help=f"Only these: {', '.join(STATES)}")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Only this sender's")] = "",
    every: Annotated[bool, typer.Option("--all", help="Settled ones too")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the oldest first")] = 100,
    json: Json = False,
) -> None:
    """List what waits."""
    from gateway.commands.opened import open_store

    if state_is and state_is not in STATES:
        user_error(f'"{state_is}" is no state of a held mail', " or ".join(STATES))
    with open_store(settings) as store:
        holds = asyncio.run(_some(store, state_is, agent, every, limit))
    if json:
        for hold in holds:
            print_json(summary(hold))
        return
    out = console()
    if not holds:
        out.print("nothing waits" if not (state_is or agent or every) else "nothing fits")
        return
    for hold in holds:
        new = hold.new
        out.print(f"{new.id}  {hold.state:<9}  {moment(new.at)}  {plain(new.agent)}")
        out.print(f"    {plain(hold.subject) or '(no subject)'}")
        policies = ", ".join(map(plain, new.told.get("policies", ())))
        if hold.state == "held":
            out.print(f"    answer by {moment(new.deadline)}{f'  [{policies}]' if policies else ''}")
        if hold.detail:
            out.print(f"    {plain(hold.detail)}")


@app.command()
@with_settings(*STORE)
def show(
    settings: Settings,
    id: Id,
    raw: Annotated[bool, typer.Option("--raw", help="The mail itself, octet for octet")] = False,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="The words of a confidential mail; needs --why")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="What it is looked at for, kept in the log")] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Show one held mail: who, to whom, why, what a fix would do, what has happened so far."""
    import sys

    from gateway.circle import is_confidential
    from gateway.commands.opened import open_store
    from gateway.notice_facts import shortened

    with open_store(settings) as store:
        hold = _one(store, id)
        row = store.audit_show(hold.new.id)
        secret = is_confidential(row.entry if row else None, hold)
        _looked(store, hold, "mail" if raw else "hold", secret, confidential, why, who_acts(by))
    if raw:
        if hold.raw is None:
            user_error(
                hold.detail or "the mail cannot be read", "the key file that it was written with (setting key_file)"
            )
        sys.stdout.buffer.write(hold.raw)
        return
    if json:
        print_json(summary(hold) | {"findings": list(row.entry.findings) if row else []})
        return
    out = console()
    new = hold.new
    out.print(f"{new.id}  {hold.state}")
    out.print(f"  from      {plain(new.agent)}")
    out.print(f"  to        {', '.join(_address(one) for one in new.rcpt_to)}")
    out.print(f"  subject   {plain(hold.subject) or '(no subject)'}")
    out.print(f"  came      {moment(new.at, zone=True)}")
    out.print(f"  answer by {moment(new.deadline, zone=True)}, from {', '.join(plain(one) for one in new.may_settle)}")
    for finding in row.entry.findings if row else ():
        out.print(f"  {finding['policy']}: {plain(str(finding['why']))}")
        for words in shortened(str(span["text"]) for span in finding["evidence"]):
            out.print(f"    | {plain(words)}")
    people = ", ".join(plain(one["address"]) for one in new.fix.get("add_cc", ()))
    if people:
        how = "can be added in Cc" if new.fix.get("possible") else f"cannot be added: {new.fix.get('why_not', '')}"
        out.print(f"  fix       {people} {how}")
    if hold.approved_by:
        out.print(f"  approved  {hold.action} by {plain(hold.approved_by)}{': ' + plain(hold.why) if hold.why else ''}")
    if hold.detail:
        out.print(f"  last      {plain(hold.detail)}")
    for at, outcome, detail, by in row.history if row else ():
        who = f" by {plain(by)}" if by else ""
        out.print(f"  {moment(at)}  {outcome}{who}{': ' + plain(detail) if detail else ''}")


@app.command()
@with_settings(*STORE, "site", "policies", "templates", "notices_address", "notices_from")
def release(
    settings: Settings,
    id: Id,
    fix: Annotated[bool, typer.Option("--fix", help="Add whom the fix adds, and send")] = False,
    as_it_is: Annotated[bool, typer.Option("--as-it-is", help="Send it unchanged; needs --why")] = False,
    again: Annotated[bool, typer.Option("--again", help="In doubt: it did not arrive, let it wait again")] = False,
    arrived: Annotated[bool, typer.Option("--arrived", help="In doubt: it did arrive")] = False,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the audit log")] = "",
    by: By = "",
) -> None:
    """Let a held mail go. The running gateway sends it; nothing is sent twice, whoever else answers."""
    from gateway.commands.opened import open_store

    if fix + as_it_is + again + arrived != 1:
        user_error("how shall it go?", "one of --fix, --as-it-is, or, for a mail in doubt, --again or --arrived")
    if not fix and not why.strip():
        user_error("this needs a reason", '--why "…"')
    with open_store(settings) as store:
        hold = _one(store, id)
        if again or arrived:
            _resolve(settings, store, hold, "held" if again else "released", who_acts(by), why)
            return
        if fix and not hold.new.fix.get("possible"):
            user_error(
                f"there is no fix for this mail: {hold.new.fix.get('why_not') or 'nobody to add'}",
                '--as-it-is --why "…"',
            )
        _settle(settings, store, hold, "fix" if fix else "send", who_acts(by), why)
    console().print(f"{hold.new.id} goes out {'with the fix' if fix else 'as it is'}")


@app.command()
@with_settings(*STORE, "site", "policies", "templates", "notices_address", "notices_from")
def discard(
    settings: Settings,
    id: Id,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the audit log")],
    by: By = "",
) -> None:
    """Throw a held mail away. It reaches nobody, and its sender is told."""
    from gateway.commands.opened import open_store

    if not why.strip():
        user_error("this needs a reason", '--why "…"')
    with open_store(settings) as store:
        hold = _one(store, id)
        _settle(settings, store, hold, "discard", who_acts(by), why)
    console().print(f"{hold.new.id} is discarded")


def summary(hold: Hold) -> dict[str, Any]:
    """A hold as JSON, without its octets."""
    new = hold.new
    return {
        "id": new.id,
        "state": hold.state,
        "at": new.at,
        "agent": new.agent,
        "subject": hold.subject,
        "rcpt_to": [_address(one) for one in new.rcpt_to],
        "deadline": new.deadline,
        "fix": dict(new.fix),
        "action": hold.action,
        "by": hold.approved_by,
        "why": hold.why,
        "tries": hold.tries,
        "detail": hold.detail,
    }


async def _some(store: Store, state: str, agent: str, every: bool, limit: int) -> list[Hold]:
    wanted: HoldState | None = state if state else None  # type: ignore[assignment]
    found = await store.held_list(wanted, agent, limit)
    return [hold for hold in found if state or every or hold.state in WAITING]


def _one(store: Store, id: str) -> Hold:
    hold = asyncio.run(store.held(id))
    if hold is None:
        user_error(f"no held mail has an id that begins with {plain(id)}", "referral-gateway held list")
    return hold


def _looked(store: Store, hold: Hold, what: str, secret: bool, confidential: bool, why: str, by: str) -> None:
    """Every look is in the log. The words of confidential mail are for its own circle; on this machine, which has the
    key, nothing but the log keeps others from them, so they are asked what for."""
    reason = f": {plain(why).strip()}" if why.strip() else ""
    if secret and not (confidential and reason):
        store.log_now(hold.new.id, "view-refused", what, by, here())
        user_error(
            f"{hold.new.id} is confidential: it is for {', '.join(map(plain, hold.new.may_settle))}",
            '--confidential --why "…"',
        )
    store.log_now(hold.new.id, "viewed", f"{what}{', confidential' if secret else ''}{reason}", by, here())


def _settle(settings: Settings, store: Store, hold: Hold, kind: str, by: str, why: str) -> None:
    """The same settling as an answer by mail, by somebody who may run commands on this machine."""
    from gateway.answers import Answer
    from gateway.commands.opened import open_settling
    from gateway.mail.address import Mailbox
    from gateway.settling import CannotSettle

    settling = open_settling(settings, store)
    answer = Answer(kind, " ".join(why.split()))  # type: ignore[arg-type]
    try:
        done = asyncio.run(settling.settle(hold, answer, by=by, to=Mailbox(hold.new.agent), origin=here()))
    except CannotSettle as cannot:
        user_error(f"{hold.new.id} cannot be sent: {cannot.detail}")
    if not done:
        fresh = _one(store, hold.new.id)
        user_error(f"{hold.new.id} is {fresh.state} already{' by ' + fresh.approved_by if fresh.approved_by else ''}")


def _resolve(settings: Settings, store: Store, hold: Hold, state: HoldState, by: str, why: str) -> None:
    from gateway.commands.opened import open_settling

    if not asyncio.run(open_settling(settings, store).resolve(hold, state, by, why, origin=here())):
        user_error(f"{hold.new.id} is {hold.state}, not in doubt", "--fix or --as-it-is")
    console().print(f"{hold.new.id} is {state} now")


def _address(argument: bytes) -> str:
    """The address in a RCPT argument."""
    text = argument.decode("utf-8", "replace")
    return plain(text[text.find("<") + 1 : text.rfind(">")] if "<" in text else text.partition(" ")[0])
