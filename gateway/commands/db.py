"""`db`: the database."""

from __future__ import annotations

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console
from gateway.config import Settings

app = typer.Typer(help="The database: upgrade.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def commands() -> None:
    pass


@app.command()
@with_settings(*STORE)
def upgrade(settings: Settings) -> None:
    """Bring the database to this version; make it where there is none. `serve` does the same when it starts."""
    from gateway.assembly import hold_key
    from gateway.store.migrate import head
    from gateway.store.store import Store

    store = Store.open(
        settings.database_url, hold_key(settings), password=settings.secret("database_password"), create=True
    )
    try:
        store.upgrade()
    finally:
        store.close_now()
    console().print(f"the database is at version {head()}")
