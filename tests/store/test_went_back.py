"""An older copy of the database is put back under a process that writes, at once, without a stop: it is in the log."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.store.errors import StoreAway

from .test_chains import SIGNER, checked


async def written(store: Any, rows: Any, *ids: str) -> None:
    for id in ids:
        try:
            await store.intend(rows.entry(id))
        except StoreAway:  # the connection that was open is gone
            await store.intend(rows.entry(id))


def said(store: Any) -> list[str]:
    return [detail for _, what, detail, _ in store.history_of("gateway") if what == "went-back"]


async def test_a_file_of_before(sqlite_store: Any, rows: Any, tmp_path: Path) -> None:
    store = sqlite_store
    await store.ping()
    await written(store, rows, "m1", "m2")
    store.database.dispose()
    shutil.copy(store.database.file, tmp_path / "copy.db")
    await written(store, rows, "m3")
    kept = [store.checkpoint_now(SIGNER)]
    assert said(store) == []
    store.database.dispose()
    for each in store.database.file.parent.glob("gateway.db*"):
        each.unlink()
    shutil.copy(tmp_path / "copy.db", store.database.file)
    await written(store, rows, "m4", "m5", "m6")
    assert said(store) == ["an older copy, or another database, was put back: this process had come to 3, and finds 2"]
    assert {"remade"} <= set(checked(store, kept)), "and so a checkpoint that was kept shows"


async def test_a_postgresql_of_before(postgres: Any, open_store: Any, rows: Any) -> None:
    url = postgres.new_url()
    name = url.partition("@/")[2].partition("?")[0]
    store = open_store(url)
    await store.ping()
    await written(store, rows, "m1", "m2")
    store.database.dispose()
    postgres.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    await written(store, rows, "m3")
    store.database.dispose()
    postgres.execute(f"ALTER DATABASE {name} RENAME TO {name}_gone")
    postgres.execute(f"ALTER DATABASE {name}_copy RENAME TO {name}")
    await written(store, rows, "m4", "m5")
    assert len(said(store)) == 1


async def test_an_honest_process_finds_its_own_word(store: Any, rows: Any) -> None:
    await store.ping()
    await written(store, rows, "m1", "m2")
    with pytest.raises(StoreAway):
        await store.intend(rows.entry("m1"))  # there is one: nothing is written, and nothing went back
    await written(store, rows, "m3")
    assert said(store) == []
