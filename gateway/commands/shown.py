"""How commands show things: a console for people, JSON for programs, errors that say what to write."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

FINE, FOUND, USER, OURS = 0, 1, 2, 3
"""Exit codes: fine; findings or failed examples; the user's files or arguments are wrong; our own fault."""


def console() -> Console:
    """Standard output for people; colours only on a terminal, and nothing is re-wrapped when piped."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, markup=False)


def print_json(value: Mapping[str, Any]) -> None:
    """One object on one line. ASCII, since mail may hold what is no Unicode text."""
    print(json.dumps(value, default=_plain), flush=True)


def user_error(what: str, write: str = "") -> NoReturn:
    """Exit 2 with what is wrong and what to do."""
    print(what + (f"\n  Write: {write}" if write else ""), file=sys.stderr)
    raise typer.Exit(USER)


def moment(at: datetime | None, *, zone: bool = False) -> str:
    """A time in the local zone, to the minute; `zone` names it too, since notices use the zone of the team."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M %Z" if zone else "%Y-%m-%d %H:%M") if at else ""


def here() -> str:
    """Where a command is run, for the log."""
    import platform

    return f"command on {platform.node()}"


def who_acts(by: str = "") -> str:
    """Who acts by a command: as they say, else their login name."""
    import getpass

    return plain(by).strip() or f"{getpass.getuser()} (command line)"


def plain(text: str) -> str:
    """Text from mail with nothing in it that could steer a terminal."""
    return "".join(ch if ch.isprintable() else " " for ch in text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    return str(value)
