"""`user`: the accounts of the console."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Optional

import typer

from gateway.commands.held import who_acts
from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, here, moment, plain, print_json, user_error
from gateway.config import Settings

app = typer.Typer(help="Accounts of the console: add, list, remove.", no_args_is_help=True, rich_markup_mode=None)

By = Annotated[str, typer.Option("--by", help="Who does it, for the audit log; default: your login name")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name for logging in: a to z, digits, dots, dashes")]


@app.command()
@with_settings(*STORE, "site")
def add(
    settings: Settings,
    name: Name,
    role: Annotated[str, typer.Option("--role", help="auditor, reviewer or admin")],
    team: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--team", help="A team whose held mail a reviewer settles, as in the site file; * for all"),
    ] = None,
    shown: Annotated[str, typer.Option("--shown", help="The full name")] = "",
    address: Annotated[str, typer.Option("--address", help="The mail address")] = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Log in with OpenID Connect only (console_oidc_issuer)")
    ] = False,
    by: By = "",
) -> None:
    """Add an account. The password is asked for, or is the first line of standard input."""
    from gateway.commands.opened import open_store
    from gateway.console import passwords
    from gateway.store.accounts import ROLES, Account

    teams = tuple(team or ())
    if not passwords.NAME.fullmatch(name):
        user_error(f'"{plain(name)}" cannot be a name', "small letters a to z, digits, dots and dashes, 64 at most")
    if role not in ROLES:
        user_error(f'"{plain(role)}" is no role', " or ".join(ROLES))
    if role == "reviewer" and not teams:
        user_error("a reviewer settles the held mail of some teams", "--team TEAM, or --team '*' for all")
    if role != "reviewer" and teams:
        user_error(f"an {role} sees every team", "no --team, or --role reviewer")
    _known(settings, teams)
    with open_store(settings) as store:
        if store.account(name) is not None:
            user_error(f"there is an account {name} already", "another name, or user remove first")
        password = "" if no_password else passwords.hash_of(_password(name))
        made = Account(name, shown.strip(), address.strip(), role, teams, datetime.now(UTC), password)  # type: ignore[arg-type]
        if not store.add_account(made, who_acts(by), here()):
            user_error(f"there is an account {name} already", "another name")
    console().print(f"{name} is {'an' if role != 'reviewer' else 'a'} {role} now")


@app.command("list")
@with_settings(*STORE)
def list_(settings: Settings, json: Annotated[bool, typer.Option("--json", help="One object a line")] = False) -> None:
    """List the accounts."""
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        accounts = store.accounts()
    for account in accounts:
        if json:
            print_json(
                {
                    "name": account.name, "role": account.role, "teams": list(account.teams), "shown": account.shown,
                    "address": account.address, "code": account.has_code, "last_log_in": account.seen_at,
                }
            )  # fmt: skip
            continue
        teams = f"  {', '.join(plain(each) for each in account.teams)}" if account.teams else ""
        seen = f"  last {moment(account.seen_at)}" if account.seen_at else "  never logged in"
        console().print(f"{account.name:<20}  {account.role:<8}{teams}{'  code' if account.has_code else ''}{seen}")
    if not accounts and not json:
        console().print("there are no accounts: referral-gateway user add NAME --role admin")


@app.command()
@with_settings(*STORE)
def remove(settings: Settings, name: Name, by: By = "") -> None:
    """Remove an account; whoever is logged in under it is out at once."""
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        if store.account(name) is None:
            user_error(f"there is no account {plain(name)}", "referral-gateway user list")
        if not store.remove_account(name, who_acts(by), datetime.now(UTC), here()):
            user_error(f"{name} is the last admin", "referral-gateway user add NAME --role admin first")
    console().print(f"{name} is removed")


def _known(settings: Settings, teams: tuple[str, ...]) -> None:
    """Exit 2 for a team that the site file does not have."""
    if settings.site is None or not teams:
        return
    from gateway.site.loader import load_site

    known = load_site(settings.site).teams
    for team in teams:
        if team != "*" and team not in known:
            user_error(f'{settings.site} has no team "{plain(team)}"', " or ".join(known))


def _password(name: str) -> str:
    """Asked for twice at a terminal, else a line. Exits 2 for one that will not do."""
    from gateway.console import passwords

    if sys.stdin.isatty():
        import getpass

        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            user_error("the two are not the same", "the same twice")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    wrong = passwords.weakness(password, name)
    if wrong:
        why = {"short": "too short", "long": "too long", "name": "too easy to guess"}[wrong]
        user_error(f"the password is {why}", f"{passwords.LEAST} characters or more, without the name in it")
    return password
