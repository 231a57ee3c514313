"""`audit report`: how things go, by team, policy or month; never by agent."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from gateway.commands.audit_export import log_filter
from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, here, plain, print_json, user_error, who_acts
from gateway.config import Settings


@with_settings(*STORE)
def report(
    settings: Settings,
    group: Annotated[str, typer.Option("--by", help="team, policy or month")] = "policy",
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="From this day or time on: 2026-11-30")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Up to, without, this day or time")] = "",
    team: Annotated[str, typer.Option("--team", help="Only this team's")] = "",
    policy: Annotated[str, typer.Option("--policy", help="Only findings of this policy")] = "",
    json: Annotated[bool, typer.Option("--json", help="JSON, one object a line")] = False,
) -> None:
    """Count mail, stops and overrides. A group of fewer than five people is shown without numbers."""
    from gateway.commands.opened import open_store
    from gateway.store.reporting import SMALLEST, By

    if group not in get_args(By):
        user_error(f'--by: "{plain(group)}" is not one of them', ", ".join(get_args(By)))
    wanted = log_filter(since, until, "", "", policy, "", "", team, None)
    with open_store(settings) as store:
        groups = store.report(group, wanted)  # type: ignore[arg-type]
        store.log_now("log", "listed", f"report by {group}, {len(groups)} groups", who_acts(), here())
    out = console()
    if not groups and not json:
        out.print("no mail fits")
    for each in groups:
        if json:
            print_json({"name": each.name, "people": each.people, "mails": each.mails, "stopped": each.stopped,
                        "overridden": each.overridden})  # fmt: skip
        elif each.hidden:
            out.print(f"{plain(each.name) or '(no team)':<28} not shown")
        else:
            counts = f"{each.mails:>8,} mails  {each.stopped:>7,} stopped  {each.overridden:>7,} overridden"
            out.print(f"{plain(each.name) or '(no team)':<28} {counts}")
    if any(each.hidden for each in groups) and not json:
        out.print(f"groups of fewer than {SMALLEST} people are not shown, nor is one that would tell their numbers")
