"""What is looked for in any case is found whatever the collation of the database makes of a letter."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.persons import Person
from gateway.store.exporting import LogFilter
from gateway.store.looking import Filters
from gateway.store.store import Store
from tests.store.conftest import Postgres, _binaries

FOLDS_NOTHING = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C'"
"""Of PostgreSQL 17 and later: lower() leaves Ä as it is."""
FOLDS_ALL = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
TURKISH = "LOCALE_PROVIDER libc LC_COLLATE 'tr_TR.UTF-8' LC_CTYPE 'tr_TR.UTF-8'"
"""lower('I') is ı there."""


@pytest.fixture(scope="module")
def turkish() -> Iterator[Postgres]:
    """A PostgreSQL that knows Turkish, made for the tests where the machine can make it."""
    binaries, make = _binaries(), shutil.which("localedef")
    if binaries is None or make is None or not Path("/usr/share/i18n/locales/tr_TR").exists():
        pytest.skip("needs PostgreSQL, localedef and the sources of the locale tr_TR")
    folder = Path(tempfile.mkdtemp(prefix="rg-locales-"))
    folder.chmod(0o755)  # the user nobody reads it
    subprocess.run([make, "-i", "tr_TR", "-f", "UTF-8", folder / "tr_TR.UTF-8"], check=False, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCPATH", str(folder))
        patch.setenv("LC_ALL", "C")
        server = Postgres(binaries)
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)
    shutil.rmtree(folder)


def database(server: Postgres, name: str, like: str) -> str:
    try:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {like}")
    except Exception as error:
        pytest.skip(f"this PostgreSQL has no such collation: {error}")
    return f"postgresql://postgres@/{name}?host={server.folder}"


@pytest.fixture(params=["folds nothing", "folds all", "turkish", "sqlite"])
def some(request: pytest.FixtureRequest, open_store: Callable[..., Store]) -> Store:
    kinds = {"folds nothing": ("postgres", FOLDS_NOTHING), "folds all": ("postgres", FOLDS_ALL),
             "turkish": ("turkish", TURKISH)}  # fmt: skip
    if request.param == "sqlite":
        return open_store(request.getfixturevalue("sqlite_url"))
    fixture, like = kinds[request.param]
    return open_store(database(request.getfixturevalue(fixture), f"c{id(request):x}", like))


async def test_in_any_case(some: Store, rows: Any) -> None:
    entry = rows.entry(id="m1", subject="INVOICE Ärger", agent="IVAN@ACME.EXAMPLE", requester="ILSE@X.EXAMPLE")
    await some.hold(rows.hold(id="m1", agent="IVAN@ACME.EXAMPLE"), entry, [])
    await some.intend(rows.entry(id="m2", subject="a.b [c] 100% ÄRGER", agent="i@acme.example"))

    def seen(**filters: Any) -> list[str]:
        found = sorted(line.id for line in some.look(Filters(**filters)))
        exported = sorted(each.subject for each in some.records(LogFilter(**filters)) if each.is_decision)
        assert found == exported
        return found

    for learnt in (False, True):
        if learnt:
            some.learn_subjects()
        assert seen(subject="invoice") == seen(subject="INVOICE") == seen(subject="InVoIcE") == ["m1"]
        assert seen(subject="A.B [C] 100%") == ["m2"] and seen(subject="a?b") == seen(subject=".*") == []
        if not some.database.is_sqlite:
            assert seen(subject="äRGER") == seen(subject="Ärger") == ["m1", "m2"]
            assert seen(subject="100% ärger") == ["m2"] and seen(subject="b [c] 100_ ärger") == []
        assert seen(subject="ınvoıce") == [], "another letter"
    assert [each.subject for each in some.records(LogFilter(person="ivan@acme.example")) if each.is_decision] == ["m1"]
    assert [each.subject for each in some.records(LogFilter(person="ILSE@x.example")) if each.is_decision] == ["m1"]
    assert [row.entry.id for row in some.audit_list(agent="@acme.example")] == ["m2", "m1"]
    assert [hold.new.id for hold in await some.held_list("held", "ivan@acme.example", 9)] == ["m1"]


async def test_erasing_finds_them_in_any_case(some: Store, rows: Any) -> None:
    """What a search does not find is not erased."""
    await some.intend(rows.entry(id="m1", agent="IVAN.ILIN@ACME.EXAMPLE"))
    ivan = Person(("ivan.ilin@acme.example",))
    assert some.find_person(ivan)
    some.erase_person(ivan, "request", "ada")
    assert some.audit_list() == []
