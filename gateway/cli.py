"""The command line. Commands import what they need when they run, so that --help is quick."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway import __version__
from gateway.commands import (
    audit,
    bypass,
    console,
    db,
    doctor,
    evaluate,
    explain,
    follow,
    held,
    person,
    policy,
    retention,
    service,
    site,
    user,
)
from gateway.commands.shown import OURS, USER

app = typer.Typer(
    name="referral-gateway",
    help="An SMTP proxy that makes sure nobody who asked for help is left hanging.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"referral-gateway {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version")
    ] = False,
) -> None:
    pass


app.command("demo")(service.demo)
app.command("serve")(service.serve)
app.command("explain")(explain.explain)
app.command("evaluate")(evaluate.evaluate)
app.command("console")(console.console)
app.add_typer(user.app, name="user")
app.add_typer(policy.app, name="policy")
app.add_typer(site.app, name="site")
app.add_typer(held.app, name="held")
app.add_typer(follow.app, name="follow")
app.add_typer(audit.app, name="audit")
app.add_typer(person.app, name="person")
app.add_typer(retention.app, name="retention")
app.add_typer(bypass.app, name="bypass")
app.command("doctor")(doctor.doctor)
app.add_typer(db.app, name="db")


def main(argv: list[str] | None = None) -> None:
    """Run a command and exit: 0 fine, 1 findings, 2 the user's files or arguments are wrong, 3 our own fault."""
    try:
        app(args=argv, prog_name="referral-gateway")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(OURS)
    except Exception as fault:
        sys.exit(_told(fault))


def _told(fault: Exception) -> int:
    """Say whose fault it is and what to do; the exit code."""
    from gateway.located import BadFiles
    from gateway.store.crypto import KeyUnusable
    from gateway.store.errors import Ambiguous, StoreAway

    if isinstance(fault, BadFiles):
        print(fault.show(), file=sys.stderr)
        return USER
    if isinstance(fault, KeyUnusable):
        print(f"the key cannot be used: {fault}\n  Write: another path for the setting key_file", file=sys.stderr)
        return USER
    if isinstance(fault, Ambiguous):
        print(f"{fault}\n  Write: more of the id", file=sys.stderr)
        return USER
    if isinstance(fault, StoreAway):
        print(f"the store cannot be used: {fault}\n  referral-gateway doctor says what to do", file=sys.stderr)
        return OURS
    import traceback

    traceback.print_exception(fault, file=sys.stderr)
    print("This is a fault of the gateway, not of your files.", file=sys.stderr)
    return OURS
