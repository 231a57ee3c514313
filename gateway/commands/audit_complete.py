"""`audit complete`: did all mail come through here? The mail server's own log says."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import FINE, FOUND, console, here, moment, plain, print_json, user_error, who_acts
from gateway.config import Settings

WORDS = {
    "unknown": "went around",
    "copy": "is a copy that went around",
    "stopped": "was stopped here, and went around",
}
MOST = 200
"""Mails that are listed; all of them are counted."""


@with_settings(*STORE, "site")
def complete(
    settings: Settings,
    relay_log: Annotated[
        list[Path], typer.Option("--relay-log", metavar="FILE", help="mail.log of Postfix or mainlog of Exim; also .gz")
    ],
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Mail of every sender should come through here, not only of agents")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON, one object a line")] = False,
    by: Annotated[str, typer.Option("--by", help="Who checks, for the log; default: your login name")] = "",
) -> None:
    """Compare the log of the mail server behind with our own, and list mail that went around the gateway. Exit code 1
    when there is some. Several files count as one log."""
    from gateway.commands.opened import open_store
    from gateway.completeness import compare
    from gateway.relay_log import read_log

    now = datetime.now(UTC).astimezone()
    try:
        mails = list(read_log(_lines(relay_log), now))
    except (OSError, EOFError) as error:
        user_error(
            f"{getattr(error, 'filename', None) or relay_log[0]} cannot be read: {error}", "a file of this machine"
        )
    if not mails:
        files = ", ".join(map(str, relay_log))
        user_error(f"{files}: no mail of Postfix or Exim in it", "mail.log of Postfix, or mainlog of Exim")
    is_meant = (lambda sender: bool(sender)) if everybody else _agents(settings)
    with open_store(settings) as store:
        known = store.handed_over(min(mail.at for mail in mails), max(mail.at for mail in mails))
        found = compare(mails, known, is_meant)
        ours, around = f"{found.ours:,} came through the gateway", f"{len(found.around):,} went around it"
        told = f"{found.seen:,} mails in the log, {ours}, {around}"
        store.log_now("log", "compared", told, who_acts(by), here())
    for why, mail in found.around[:MOST]:
        if json:
            row = {"why": why, "queue": mail.queue, "at": mail.at, "client": mail.client, "sender": mail.sender}
            print_json(row | {"recipients": mail.recipients, "message_id": mail.message_id})
            continue
        console().print(
            f"{moment(mail.at)}  {mail.queue} {WORDS[why]}: {plain(mail.sender or '<>')} -> "
            f"{plain(', '.join(mail.recipients)) or 'nobody yet'}, from {plain(mail.client) or 'this machine'}"
        )
    if json:
        raise typer.Exit(FOUND if found.around else FINE)
    out = console()
    if len(found.around) > MOST:
        out.print(f"and {len(found.around) - MOST:,} more")
    for id, queue in found.missing[:MOST]:
        out.print(f"{id} was taken as {queue}, and the log does not have that")
    out.print(f"{told}; {found.not_meant:,} by senders whose mail need not")
    raise typer.Exit(FOUND if found.around else FINE)


def _lines(files: list[Path]) -> Iterator[str]:
    for path in files:
        open_ = gzip.open if path.suffix == ".gz" else open
        with open_(path, "rt", encoding="utf-8", errors="replace") as file:
            yield from file


def _agents(settings: Settings) -> Callable[[str], bool]:
    """Whose mail is judged. Exits 2 where no site file says."""
    from gateway.policy.loader import load_policies
    from gateway.resources import shipped

    if settings.site is None:
        user_error("no site file says whose mail is judged", "--site FILE, or --everybody")
    site = load_policies(
        shipped("policies"), settings.site, shipped=shipped("policies"), templates=None, run=False
    ).site
    return lambda sender: site.agent(sender) is not None
