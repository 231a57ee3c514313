"""Watches the files of the rules, so that a saved file is in force without anybody's doing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import structlog

from gateway.config import Settings
from gateway.resources import shipped

if TYPE_CHECKING:
    from watchfiles import Change

log = structlog.get_logger("gateway.service")

AGAIN_SECONDS = 60.0
"""How long until a watch that failed is set up anew."""
BACK_SECONDS = 1.0
"""How often it is looked whether a folder that was moved away is back."""


def watches(
    settings: Settings, reload: Callable[[Literal["watch"]], Awaitable[None]]
) -> Iterator[Coroutine[Any, Any, None]]:
    """The watches, each to be run until it is cancelled. `reload` is called after every change."""
    moved: dict[Path, asyncio.Event] = {}
    for folder, entry in watched(settings):
        yield watch(folder, entry, moved.setdefault(entry or folder, asyncio.Event()), reload)


async def watch(
    folder: Path, entry: Path | None, moved: asyncio.Event, reload: Callable[[Literal["watch"]], Awaitable[None]]
) -> None:
    """Reload on every change under `folder`, or of one `entry` in it: a watch on a file itself is lost as soon as
    an editor puts a new one in its place, and so is one on a folder that is moved away."""
    from watchfiles import DefaultFilter, awatch

    def ours(change: Change, path: str) -> bool:
        return usual(change, path) if entry is None else Path(path).name == entry.name

    usual = DefaultFilter()
    missed = False  # while no watch stood

    while True:
        wait = AGAIN_SECONDS
        try:
            async for changes in awatch(
                folder,
                watch_filter=ours,
                recursive=entry is None,
                debounce=400,
                rust_timeout=1_000,
                yield_on_timeout=True,
                stop_event=moved if entry is None else None,
            ):
                if entry is not None and changes:
                    moved.set()  # a folder of that name may be another one now
                if changes or missed:
                    missed = False
                    await reload("watch")
            wait = 0.0
        except FileNotFoundError:  # moved away, as its parent's watch has told
            wait = BACK_SECONDS
        except Exception as error:
            log.error("cannot watch for changes; SIGHUP reloads", folder=str(folder), fault=type(error).__name__)
        missed = True
        moved.clear()
        await asyncio.sleep(wait)


def watched(settings: Settings) -> list[tuple[Path, Path | None]]:
    """Folders to watch as a whole (None beside), or for one entry of them."""
    folders = (settings.policies or shipped("policies"), settings.templates or shipped("templates"))
    watched: list[tuple[Path, Path | None]] = [(folder.absolute(), None) for folder in folders]
    own = [folder.absolute() for folder in (settings.policies, settings.templates) if folder is not None]
    watched += [(folder.parent, folder) for folder in own]
    site = settings.site.absolute() if settings.site else None
    if site is not None and not any(site.is_relative_to(folder) for folder in (*own, *(f.absolute() for f in folders))):
        watched.append((site.parent, site))
    return watched
