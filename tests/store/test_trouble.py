"""A database that is full, locked, gone or unreachable: one clear error, and afterwards work again, without restart."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import sqlite3
import subprocess

import pytest
from sqlalchemy import text

from gateway.store import engine
from gateway.store.errors import StoreAway, StoreFull
from gateway.store.store import Store


@pytest.fixture
def short_waits(monkeypatch):
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.2)


async def works(store: Store, rows, id: str = "works") -> None:
    await store.hold(rows.hold(id), rows.entry(id), [rows.notice(f"n-{id}")])
    assert (await store.held(id)).raw == rows.hold(id).raw


async def test_full_by_page_limit(sqlite_store, rows):
    store = sqlite_store

    def limit(connection):
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.execute(text(f"PRAGMA max_page_count = {pages + 8}"))

    await store._writer.run(limit)
    with pytest.raises(StoreFull):
        await store.hold(rows.hold(raw=os.urandom(200_000)), rows.entry(), [])
    assert await store.held("m1") is None
    assert store.audit_show("m1") is None
    await works(store, rows, "small")
    await store._writer.run(lambda connection: connection.execute(text("PRAGMA max_page_count = 1000000")))
    await store.hold(rows.hold(raw=os.urandom(200_000)), rows.entry(), [])
    assert (await store.held("m1")).raw is not None


@pytest.fixture
def small_disk(tmp_path):
    """A disk of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def test_a_full_disk(small_disk, open_store, rows):
    store = open_store(f"sqlite:///{small_disk}/state/gateway.db")
    await works(store, rows, "before")
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"), ballast.open("wb") as file:
        while True:
            file.write(bytes(65536))
            file.flush()
    refused = [store.hold(rows.hold(f"m{n}", raw=os.urandom(100_000)), rows.entry(f"m{n}"), []) for n in range(5)]
    for result in await asyncio.gather(*refused, return_exceptions=True):
        assert type(result) is StoreFull
    assert (await store.held("before")).state == "held"
    assert len(store.audit_list()) == 1
    ballast.unlink()
    await works(store, rows, "after")
    assert {row.entry.id for row in store.audit_list()} == {"before", "after"}


async def test_locked_by_another_process(short_waits, sqlite_url, open_store, rows):
    store = open_store(sqlite_url)
    other = sqlite3.connect(store.database.file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreAway, match="locked"):
        await store.hold(rows.hold(), rows.entry(), [])
    # Readers are not kept waiting by a writer.
    assert store.audit_list() == []
    assert await store.thread(["<1@x>"]) is not None
    other.execute("ROLLBACK")
    other.close()
    await works(store, rows)


async def test_a_lock_that_is_given_back_in_time_is_waited_for(sqlite_store, rows):
    other = sqlite3.connect(sqlite_store.database.file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.3, other.execute, "COMMIT")
    await works(sqlite_store, rows)
    other.close()


async def test_a_reader_that_stays_does_not_stop_the_writer(sqlite_store, rows):
    with sqlite_store.database.reader.connect() as connection:
        connection.execute(text("SELECT count(*) FROM audit")).scalar()
        await works(sqlite_store, rows)
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == 0


async def test_a_file_that_is_gone_is_noticed_and_not_made_anew(sqlite_store, rows, tmp_path):
    store = sqlite_store
    await works(store, rows, "before")
    folder = store.database.file.parent
    folder.rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(StoreAway, match="No such file"):
            await store.intend(rows.entry("lost"))
        with pytest.raises(StoreAway, match="No such file"):
            await store.thread(["<1@x>"])
        with pytest.raises(StoreAway, match="No such file"):
            await store.held("before")
    assert not folder.exists()
    (tmp_path / "elsewhere").rename(folder)
    assert (await store.held("before")).state == "held"
    await works(store, rows, "after")


async def test_a_file_that_was_replaced_is_opened_anew(sqlite_store, rows, tmp_path, open_store):
    store = sqlite_store
    await works(store, rows, "old")
    other = open_store(f"sqlite:///{tmp_path}/other/gateway.db")
    await works(other, rows, "new")
    await other.close()
    for name in ("gateway.db-wal", "gateway.db-shm"):
        (store.database.file.parent / name).unlink()
    shutil.move(tmp_path / "other" / "gateway.db", store.database.file)
    assert (await store.held("new")).state == "held"
    await works(store, rows, "after")
    assert {row.entry.id for row in store.audit_list()} == {"new", "after"}


async def test_what_is_no_database_is_said_so(tmp_path, rows):
    path = tmp_path / "gateway.db"
    path.write_bytes(b"this is no database, " * 1000)
    store = Store.open(f"sqlite:///{path}", rows.key)
    with pytest.raises(StoreAway, match="not a database"):
        await store.start()
    assert path.read_bytes().startswith(b"this is no database")
    await store.close()


async def test_a_database_without_tables_is_away(tmp_path, rows):
    path = tmp_path / "gateway.db"
    path.touch()
    store = Store.open(f"sqlite:///{path}", rows.key)
    with pytest.raises(StoreAway, match="no such table"):
        await store.intend(rows.entry())
    await store.start()
    await works(store, rows)
    await store.close()


def remount(folder, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


async def test_a_disk_that_turned_read_only(small_disk, open_store, rows):
    """As Linux does with a failing disk (errors=remount-ro); root is refused too."""
    store = open_store(f"sqlite:///{small_disk}/state/gateway.db")
    await works(store, rows, "before")
    await store.close()
    store = open_store(f"sqlite:///{small_disk}/state/gateway.db")
    store.database.dispose()
    remount(small_disk, "ro")
    try:
        for _ in range(2):
            with pytest.raises(StoreAway, match=r"readonly|unable to open"):
                await store.intend(rows.entry("refused"))
    finally:
        remount(small_disk, "rw")
    await works(store, rows, "after")
    assert {row.entry.id for row in store.audit_list()} == {"before", "after"}


@pytest.fixture
def ordinary_rights():
    """This thread, and those it starts, heed the modes of files: root else may write anywhere (capabilities(7))."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    had = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice for 64 bits
    assert libc.capget(header, had) == 0
    fewer = (ctypes.c_uint32 * 6)(*had)
    fewer[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, fewer) == 0
    yield
    assert libc.capset(header, had) == 0


async def test_a_folder_that_may_not_be_written(tmp_path, ordinary_rights, rows):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o500)
    store = Store.open(f"sqlite:///{folder}/gateway.db", rows.key)
    with pytest.raises(StoreAway, match="Permission denied"):
        await store.start()
    folder.chmod(0o700)
    await store.start()
    await works(store, rows)
    await store.close()


async def test_postgresql_restarted(postgres, open_store, rows):
    store = open_store(postgres.new_url())
    await works(store, rows, "before")
    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(StoreAway):
                await store.intend(rows.entry("lost"))
            with pytest.raises(StoreAway):
                await store.thread(["<1@x>"])
            with pytest.raises(StoreAway):
                await store.held("before")
    finally:
        postgres.start()
    assert (await store.held("before")).state == "held"
    await works(store, rows, "after")
    assert {row.entry.id for row in store.audit_list()} == {"before", "after"}


async def test_postgresql_connections_cut_in_the_middle(postgres, open_store, rows):
    store = open_store(postgres.new_url())

    def cut_myself(connection):
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    results = await asyncio.gather(
        store.intend(rows.entry("m1")), store._writer.run(cut_myself), return_exceptions=True
    )
    assert isinstance(results[1], StoreAway)
    await works(store, rows)


async def test_postgresql_locked(short_waits, postgres, open_store, rows):
    import psycopg

    url = postgres.new_url()
    store = open_store(url)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE audit IN EXCLUSIVE MODE")
        with pytest.raises(StoreAway, match="lock timeout"):
            await store.intend(rows.entry("m1"))
    await works(store, rows)


async def test_the_password_is_never_shown(rows):
    store = Store.open("postgresql://gateway@127.0.0.1:1/none", rows.key, password="hunter2")
    assert "hunter2" not in str(store.database)
    with pytest.raises(StoreAway) as told:
        await store.ping()
    assert "hunter2" not in str(told.value)
    await store.close()


async def test_ping_says_what_is_wrong(sqlite_store, rows):
    await sqlite_store.ping()
    sqlite_store.database.file.rename(sqlite_store.database.file.with_suffix(".away"))
    with pytest.raises(StoreAway, match="No such file"):
        await sqlite_store.ping()
    sqlite_store.database.file.with_suffix(".away").rename(sqlite_store.database.file)
    await sqlite_store.ping()
