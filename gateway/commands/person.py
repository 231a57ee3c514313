"""`person`: what is kept about somebody, its erasure, and the legal hold that keeps it."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import FINE, FOUND, console, here, moment, plain, print_json, user_error, who_acts
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.persons import Person

app = typer.Typer(
    help="What is kept about somebody: export, erase, hold, lift, holds.", no_args_is_help=True, rich_markup_mode=None
)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Their address; +tags are found too")]
Also = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--also", metavar="ADDRESS", help="Another address of theirs; may be repeated"),
]
Name = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--name", help="Their name, for text that does not have the address; may be repeated"),
]
By = Annotated[str, typer.Option("--by", help="Who does it, for the log; default: your login name")]


@app.command()
@with_settings(*STORE)
def export(
    settings: Settings,
    address: Address,
    also: Also = None,
    name: Name = None,
    mail: Annotated[bool, typer.Option("--with-mail", help="Held mail itself too, as base64")] = False,
    hide_others: Annotated[bool, typer.Option("--hide-others", help="Pseudonyms for everybody else's address")] = False,
    by: By = "",
) -> None:
    """Print everything that is kept about somebody, one JSON object a line: what they are entitled to see."""
    from gateway.commands.opened import open_store
    from gateway.pseudonyms import Pseudonyms
    from gateway.store.crypto import load_key

    person, number = _person(address, also, name), 0
    with open_store(settings) as store:
        others = Pseudonyms(load_key(settings.key_file, state=settings.state)) if hide_others else None
        for kind, row in store.person_kept(person, with_mail=mail):
            print_json({"kept": kind, **(others.veiled(row, person.in_text) if others else row)})
            number += 1
        if number:
            store.log_now("log", "exported", f"person {person.addresses[0]}, {number} rows", who_acts(by), here())
    if not number:
        print(f"nothing is kept about {plain(address)}", file=sys.stderr)


@app.command()
@with_settings(*STORE)
def erase(
    settings: Settings,
    address: Address,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the log; it must not name them")],
    also: Also = None,
    name: Name = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go")] = False,
    by: By = "",
) -> None:
    """Erase everything that names somebody, in the database and in every file of the state folder. The chain of the log
    stays whole and says that entries were erased, by whom and why. Exit code 1 when they are still named somewhere."""
    from gateway.commands.opened import open_store
    from gateway.store.privacy import UnderHold, Waits

    person, actor = _person(address, also, name), who_acts(by)
    if not why.strip():
        user_error("this needs a reason", '--why "…"')
    if person.in_text(why) or person.in_text(actor):
        user_error("the reason and --by are kept, so they must not name the person", '--why "request of 30 November"')
    out = console()
    with open_store(settings) as store:
        if dry_run:
            found = store.find_person(person)
            out.print(_counted(found.counts) if found else f"nothing is kept about {plain(address)}")
            return
        try:
            erased = store.erase_person(person, why.strip(), actor)
        except UnderHold as held:
            user_error(str(held), f"referral-gateway person lift {plain(address)} --why …, once it is over")
        except Waits as waits:
            user_error(
                f"{len(waits.mails)} mails of theirs still wait: {', '.join(waits.mails[:5])}",
                "referral-gateway held release or discard, then erase again",
            )
        _order_file(settings, person)
        compacted = store.compact()
        left = [f"table {name}" for name in erased.left]
        left += [str(path) for path in files_naming(settings.state, person)]
    out.print(_counted(erased.counts) if erased.counts else f"nothing was kept about {plain(address)}")
    if erased.counts:
        out.print(f"receipt {erased.receipt}: with the address it shows which erasure this was")
    if not compacted:
        out.print("PostgreSQL keeps old row versions until VACUUM FULL, and its WAL and backups until they run out")
    out.print("backups and exports that were made before still have it")
    for place in left:
        out.print(f"still named in {place} (or somebody is whose address ends like theirs)")
    raise typer.Exit(FOUND if left else FINE)


@app.command()
@with_settings(*STORE)
def hold(
    settings: Settings,
    address: Address,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the log")],
    by: By = "",
) -> None:
    """Legal hold: nothing that names them goes, neither by erasure nor because its time is over, until it is lifted."""
    _legal(settings, address, why, by, stands=True)


@app.command()
@with_settings(*STORE)
def lift(
    settings: Settings,
    address: Address,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the log")],
    by: By = "",
) -> None:
    """End a legal hold."""
    _legal(settings, address, why, by, stands=False)


@app.command()
@with_settings(*STORE)
def holds(
    settings: Settings, json: Annotated[bool, typer.Option("--json", help="JSON, one object a line")] = False
) -> None:
    """List the legal holds that stand."""
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        found = store.legal_holds()
    for each in found:
        if json:
            print_json({"address": each.address, "at": each.at, "by": each.by, "why": each.why})
        else:
            console().print(f"{plain(each.address)}  since {moment(each.at)} by {plain(each.by)}: {plain(each.why)}")
    if not found and not json:
        console().print("no legal hold stands")


def _legal(settings: Settings, address: str, why: str, by: str, *, stands: bool) -> None:
    from gateway.commands.opened import open_store

    person = _person(address, None, None)
    if not why.strip():
        user_error("this needs a reason", '--why "…"')
    with open_store(settings) as store:
        change = store.hold_person if stands else store.lift_hold
        done = change(person.addresses[0], why.strip(), who_acts(by), here())
    shown = plain(person.addresses[0])
    if not done:
        user_error(f"{shown} is under a legal hold already" if stands else f"{shown} is under no legal hold")
    console().print(f"nothing about {shown} goes until it is lifted" if stands else f"the hold on {shown} is lifted")


def _person(address: str, also: list[str] | None, names: list[str] | None) -> Person:
    from gateway.persons import person

    try:
        return person(address, also=also or (), names=names or ())
    except ValueError as wrong:
        user_error(f'"{plain(str(wrong))}" is no address', "the whole address, like mary@example.org")


def _counted(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _order_file(settings: Settings, person: Person) -> None:
    """The order of a bypass stands in a file too."""
    from dataclasses import replace

    from gateway.orders import read_order, write_order
    from gateway.persons import ERASED

    try:
        order = read_order(settings.state)
    except (OSError, ValueError):
        return
    if order is not None and (person.in_text(order.by) or person.in_text(order.why)):
        by, why = (ERASED if person.in_text(text) else text for text in (order.by, order.why))
        write_order(settings.state, replace(order, by=by, why=why))


def files_naming(folder: Path, person: Person) -> Iterator[Path]:
    """The files under a folder whose octets name them, as UTF-8 or UTF-16: the proof after an erasure."""
    import re

    words = [text for text in (*person.addresses, *person.names)]
    octets = [form for word in words for form in (word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"))]
    pattern = re.compile(b"|".join(map(re.escape, octets)), re.IGNORECASE)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if pattern.search(content):
                    yield path
