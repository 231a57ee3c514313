"""`audit export`: the log for auditors, spreadsheets and SIEMs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import here, plain, user_error, who_acts
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.store.exporting import LogFilter
    from gateway.store.store import Store

FORMS = ("jsonl", "csv", "ecs", "syslog")
DISPOSITIONS = ("pass", "rewrite", "hold", "reject")


@with_settings(*STORE)
def export(
    settings: Settings,
    form: Annotated[str, typer.Option("--form", help="jsonl, csv, ecs (Elastic Common Schema) or syslog")] = "jsonl",
    proof: Annotated[bool, typer.Option("--proof", help="The links instead, for the verifier")] = False,
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="From this day or time on: 2026-11-30")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Up to, without, this day or time")] = "",
    person: Annotated[
        str, typer.Option("--person", help="An address: sender, requester, recipient, or who acted")
    ] = "",
    subject: Annotated[str, typer.Option("--subject", help="A part of the Subject")] = "",
    policy: Annotated[str, typer.Option("--policy", help="Only findings of this policy")] = "",
    disposition: Annotated[str, typer.Option("--disposition", help="pass, rewrite, hold or reject")] = "",
    outcome: Annotated[str, typer.Option("--outcome", help="What became of it: passed, held, released, …")] = "",
    team: Annotated[str, typer.Option("--team", help="Only this team's")] = "",
    override: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--override/--no-override", help="Only what went out although it was stopped, or only the rest"),
    ] = None,
    pseudonyms: Annotated[bool, typer.Option("--pseudonyms", help="No names and no words: for who needs none")] = False,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="With the words of confidential mail; needs --why")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="What it is for; kept in the log")] = "",
    by: Annotated[str, typer.Option("--by", help="Who exports, for the log; default: your login name")] = "",
) -> None:
    """Write the log to standard output. That it was exported, by whom and what for, is in the log too.

    --proof writes every link; with filters the words of all others are left out, and the chains can still be checked.
    """
    from gateway.commands.opened import open_store
    from gateway.located import suggest

    for flag, given, known in (("--form", form, FORMS), ("--disposition", disposition, DISPOSITIONS)):
        if given and given not in known:
            user_error(f'{flag}: "{plain(given)}" is not one of them', suggest(given, known) or ", ".join(known))
    if confidential and not why.strip():
        user_error("the words of confidential mail need a reason", '--why "…"')
    if proof and pseudonyms:
        user_error("a proof binds the words as they stand", "--proof or --pseudonyms, not both")
    wanted = log_filter(since, until, person, subject, policy, disposition, outcome, team, override)
    with open_store(settings) as store:
        lines = _proof(store, wanted) if proof else _lines(settings, store, wanted, form, pseudonyms, confidential)
        number = 0
        for line in lines:
            sys.stdout.write(f"{line}\n")
            number += 1
        told = ["proof" if proof else form, f"{number} lines", *(["pseudonyms"] if pseudonyms else [])]
        told += ["confidential"] if confidential else []
        words = f"{', '.join(told)}; {_words_of(wanted)}" + (f"; {why.strip()}" if why.strip() else "")
        store.log_now("log", "exported", words[:3900], who_acts(by), here())
    sys.stdout.flush()
    if not number:
        print(f"nothing in the log fits: {_words_of(wanted)}", file=sys.stderr)


def _lines(
    settings: Settings, store: Store, wanted: LogFilter, form: str, pseudonyms: bool, confidential: bool
) -> Iterator[str]:
    from gateway import export_forms
    from gateway.store.crypto import load_key
    from gateway.witnesses import syslog_line

    change: export_forms.Change = dict
    if pseudonyms:
        from gateway.pseudonyms import Pseudonyms

        change = Pseudonyms(load_key(settings.key_file, state=settings.state)).line
    records = store.records(wanted)
    if form == "csv":
        yield from export_forms.csv_lines(records, change, confidential=confidential)
    elif form == "jsonl":
        yield from export_forms.json_lines(records, change, confidential=confidential)
    else:
        instance = store.integrity().instance
        for record, text in _ecs(records, change, confidential, instance):
            yield syslog_line(text, kind="log", at=record.at).decode() if form == "syslog" else text


def _ecs(records: Any, change: Any, confidential: bool, instance: str) -> Iterator[tuple[Any, str]]:
    from gateway import export_forms

    for record in records:
        line = change(export_forms.fields(record, confidential=confidential))
        yield record, json.dumps(export_forms.ecs(record, line, instance), ensure_ascii=True)


def _proof(store: Store, wanted: LogFilter) -> Iterator[str]:
    from gateway.chain.verifier import ERASURE
    from gateway.store.exporting import LogFilter

    fitting = store.links_of(wanted) if wanted != LogFilter() else None
    for line in store.proof():
        others = fitting is not None and "seq" in line and (line["chain"], line["seq"]) not in fitting
        if others and line["kind"] != ERASURE and line["payload"] is not None:
            line |= {"payload": None, "salt": None, "left_out": True}
        yield json.dumps(line, sort_keys=True)


def log_filter(
    since: str, until: str, person: str, subject: str, policy: str, disposition: str, outcome: str, team: str,
    override: bool | None,
) -> LogFilter:  # fmt: skip
    """What the flags ask for. Exits 2 for what cannot be."""
    from typing import get_args

    from gateway.commands.audit import moment_of
    from gateway.located import suggest
    from gateway.store.exporting import LogFilter
    from gateway.store.records import Outcome

    if outcome and outcome not in get_args(Outcome):
        user_error(f'--outcome: "{plain(outcome)}" is not one of them', suggest(outcome, get_args(Outcome)) or "held")
    if person and "@" not in person and override is None and " " not in person:
        user_error(f'--person: "{plain(person)}" is no address', "the whole address, like mary@example.org")
    begin, end = moment_of("--since", since), moment_of("--until", until)
    if begin is not None and end is not None and begin >= end:
        user_error("--since is not before --until", "an earlier --since, or a later --until")
    return LogFilter(begin, end, person.strip(), subject, policy, disposition, outcome, team, override)


def _words_of(wanted: LogFilter) -> str:
    """The filter in words, for the log. A person is named by whoever asked for them, and erased with them."""
    named = {
        "since": wanted.since.isoformat(timespec="minutes") if wanted.since else "",
        "until": wanted.until.isoformat(timespec="minutes") if wanted.until else "",
        "person": wanted.person,
        "subject": wanted.subject,
        "policy": wanted.policy,
        "disposition": wanted.disposition,
        "outcome": wanted.outcome,
        "team": wanted.team,
        "override": "" if wanted.override is None else str(wanted.override).lower(),
    }
    return ", ".join(f"{name} {plain(value)}" for name, value in named.items() if value) or "everything"
