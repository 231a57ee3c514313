"""`audit verify|checkpoint|key|rotate-key`: what shows that the log was not changed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import FINE, FOUND, OURS, console, here, plain, user_error, who_acts
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.chain.checkpoints import Signer
    from gateway.store.proving import Checkpoint
    from gateway.store.store import Store
    from gateway.witnesses import Places


KEYS = (*STORE, "checkpoint_key_file")
PLACES = (*KEYS, "checkpoint_file", "checkpoint_syslog", "checkpoint_mail", "notices_address", "notices_from")


@with_settings(*KEYS)
def key(settings: Settings) -> None:
    """Show the public key that checkpoints are signed with. Write it down where the gateway's machine cannot reach."""
    console().print(_signer(settings).public)


@with_settings(*PLACES)
def checkpoint(settings: Settings) -> None:
    """Sign what the log has come to, print it as one line, and bring it to the places that the settings name. Prints
    nothing where nothing is new. A running `serve` does the same as often as checkpoint_every says.

    0 * * * *  referral-gateway audit checkpoint | ssh auditor@elsewhere 'cat >> checkpoints.jsonl'
    """
    from gateway.assembly import places_of
    from gateway.commands.opened import open_store
    from gateway.witnesses import line_of

    places = places_of(settings, "")
    with open_store(settings) as store:
        made = store.checkpoint_now(_signer(settings), letters=places.letters)
        if made is not None:
            print(line_of(made), flush=True)
        _bring(places, store, [made] if made is not None else [])


@with_settings(*PLACES)
def rotate_key(
    settings: Settings,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the log")],
    lost: Annotated[bool, typer.Option("--lost", help="The old key is gone and cannot hand over")] = False,
    by: Annotated[str, typer.Option("--by", help="Who does it, for the log; default: your login name")] = "",
) -> None:
    """Make a new key for checkpoints. The old one signs for it, so what it signed can still be checked; then it is
    overwritten. A running `serve` takes the new one by itself; other nodes need a copy of the file."""
    from gateway.assembly import places_of, signer_of
    from gateway.commands.opened import open_store
    from gateway.keyfile import finish_rotation, new_seed

    if not why.strip():
        user_error("this needs a reason", '--why "…"')
    path, places = settings.signing_key_file, places_of(settings, "")
    with open_store(settings) as store:
        finish_rotation(path, store)
        old = None if lost else _signer(settings)
        new = new_seed(path)
        made = store.rotate_now(old, new, who_acts(by), why.strip(), here(), letters=places.letters)
        finish_rotation(path, store)
        _bring(places, store, made)
    assert signer_of(settings).public == new.public
    out = console()
    out.print(f"checkpoints are signed with {new.public} from now on")
    if lost:
        out.print("tell your auditors: they need both keys from now on, --key OLD --key NEW")


def _bring(places: Places, store: Store, made: Sequence[Checkpoint]) -> None:
    from gateway.witnesses import CannotKeep, line_of, to_syslog

    try:
        places.keep(store)
        if places.syslog is not None and made:
            to_syslog(places.syslog, map(line_of, made))
    except CannotKeep as cannot:
        print(f"not kept elsewhere: {plain(str(cannot))}", file=sys.stderr)
        raise typer.Exit(OURS) from None


@with_settings(*KEYS)
def verify(
    settings: Settings,
    checkpoints: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--checkpoints", metavar="FILE", help="Checkpoints that were kept elsewhere; default: our own"),
    ] = None,
    public: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--key", help="The public key you wrote down; may be repeated; default: the one at hand"),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who checks, for the log; default: your login name")] = "",
) -> None:
    """Check that nothing in the log was edited, removed, swapped or put in. Exit code 1 when something was."""
    from gateway.chain.verifier import Unreadable, read_checkpoints
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        try:
            points = read_checkpoints(str(checkpoints)) if checkpoints else None
            check = store.verified(_signer(settings).public, keys=public or (), points=points)
        except (Unreadable, OSError, ValueError, KeyError) as error:
            user_error(
                f"the checkpoints cannot be read: {plain(str(error))}", "the lines that `audit checkpoint` printed"
            )
        store.log_now("log", "verified", check.told, who_acts(by), here())
    out = console()
    for kind, words in check.findings:
        out.print(f"{kind:<10} {plain(words)}")
    for words in check.erasures:
        out.print(f"erased     {plain(words)}")
    if not check.covered:
        out.print(
            "there is no checkpoint: nobody can see whether the end was cut off (referral-gateway audit checkpoint)"
        )
    out.print(check.told)
    raise typer.Exit(FOUND if check.findings else FINE)


def _signer(settings: Settings) -> Signer:
    """The key lies beside the one that held mail is encrypted with, outside of the state folder."""
    from gateway.assembly import signer_of
    from gateway.store.crypto import KeyUnusable

    try:
        return signer_of(settings)
    except KeyUnusable as unusable:
        user_error(str(unusable))
