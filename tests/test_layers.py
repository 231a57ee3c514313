"""The layers: who may import whom, and what the core must not touch. Read from the source, so nothing can hide.

doors (cli, commands, service, smtp) -> pipeline -> shell (store, notices, readers, …) -> core
core: policy -> reading -> site -> mail; `gateway.readers.work` is what readers do with it, as pure as it is
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway

ROOT = Path(gateway.__file__).parent
LEAVES = ("gateway.located", "gateway.located_model", "gateway.located_words", "gateway.proven")

CORE = {
    "gateway.mail": ("gateway.mail",),
    "gateway.site": ("gateway.site", "gateway.mail", *LEAVES),
    "gateway.reading": ("gateway.reading", "gateway.site", "gateway.mail", *LEAVES),
    "gateway.follow": ("gateway.follow", "gateway.reading", "gateway.site", "gateway.mail", *LEAVES),
    "gateway.policy": ("gateway.policy", "gateway.reading", "gateway.site", "gateway.mail", *LEAVES),
    "gateway.readers.work": ("gateway.policy", "gateway.reading", "gateway.site", "gateway.mail", *LEAVES),
}
"""Package of the core -> what of the gateway it may import."""

NEVER_IN_THE_CORE = (
    *("asyncio", "socket", "ssl", "subprocess", "threading", "multiprocessing", "urllib.request", "http", "smtplib"),
    *("logging", "structlog", "sqlite3", "sqlalchemy", "alembic", "random", "secrets", "time"),
    *("aiosmtpd", "aiosmtplib", "jinja2", "rich", "typer", "uvicorn", "starlette", "watchfiles", "prometheus_client"),
)
CLOCKS = frozenset({"now", "utcnow", "today", "time", "monotonic"})

FORBIDDEN = {
    "gateway.located": ("gateway",),
    "gateway.located_model": ("gateway",),
    "gateway.store": ("gateway.smtp", "gateway.pipeline", "gateway.commands", "gateway.cli", "gateway.service"),
    "gateway.smtp": (
        "gateway.pipeline", "gateway.store", "gateway.policy", "gateway.reading", "gateway.commands", "gateway.cli",
        "gateway.service", "gateway.desk", "gateway.settling", "gateway.rules",
    ),
    "gateway.readers": (
        "gateway.pipeline", "gateway.store", "gateway.smtp", "gateway.commands", "gateway.cli", "gateway.service",
        "gateway.desk", "gateway.settling", "gateway.rules",
    ),
    "gateway.console": (
        "gateway.pipeline", "gateway.commands", "gateway.cli", "gateway.service", "gateway.smtp", "gateway.dispatch",
    ),
    "gateway.service": ("gateway.console", "gateway.commands", "gateway.cli"),
    "gateway.pipeline": ("gateway.commands", "gateway.cli", "gateway.service", "gateway.smtp.server"),
    "gateway.templating": ("gateway.store", "gateway.pipeline", "gateway.smtp", "gateway.commands"),
    "gateway.notices": ("gateway.store.store", "gateway.pipeline", "gateway.commands", "gateway.service"),
    "gateway.rules": ("gateway.pipeline", "gateway.smtp", "gateway.commands", "gateway.service"),
}  # fmt: skip
"""Outside the core: package or module -> what it must not import."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("gateway", *path.relative_to(ROOT).with_suffix("").parts)
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"), str(path))


MODULES = dict(modules())


def imports(name: str) -> Iterator[tuple[str, int]]:
    """Every imported module with its line, also those inside functions; `from a import b` gives a and a.b."""
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}:{node.lineno}: a relative import; write the whole name"
            yield (node.module or "", node.lineno)
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from ((full, node.lineno) for full in inner if full in MODULES)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("package", CORE)
def test_the_core_imports_downwards_only(package: str) -> None:
    wrong = [
        f"{name}:{line} imports {other}"
        for name in MODULES
        if within(name, (package,))
        for other, line in imports(name)
        if within(other, ("gateway",)) and not within(other, CORE[package])
    ]
    assert wrong == []


@pytest.mark.parametrize("package", CORE)
def test_the_core_has_no_socket_no_database_no_log(package: str) -> None:
    wrong = [
        f"{name}:{line} imports {other}"
        for name in MODULES
        if within(name, (package,))
        for other, line in imports(name)
        if within(other, NEVER_IN_THE_CORE)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", CORE)
def test_the_core_has_no_clock(package: str) -> None:
    """Time comes in as `now`."""
    wrong = [
        f"{name}:{node.lineno} asks the clock"
        for name, tree in MODULES.items()
        if within(name, (package,))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("datetime", "date", "time")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", FORBIDDEN)
def test_arrows_outside_the_core(package: str) -> None:
    wrong = [
        f"{name}:{line} imports {other}"
        for name in MODULES
        if within(name, (package,))
        for other, line in imports(name)
        if within(other, FORBIDDEN[package]) and not within(other, ("gateway.located", "gateway.located_words"))
    ]
    assert wrong == []


def test_only_one_module_imports_mail_parser() -> None:
    assert [name for name in MODULES if any(other.startswith("mailparser") for other, _ in imports(name))] == [
        "gateway.mail.message"
    ]


def test_a_forbidden_import_would_be_seen() -> None:
    """The test of the test: an import inside a function counts."""
    MODULES["gateway.mail.probe"] = ast.parse("def f():\n    from gateway.store import records\n    import socket\n")
    try:
        found = [other for other, _ in imports("gateway.mail.probe")]
    finally:
        del MODULES["gateway.mail.probe"]
    assert "gateway.store.records" in found and "socket" in found


def test_modules_are_short() -> None:
    """One noun a module: 400 lines at the very most."""
    long = {name: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for name, path in _paths()}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def _paths() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path.relative_to(ROOT)
