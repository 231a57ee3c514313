"""`policy sample` and `policy review`: people look at passed mail, so that what is missed can be estimated."""

from __future__ import annotations

import getpass
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, moment, plain, print_json, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.store.records import AuditRow

MOST_OCTETS = 10_000_000
"""Larger files are not looked into for the text of a mail."""
MOST_SHOWN = 4_000
"""Code points of a mail's text that are shown."""
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
    mails: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option("--mails", metavar="PATH", help="A folder, a Maildir or a mail in which to look for their text"),
    ] = None,
    by: By = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each mail")] = False,
) -> None:
    """Draw passed mail in which nothing was found, for a person to look at.

    What the gateway made of a mail is not shown, so that nobody is led by it. Bodies are not kept: the Message-ID finds
    the mail in the sender's mailbox, or with --mails here. That somebody looked is written into the audit log.
    """
    import secrets

    from gateway.circle import is_confidential
    from gateway.commands.opened import open_store
    from gateway.commands.since import since as start_of

    now = datetime.now(UTC)
    start = start_of(since, now)
    chosen = secrets.randbelow(2**31) if seed is None else seed
    with open_store(settings) as store:
        rows = store.drawn(n) if again else store.draw(n, start, now, chosen, by or getpass.getuser(), now)
    told = [shown(row, reveal) for row in rows]
    # What is confidential is for those in its circle, not for whoever draws.
    texts = _texts_in(mails or (), {row.entry.message_id for row in rows if not is_confidential(row.entry)} - {""})
    if json:
        for said in told:
            print_json(said | ({"text": texts.get(said["message_id"])} if mails else {}))
        return
    out = console()
    for said in told:
        out.print(f"{said['id']}  {moment(said['at'])}  {plain(said['from'])}")
        out.print(f"    to       {', '.join(plain(one) for one in said['to'])}")
        out.print(f"    subject  {plain(said['subject']) or '(no subject)'}")
        out.print(f"    message  {plain(said['message_id']) or 'no Message-ID'}")
        text = texts.get(said["message_id"])
        for words in said["words"] if text is None else text.splitlines():
            out.print(f"    | {plain(words)}".rstrip())
        if mails and text is None:
            out.print("    its text is not in what --mails names")
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


def _texts_in(paths: Iterable[Path], wanted: Collection[str]) -> dict[str, str]:
    """Message-ID -> the new text of each wanted mail that is found in files under these paths."""
    from gateway.mail.message import read_headers, read_message
    from gateway.mail.quoting import split_body

    found: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            user_error(f"there is nothing at {path}", "a folder with mail, such as the journal's, or a mail")
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if len(found) == len(wanted) or not each.is_file() or each.stat().st_size > MOST_OCTETS:
                continue
            raw = each.read_bytes()
            known = read_headers(raw).message_id or ""
            if known in wanted and known not in found:
                found[known] = split_body(read_message(raw)).new.text[:MOST_SHOWN]
    return found


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
