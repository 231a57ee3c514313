"""`bypass`: let all mail pass unread, at once, for a while."""

from __future__ import annotations

import contextlib
import getpass
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import OURS, console, here, moment, plain, print_json, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.orders import Order

app = typer.Typer(
    help="Let all mail pass unread for a while: on, off, status.", no_args_is_help=True, rich_markup_mode=None
)

By = Annotated[str, typer.Option("--by", help="Who decides, for the audit log; default: your login name")]


@app.command()
@with_settings(*STORE)
def on(
    settings: Settings,
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, at most 7d")],
    why: Annotated[str, typer.Option("--why", help="For the audit log and the other admins")],
    by: By = "",
) -> None:
    """From now on everything passes unread and unjudged, on all nodes within two seconds, until the time is over.

    Held mail and answers to notices are dealt with as always. What is passed is recorded, without subject or findings.
    """
    from pathlib import Path

    from gateway.orders import LONGEST
    from gateway.values import DURATION, WrongValue

    try:
        seconds = DURATION.read(length, Path())
    except WrongValue as wrong:
        user_error(f"--for: {wrong.what}", wrong.write)
    if not isinstance(seconds, float) or not 60 <= seconds <= LONGEST.total_seconds():
        user_error(f'--for: "{plain(length)}" is not between one minute and seven days', "a time like 30m, 2h or 1d")
    if not why.strip():
        user_error("--why: no reason is given", "a few words, like --why 'every mail is held since the update'")
    _order(settings, timedelta(seconds=seconds), why.strip(), by)


@app.command()
@with_settings(*STORE)
def off(
    settings: Settings,
    why: Annotated[str, typer.Option("--why", help="For the audit log")] = "",
    by: By = "",
) -> None:
    """Read and judge mail again."""
    from gateway.orders import newest, read_order

    with contextlib.suppress(OSError, ValueError):
        row, away = _with_store(settings, lambda store: store.governed_now()[0])
        latest = newest(row, read_order(settings.state))
        if not away and (latest is None or not latest.on(datetime.now(UTC))):
            console().print("it is off already")
            return
    _order(settings, None, why.strip(), by)


@app.command()
@with_settings(*STORE)
def status(settings: Settings, json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False) -> None:
    """Say whether a bypass is on, who ordered it, why, and until when."""
    from gateway.orders import newest, read_order

    now = datetime.now(UTC)
    try:
        file = read_order(settings.state)
    except (OSError, ValueError) as error:
        file = None
        print(f"{settings.state / 'bypass.json'} cannot be read: {error}", file=sys.stderr)
    row, away = _with_store(settings, lambda store: store.governed_now()[0])
    if away:
        print(f"the database cannot be asked: {away}; this is what this machine knows", file=sys.stderr)
    order = newest(file, row)
    is_on = order is not None and order.on(now)
    if json:
        said: dict[str, Any] = {"on": is_on, "database": not away}
        if order is not None:
            said |= {"at": order.at, "until": order.until, "why": order.why, "by": order.by}
        print_json(said)
        return
    out = console()
    if order is None:
        out.print("off; it was never on")
        return
    word = "on" if is_on else "off" if order.until is None else "over"
    out.print(f"{word}, by {plain(order.by)} on {moment(order.at, zone=True)}")
    if order.until is not None:
        out.print(f"  until {moment(order.until, zone=True)}")
    if order.why:
        out.print(f"  because {plain(order.why)}")


def _order(settings: Settings, length: timedelta | None, why: str, by: str) -> None:
    """Write an order into the state folder and the database; either is enough."""
    from gateway.orders import new_order, write_order

    if not settings.state.is_dir() and not settings.database:
        user_error(f"there is no folder {settings.state}", "--state with the folder that serve uses")
    order = new_order(datetime.now(UTC), length, why[:1000], by or getpass.getuser())
    refused = ""
    try:
        write_order(settings.state, order)
    except OSError as error:
        refused = f"{settings.state}: {(error.strerror or 'cannot be written').lower()}"
    _, away = _with_store(settings, lambda store: store.order_now(order))
    if refused and away:
        print(f"not done: {refused}; {away}", file=sys.stderr)
        print("  Write: run it as the gateway's user, or mend the database", file=sys.stderr)
        raise typer.Exit(OURS)
    if away:
        print(f"the database cannot be reached ({away}): this machine's gateway alone follows", file=sys.stderr)
        print("  the others follow once it is back; until then run this on each of them", file=sys.stderr)
    elif refused:
        print(f"{refused}: only the database has it, which is enough while that is there", file=sys.stderr)
    console().print(_told(order))


def _told(order: Order) -> str:
    if order.until is None:
        return "bypass off: mail is read and judged again"
    return f"bypass on until {moment(order.until, zone=True)}: everything passes unread"


def _with_store(settings: Settings, work: Any) -> tuple[Any, str]:
    """What `work` gives with the store, and "" or why the store is away. Never fails: the file must do then."""
    from gateway.located import BadFiles
    from gateway.store.crypto import KeyUnusable, load_key
    from gateway.store.errors import StoreAway
    from gateway.store.store import Store

    if not settings.database and not (settings.state / "gateway.db").exists():
        return None, f"there is no database in {settings.state}"
    try:
        key = load_key(settings.key_file, state=settings.state)
        password = settings.secret("database_password")
        store = Store.open(settings.database_url, key, password=password, create=False, origin=here())
        try:
            if not store.is_current():
                return None, "it is of another version: referral-gateway db upgrade"
            return work(store), ""
        finally:
            store.close_now()
    except (StoreAway, KeyUnusable, BadFiles) as error:
        return None, str(error).splitlines()[0]
