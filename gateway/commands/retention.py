"""`retention`: how long what is kept, and doing now what `serve` does by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console
from gateway.config import BY_NAME, Settings

app = typer.Typer(help="How long what is kept: show, apply.", no_args_is_help=True, rich_markup_mode=None)

KEEP = ("keep_log", "keep_mail", "keep_threads", "keep_followed", "keep_sent")


@app.command()
@with_settings(*STORE, *KEEP)
def show(settings: Settings) -> None:
    """Say how long each kind is kept, by which setting."""
    out = console()
    for name in KEEP:
        days = getattr(settings, name) / 86400
        out.print(f"{name:<14} {days:>6g} days   {BY_NAME[name].help}")


@app.command()
@with_settings(*STORE, *KEEP)
def apply(
    settings: Settings,
    compact: Annotated[
        bool, typer.Option("--compact/--no-compact", help="Write the SQLite file anew afterwards")
    ] = True,
) -> None:
    """Erase now what is older than it is kept and under no legal hold. `serve` does this every hour."""
    from gateway.assembly import keep_of
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        found = store.retain(datetime.now(UTC), keep_of(settings))
        if compact and found:
            store.compact()
    told = ", ".join(f"{number:,} {name}" for name, number in found.items())
    console().print(f"erased {told}" if found else "nothing is older than it is kept")
