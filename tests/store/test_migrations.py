"""The migrations make exactly the tables of schema.py, from any folder, once."""

from __future__ import annotations

import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Table, inspect, text

from gateway.chain.verifier import Check
from gateway.store import audit, migrate
from gateway.store.columns import Hashes, Json, UtcTime, Words
from gateway.store.engine import Database
from gateway.store.errors import StoreAway
from gateway.store.schema import metadata
from gateway.store.store import Store


@pytest.fixture
def sqlite_url(tmp_path):
    """Where there is nothing yet."""
    return f"sqlite:///{tmp_path}/state/gateway.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    return request.getfixturevalue("postgres").empty_url()


def test_migrations_and_schema_are_the_same(store):
    with store.database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_nullability_and_keys_are_the_same(store):
    found = inspect(store.database.writer)
    for table in metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        primary = found.get_pk_constraint(table.name)["constrained_columns"]
        assert primary == [column.name for column in table.primary_key]
        foreign = found.get_foreign_keys(table.name)
        references = {(*key["constrained_columns"], key["referred_table"]) for key in foreign}
        assert references == {(key.parent.name, key.column.table.name) for key in table.foreign_keys}


def test_sqlite_tables_are_the_same_to_the_letter(sqlite_store, tmp_path):
    """Autogenerate does not see AUTOINCREMENT and WITHOUT ROWID; SQLite's own text does."""
    made = Database(f"sqlite:///{tmp_path}/made.db")
    made.create()
    with made.writer.begin() as connection:
        metadata.create_all(connection)

    def tables(database):
        with database.reader.connect() as connection:
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
            # a column that was added stands behind a blank
            flat = {name: " ".join(sql.split()).replace(" ,", ",").replace(" )", ")") for name, sql in rows}
            return {name: sql for name, sql in flat.items() if name != "alembic_version"}

    assert tables(sqlite_store.database) == tables(made)
    made.dispose()


def test_a_new_database_is_not_current_until_upgraded(url, rows):
    store = Store.open(url, rows.key)
    store.database.create()
    assert not store.is_current()
    store.upgrade()
    assert store.is_current()
    store.upgrade()
    assert store.is_current()
    store.close_now()


def test_two_that_start_together_upgrade_once(url, rows):
    stores = [Store.open(url, rows.key) for _ in range(4)]
    failed = []

    def upgrade(store):
        try:
            store.upgrade()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=upgrade, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert all(store.is_current() for store in stores)
    for store in stores:
        store.close_now()


async def test_a_newer_database_is_left_alone(store):
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    await store._writer.run(lambda connection: connection.execute(newer))
    assert not store.is_current()
    with pytest.raises(StoreAway, match="another version"):
        store.upgrade()


def test_what_was_written_before_there_were_links_is_linked(url, rows, open_store):
    """A database of the revision before, with rows of all three tables of the log."""
    store = Store.open(url, rows.key)
    store.database.create()
    with store.database.writer.begin() as connection:
        command.upgrade(migrate.config(connection), "0007")
        audit.insert_entries(connection, [rows.entry("m1")], "r" * 16)
        old = {"at": rows.now, "run": "r" * 16}
        columns = "(at, run, mail_id, outcome, detail, by) VALUES (:at, :run, 'm1', 'passed', '250 ok', '')"
        connection.execute(text(f"INSERT INTO audit_events {columns}"), old)
        columns = "(at, run, host, kind, how, by, version, tree, before, detail)"
        values = "(:at, :run, 'mx', 'in-force', 'start', '', 'v', 't', '', '')"
        connection.execute(text(f"INSERT INTO rule_events {columns} VALUES {values}"), old)
        for statement in (
            "DELETE FROM log_links",
            "DELETE FROM log_heads",
            "UPDATE audit SET seq = NULL, outcome = 'passed'",
        ):
            connection.execute(text(statement))
    store.close_now()
    store = open_store(url)
    check = Check()
    for line in store.proof():
        check.line(line)
    check.end()
    assert (check.entries, check.findings) == (3, [])
    assert [row[1] for row in store.audit_show("m1").history] == ["passed"] and len(store.rule_events()) == 1


async def test_an_upgrade_that_fails_leaves_nothing(url, rows, monkeypatch):
    store = Store.open(url, rows.key)
    store.database.create()

    def fail(connection, *_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("gateway.store.base.check_key", fail)
    with pytest.raises(StoreAway):
        await store.start()
    monkeypatch.undo()
    assert inspect(store.database.reader).get_table_names() == []
    await store.start()
    assert store.is_current()
    await store.close()


def test_a_missing_file_is_not_made_where_it_should_exist(sqlite_url, rows):
    store = Store.open(sqlite_url, rows.key, create=False)
    for use in (store.upgrade, store.is_current, lambda: store.audit_list()):
        with pytest.raises(StoreAway, match=r"gateway\.db: No such file"):
            use()
    assert not store.database.file.parent.exists()
    store.close_now()


def test_there_is_one_line_of_revisions():
    script = ScriptDirectory.from_config(migrate.config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_a_new_revision_written_by_alembic_needs_nothing_of_ours(sqlite_store, tmp_path):
    """Old migrations must keep working when our column types change."""
    columns = [Column(name, type_) for name, type_ in zip("abcd", (Words(3), Json, UtcTime, Hashes), strict=True)]
    added = Table("added", metadata, *columns)
    try:
        settings = migrate.config()
        with sqlite_store.database.writer.begin() as connection:
            settings.attributes["connection"] = connection
            settings.set_main_option("version_locations", f"{migrate.FOLDER / 'versions'} {tmp_path}")
            settings.set_main_option("path_separator", "space")
            written = command.revision(settings, "added", autogenerate=True, version_path=str(tmp_path), rev_id="x")
    finally:
        metadata.remove(added)
    source = next(tmp_path.glob("x_*.py")).read_text()
    assert written is not None
    assert "gateway" not in source
    for type_ in ("sa.Text()", "sa.DateTime(timezone=True)", "sa.LargeBinary()"):
        assert type_ in source
