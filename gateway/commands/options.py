"""Flags made from the settings table: a command says which settings it takes, and gets them read and checked."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from gateway.config import SETTINGS, Setting

SETTINGS_HELP = "The settings file (TOML); default: REFERRAL_GATEWAY_SETTINGS, else /etc/referral-gateway/settings.toml"

STORE = ("database", "database_password_file", "key_file")
"""The settings that a command needs to open the store, beside `state`."""


def with_settings(
    *names: str, every: bool = False, faulty: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command `--settings`, `--state` and the flags of the named settings (`every`: all but secrets).

    The decorated function's first parameter is `settings`; it gets a checked `Settings`. BadFiles goes on to `main`.
    With `faulty` the second one is `problems`: what is wrong with the settings, where defaults stand in for it.
    """
    wanted = [row for row in SETTINGS if not row.secret and (every or row.name in ("state", *names))]
    assert every or {row.name for row in wanted} >= set(names), f"no such setting among {names}"

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name not in ("settings", "problems")]

        @functools.wraps(function)
        def command(**given: Any) -> Any:
            from gateway.settings_file import inspect_settings, load_settings

            file = given.pop("settings")
            flags = {row.name: given.pop(row.name) for row in wanted}
            if faulty:
                return function(*inspect_settings(flags, file=file), **given)
            return function(load_settings(flags, file=file), **given)

        option = typer.Option("--settings", metavar="FILE", help=SETTINGS_HELP, rich_help_panel="Settings")
        file = _parameter("settings", Annotated[Path | None, option])
        parameters = [*own, file, *map(_flag, wanted)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del command.__wrapped__  # or inspect would look behind the signature
        return command

    return decorate


def _flag(row: Setting) -> inspect.Parameter:
    metavar = row.kind.metavar or None
    name = f"{row.flag}/--no-{row.flag[2:]}" if row.kind.switch else row.flag
    default = f" (default: {row.default})" if row.default else ""
    panel = "Settings" if row.name == "state" else f"Settings: {row.group}"
    option = typer.Option(name, metavar=metavar, help=row.help + default, rich_help_panel=panel)
    kind: Any = bool if row.kind.switch else list[str] if row.kind.many else str
    return _parameter(row.name, Annotated[Optional[kind], option])  # noqa: UP045


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
