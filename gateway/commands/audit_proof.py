"""`audit verify|export|checkpoint|key`: what shows that the log was not changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import FINE, FOUND, console, plain, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.chain.checkpoints import Signer
    from gateway.chain.verifier import Check


@with_settings(*STORE)
def key(settings: Settings) -> None:
    """Show the public key that checkpoints are signed with. Write it down where the gateway's machine cannot reach."""
    console().print(_signer(settings).public)


@with_settings(*STORE)
def checkpoint(settings: Settings) -> None:
    """Sign what the log has come to, and print it as one line to keep elsewhere. Prints nothing where nothing is new.

    0 * * * *  referral-gateway audit checkpoint | ssh auditor@elsewhere 'cat >> checkpoints.jsonl'
    """
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        made = store.checkpoint_now(_signer(settings))
    if made is not None:
        print(json.dumps(made, sort_keys=True))


@with_settings(*STORE)
def export(settings: Settings) -> None:
    """Write the log with its proof to standard output, as JSON Lines. `python -m gateway.chain.verifier`, one file that
    needs nothing else, checks it anywhere."""
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        for line in store.proof():
            sys.stdout.write(json.dumps(line, sort_keys=True) + "\n")


@with_settings(*STORE)
def verify(
    settings: Settings,
    checkpoints: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--checkpoints", metavar="FILE", help="Checkpoints that were kept elsewhere; default: our own"),
    ] = None,
    public: Annotated[str, typer.Option("--key", help="The public key you wrote down; default: the one at hand")] = "",
) -> None:
    """Check that nothing in the log was edited, removed, swapped or put in. Exit code 1 when something was."""
    from gateway.chain.verifier import Check, Unreadable, read_lines
    from gateway.commands.opened import open_store

    check = Check()
    with open_store(settings) as store:
        try:
            keys = [bytes.fromhex(public or _signer(settings).public)]
            points = read_lines(str(checkpoints)) if checkpoints else iter(store.checkpoints())
            check.checkpoints(points, keys)
        except (Unreadable, OSError, ValueError, KeyError) as error:
            user_error(
                f"the checkpoints cannot be read: {plain(str(error))}", "the lines that `audit checkpoint` printed"
            )
        _take(check, store.proof())
    check.end()
    out = console()
    for kind, words in check.findings:
        out.print(f"{kind:<10} {plain(words)}")
    if not check.covered:
        out.print(
            "there is no checkpoint: nobody can see whether the end was cut off (referral-gateway audit checkpoint)"
        )
    told = f"{len(check.findings)} findings" if check.findings else "nothing wrong"
    out.print(f"{check.entries:,} entries, {check.uncovered:,} newer than the last checkpoint: {told}")
    raise typer.Exit(FOUND if check.findings else FINE)


def _take(check: Check, lines: Iterator[dict[str, Any]]) -> None:
    for line in lines:
        if line["kind"] == "instance":
            if check.instance and check.instance != line["instance"]:
                check.findings.append(("foreign", f"this log is of another gateway ({line['instance']})"))
            check.instance = check.instance or line["instance"]
        else:
            check.link(line)


def _signer(settings: Settings) -> Signer:
    """The key lies beside the one that held mail is encrypted with, outside of the state folder."""
    from gateway.chain.checkpoints import Signer
    from gateway.store.crypto import KeyUnusable, load_or_create_key

    try:
        return Signer(
            load_or_create_key(settings.key_file.with_name("checkpoint.key"), state=settings.state, environ={})
        )
    except KeyUnusable as unusable:
        user_error(str(unusable))
