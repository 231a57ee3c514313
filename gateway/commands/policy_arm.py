"""`policy arm`: a policy that fell back to observe does again what its file says."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, plain, user_error
from gateway.config import Settings


@with_settings(*STORE)
def arm(
    settings: Settings,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The policy's id")],
    why: Annotated[str, typer.Option("--why", help="What has been done about it, for the audit log")],
    by: Annotated[str, typer.Option("--by", help="Who decides, for the audit log; default: your login name")] = "",
) -> None:
    """Let a policy that fell back to observe do again what its file says, on all nodes. Its trial starts anew."""
    from gateway.commands.opened import open_store
    from gateway.located import suggest

    if not why.strip():
        user_error("--why: no reason is given", "a few words, like --why 'the phrase is out of the lexicon'")
    with open_store(settings) as store:
        done = store.arm_now(name, why.strip()[:1000], by or getpass.getuser(), datetime.now(UTC))
        _, states = store.governed_now()
    if not done:
        fallen = sorted(state.policy for state in states.values() if state.state == "observe")
        write = suggest(name, fallen) or (f"one of {', '.join(fallen)}" if fallen else "nothing: no policy has")
        user_error(f'"{plain(name)}" has not fallen back to observe', write)
    console().print(f"{name} does again what its file says")
