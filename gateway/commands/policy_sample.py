"""`policy sample` and `policy review`: people look at passed mail, so that what is missed can be estimated."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, moment, plain, print_json, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.store.records import AuditRow

By = Annotated[str, typer.Option("--by", help="Who looks, for the audit log; default: your login name")]


@with_settings(*STORE)
def sample(
    settings: Settings,
    n: Annotated[int, typer.Option("--n", min=1, max=500, help="How many to draw")] = 20,
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="How far back: 7d, 12h, or a date")] = "7d",
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="The same seed draws the same mails")
    ] = None,
    again: Annotated[bool, typer.Option("--open", help="Draw none; show those not yet reviewed")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show too what the gateway made of each")] = False,
    by: By = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each mail")] = False,
) -> None:
    """Draw passed mail in which nothing was found, for a person to look at.

    What the gateway made of a mail is not shown, so that nobody is led by it. Bodies are not kept: the Message-ID finds
    the mail in the sender's mailbox. That somebody looked is written into the audit log.
    """
    import secrets

    from gateway.commands.opened import open_store
    from gateway.commands.since import since as start_of

    now = datetime.now(UTC)
    start = start_of(since, now)
    chosen = secrets.randbelow(2**31) if seed is None else seed
    with open_store(settings) as store:
        rows = store.drawn(n) if again else store.draw(n, start, now, chosen, by or getpass.getuser(), now)
    if json:
        for row in rows:
            print_json(shown(row, reveal))
        return
    out = console()
    for row in rows:
        said = shown(row, reveal)
        out.print(f"{said['id']}  {moment(row.entry.at)}  {plain(said['from'])}")
        out.print(f"    to       {', '.join(plain(one) for one in said['to'])}")
        out.print(f"    subject  {plain(said['subject']) or '(no subject)'}")
        out.print(f"    message  {plain(said['message_id']) or 'no Message-ID'}")
        for words in said["words"]:
            out.print(f"    | {plain(words)}")
        if reveal:
            out.print(f"    who asked  {plain(said['requester']) or 'nobody found'}")
            out.print(f"    facts      {', '.join(map(plain, said['facts'])) or 'none'}")
    if not rows:
        out.print("nothing is open" if again else "there is no passed mail that was not drawn before")
        return
    if not again:
        out.print(f"\n{len(rows)} drawn, seed {chosen}")
    out.print("Would somebody have been left hanging?  referral-gateway policy review ID yes|no")


@with_settings(*STORE)
def review(
    settings: Settings,
    id: Annotated[str, typer.Argument(metavar="ID", help="The mail's id, or enough of its beginning")],
    verdict: Annotated[Literal["yes", "no"], typer.Argument(metavar="yes|no", help="yes: it should have been stopped")],
    why: Annotated[str, typer.Option("--why", help="What was missed, or why it is fine")] = "",
    by: By = "",
) -> None:
    """Say of a mail that `policy sample` drew whether it should have been stopped. `policy health` counts it."""
    from gateway.commands.opened import open_store
    from gateway.store.errors import Unknown

    with open_store(settings) as store:
        try:
            whole = store.review(id, verdict == "yes", why.strip()[:1000], by or getpass.getuser(), datetime.now(UTC))
        except Unknown as unknown:
            user_error(plain(str(unknown)), "an id that referral-gateway policy sample --open shows")
    console().print(f"{whole}: {'missed' if verdict == 'yes' else 'fine'}")


def shown(row: AuditRow, reveal: bool) -> dict[str, Any]:
    """What a reviewer sees of a mail; what the gateway made of it only with `reveal`."""
    from gateway.circle import veiled
    from gateway.notice_facts import shortened

    entry = veiled(row).entry
    spans = (str(span["text"]) for fact in entry.facts.values() for span in fact["evidence"])
    said: dict[str, Any] = {
        "id": entry.id,
        "at": entry.at,
        "from": entry.agent,
        "to": list(entry.rcpt_to),
        "subject": entry.subject,
        "message_id": entry.message_id,
        "lang": entry.lang,
        "words": sorted(shortened(spans)),
    }
    if reveal:
        said |= {"requester": entry.requester, "facts": sorted(entry.facts), "policy_version": entry.policy_version}
    return said
