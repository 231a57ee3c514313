"""Reading the settings from flags, environment and file; every error at once, each with its place."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config import BY_NAME, PREFIX, SETTINGS, SYSTEM_FILE, Setting, Settings
from gateway.located import BadFiles, Problem, read_text, suggest
from gateway.toml_places import Place, key_places
from gateway.values import Endpoint, WrongValue

FILE_VARIABLE = PREFIX + "SETTINGS"
"""The environment variable that names the settings file."""

OTHER_VARIABLES = frozenset({FILE_VARIABLE})
"""Variables with our prefix that are no settings."""


class Unplaced(Problem):
    """A problem in no file: in a flag or an environment variable, which `path` names."""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f". Write: {self.write}" if self.write else "")

    def show(self) -> str:
        return f"{self.path}: {self.what}" + (f"\n  Write: {self.write}" if self.write else "")


@dataclass(slots=True)
class _Source:
    """One source of settings: its values by name, and the folder where its relative paths start."""

    base: Path
    given: dict[str, object] = field(default_factory=dict)
    file: str = ""
    lines: list[str] = field(default_factory=list)
    places: Mapping[str, Place] = field(default_factory=dict)
    broken: bool = False
    """Whether nothing of it could be read."""

    def problem(self, row: Setting, what: str, write: str) -> Problem:
        """A problem with the value of a setting."""
        place = self.places.get(row.name)
        if place is None:
            return Unplaced(row.flag if not self.file else row.variable, 1, 1, what, write)
        return Problem(self.file, place.value_line, place.value_column, what, write, self.lines[place.value_line - 1])

    def key_problem(self, key: str, what: str, write: str) -> Problem:
        """A problem with a key of the file."""
        place = self.places.get(key, Place(1, 1, 1, 1))
        source = self.lines[place.line - 1] if self.lines else ""
        return Problem(self.file, place.line, place.column, what, write, source)


def load_settings(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | str | None = None,
) -> Settings:
    """The settings in force. `flags` has values by setting name (text, list of texts or bool; None = not given).

    `file` is what --settings names; else REFERRAL_GATEWAY_SETTINGS does, else the system's file where there is one.
    Raises BadFiles with every problem of every source.
    """
    settings, problems = inspect_settings(flags, environ, file)
    if problems:
        raise BadFiles(problems)
    return settings


def inspect_settings(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | str | None = None,
) -> tuple[Settings, list[Problem]]:
    """As `load_settings`, without raising: every problem, and the settings with defaults in place of what is wrong."""
    environ = os.environ if environ is None else environ
    problems: list[Problem] = []
    sources = [
        _Source(Path.cwd(), {name: value for name, value in (flags or {}).items() if value not in (None, [])}),
        _from_environment(environ, problems),
        _from_file(file or environ.get(FILE_VARIABLE), problems),
    ]
    found: dict[str, Any] = {}
    origin: dict[str, _Source] = {}
    faulty: set[str] = set()
    for row in SETTINGS:
        found[row.name] = row.default_value(environ)
        for source in reversed(sources):
            if row.name not in source.given or source.given[row.name] == "":
                continue
            try:
                found[row.name] = row.kind.read(source.given[row.name], source.base)
                origin[row.name] = source
            except WrongValue as wrong:
                faulty.add(row.name)
                each = list(_each_wrong(row, source)) or [wrong]
                problems += [source.problem(row, f"{row.name}: {one.what}", one.write) for one in each]
    settings = Settings(**found)
    if not any(source.broken for source in sources):
        problems += _together(settings, origin, faulty)
    return settings, problems


def _each_wrong(row: Setting, source: _Source) -> Iterator[WrongValue]:
    """What is wrong with each item of a list, where they can be read one by one."""
    given = source.given[row.name]
    parts = given if isinstance(given, list | tuple) else str(given).split()
    for part in parts if row.kind.many else ():
        try:
            row.kind.read(part, source.base)
        except WrongValue as wrong:
            yield wrong


def require(settings: Settings, *names: str) -> None:
    """Raise BadFiles for settings that have no value and that a command cannot do without."""
    missing = [BY_NAME[name] for name in names if getattr(settings, name) in (None, "", ())]
    if missing:
        raise BadFiles(
            Unplaced(
                row.flag,
                1,
                1,
                f"{row.name} is not set",
                f"{row.flag} {row.kind.metavar}, or {row.name} in the settings file",
            )
            for row in missing
        )


def _from_environment(environ: Mapping[str, str], problems: list[Problem]) -> _Source:
    source = _Source(Path.cwd(), file="environment")
    known = {row.variable: row.name for row in SETTINGS}
    for variable, value in environ.items():
        if not variable.upper().startswith(PREFIX) or variable in OTHER_VARIABLES:
            continue
        if variable in known:
            source.given[known[variable]] = value
        else:
            near = suggest(variable, known)
            write = near or f"one of the settings with {PREFIX} before it (serve --print-settings lists them)"
            problems.append(Unplaced(variable, 1, 1, "there is no such setting", write))
    return source


def _from_file(named: Path | str | None, problems: list[Problem]) -> _Source:
    if not named and not SYSTEM_FILE.exists():
        return _Source(Path.cwd())
    path = Path(named or SYSTEM_FILE)
    name = str(path)
    source = _Source(path.absolute().parent, file=name)
    try:
        text = read_text(path, name)
    except BadFiles as bad:
        problems += bad.problems
        source.broken = True
        return source
    source.lines = text.split("\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(_syntax(name, source.lines, str(error)))
        source.broken = True
        return source
    source.places = key_places(text)
    for key, value in data.items():
        row = BY_NAME.get(key)
        if row is None:
            near = suggest(key, BY_NAME)
            what = f'there is no table "{key}"' if isinstance(value, dict) else f'unknown setting "{key}"'
            write = near or ("settings without a table" if isinstance(value, dict) else "a setting that exists")
            problems.append(source.key_problem(key, what, write))
        elif row.secret:
            write = f'{key}_file = "…", or set {row.variable} in the environment'
            problems.append(source.key_problem(key, f"{key} is a secret and must not stand in this file", write))
        else:
            source.given[key] = value
    return source


def _syntax(name: str, lines: list[str], said: str) -> Problem:
    """tomllib's error at its place, which it gives in words."""
    match = re.search(r" \(at line (\d+), column (\d+)\)$", said)
    line, column = (int(match[1]), int(match[2])) if match else (max(1, len(lines)), len(lines[-1]) + 1)
    what = (
        said[: match.start()] if match else f"{said.removesuffix(' (at end of document)')} before the end of the file"
    )
    twice = "Cannot overwrite a value" in said
    if twice:  # tomllib points behind the line
        line, column = (line - 1, 1) if column == 1 and line > 1 else (line, 1)
    source = lines[line - 1] if line <= len(lines) else ""
    write = "each setting once" if twice else 'name = value, with text in "quotes"'
    return Problem(name, line, column, f"this is not TOML: {what[:1].lower()}{what[1:]}", write, source)


def _together(settings: Settings, origin: Mapping[str, _Source], faulty: set[str]) -> list[Problem]:
    """What is wrong only when settings are looked at together; nothing is said of those that are `faulty` anyway."""
    found: list[Problem] = []

    def wrong(name: str, what: str, write: str, *others: str) -> None:
        if not faulty.isdisjoint((name, *others)):
            return
        source = origin.get(name)
        row = BY_NAME[name]
        found.append(source.problem(row, what, write) if source else Unplaced(name, 1, 1, what, write))

    for name in ("listen", "tap"):
        endpoints: tuple[Endpoint, ...] = getattr(settings, name)
        for endpoint in endpoints:
            if endpoint.tls != "none" and settings.tls_cert is None:
                wrong(
                    name,
                    f"{endpoint} needs a certificate",
                    "tls_cert (and tls_key), or the address without tls",
                    "tls_cert",
                )
            if endpoint.proxy_filter and name == "tap":
                wrong(name, f"{endpoint}: proxy-filter is for outgoing mail", "the address without proxy-filter")
        seen = [f"{endpoint.host}:{endpoint.port}" for endpoint in endpoints if endpoint.port]
        for twice in sorted({place for place in seen if seen.count(place) > 1}):
            wrong(name, f"{twice} stands here twice", "each address once")
    if settings.tls_key is not None and settings.tls_cert is None:
        wrong("tls_key", "a key without its certificate", "tls_cert too", "tls_cert")
    has_password = bool(settings.upstream_password) or settings.upstream_password_file is not None
    if settings.upstream_user and not has_password:
        files = "upstream_password", "upstream_password_file"
        wrong("upstream_user", "an account without its password", "upstream_password_file too", *files)
    if re.search(r"://[^/@]*:[^/@]+@", settings.database):
        write = f"the URL without it, and database_password_file or {BY_NAME['database_password'].variable}"
        wrong("database", "a password in the database's URL", write)
    if settings.console_oidc_issuer and not settings.console_oidc_client:
        write = "console_oidc_client too: our client id there"
        wrong("console_oidc_issuer", "a provider that does not know us", write, "console_oidc_client")
    if settings.console_oidc_client and not settings.console_oidc_issuer:
        wrong(
            "console_oidc_client", "a client id without its provider", "console_oidc_issuer too", "console_oidc_issuer"
        )
    if settings.console_oidc_issuer and not settings.console_url:
        what = "the provider must know where to send browsers back"
        write = "console_url too: the address of the console as browsers see it"
        wrong("console_oidc_issuer", what, write, "console_url")
    if settings.memory_limit > settings.size_limit:
        wrong("memory_limit", "memory_limit is larger than size_limit", "a smaller memory_limit", "size_limit")
    inside = settings.key_file.absolute()
    if inside.is_relative_to(settings.state.absolute()):
        what = "the key lies inside the state folder, so whoever copies one has both"
        wrong("key_file", what, "a path outside `state`", "state")
    return found
