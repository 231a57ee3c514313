"""One row of the table of settings, and the defaults that depend on the machine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import values
from gateway.values import Kind

PREFIX = "REFERRAL_GATEWAY_"
"""What every environment variable of ours begins with."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `default` is as it would be written; `computed` gives one that depends on the machine.

    A `secret` comes from the environment only: flags show in process lists, and settings files end up in backups.
    """

    name: str
    kind: Kind
    default: str
    help: str
    group: str
    secret: bool = False
    computed: Callable[[Mapping[str, str]], object] | None = None

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def default_value(self, environ: Mapping[str, str]) -> object:
        return self.computed(environ) if self.computed else self.kind.read(self.default, Path())


def row(group: str, kind: Kind, default: str, help: str, **more: Any) -> Mapping[str, Any]:
    return {"group": group, "kind": kind, "default": default, "help": help, **more}


def hostname(_: Mapping[str, str]) -> str:
    name = socket.gethostname()
    return name if values.is_host(name) else "localhost"


def state(environ: Mapping[str, str]) -> Path:
    if environ.get("STATE_DIRECTORY"):  # systemd's StateDirectory=
        return Path(environ["STATE_DIRECTORY"].partition(":")[0])
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return Path(base) / "referral-gateway"


def key_file(environ: Mapping[str, str]) -> Path:
    if environ.get("CREDENTIALS_DIRECTORY"):  # systemd's LoadCredential=
        return Path(environ["CREDENTIALS_DIRECTORY"]) / "hold-key"
    base = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or Path.home()) / ".config"
    return Path(base) / "referral-gateway" / "hold.key"


def credential(name: str) -> Callable[[Mapping[str, str]], Path | None]:
    def find(environ: Mapping[str, str]) -> Path | None:
        path = Path(environ.get("CREDENTIALS_DIRECTORY", "")) / name
        return path if environ.get("CREDENTIALS_DIRECTORY") and path.exists() else None

    return find


def first_line(path: Path) -> str:
    """The password in a file. Raises BadFiles when the file cannot be read or is empty."""
    from gateway.located import BadFiles, Problem, read_text

    lines = read_text(path, str(path)).splitlines()
    if not lines or not lines[0].strip():
        raise BadFiles([Problem(str(path), 1, 1, "the file has no password", "the password in the first line")])
    return lines[0].strip()
