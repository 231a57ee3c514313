"""`doctor`: is everything as it must be, and if not, what to do?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.commands.options import with_settings
from gateway.commands.shown import FINE, FOUND, console, plain, print_json
from gateway.config import Settings

STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red"}


@with_settings(every=True)
def doctor(
    settings: Settings,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each check")] = False,
) -> None:
    """Check all that serve needs, each with a mend.

    Settings, site, policies, templates, key, store, certificate, upstream, route of notices, OpenID Connect. Exit code
    1 if one is bad.
    """
    from rich.text import Text

    from gateway.checkup import check_all

    out = console()
    bad = 0
    if json:
        print_json({"name": "settings", "state": "ok", "found": "read", "mend": ""})
    else:
        out.print(Text.assemble(("ok    ", STYLES["ok"]), "settings: read"))
    for check in check_all(settings, datetime.now(UTC)):
        bad += check.state == "bad"
        if json:
            print_json(asdict(check))
            continue
        out.print(Text.assemble((f"{check.state:<6}", STYLES[check.state]), f"{check.name}: {plain(check.found)}"))
        if check.mend:
            out.print(f"      mend: {plain(check.mend)}")
    raise typer.Exit(FOUND if bad else FINE)
