"""`policy history`, `show`, `diff` and `rollback`: which policies were in force when, and the way back to them."""

from __future__ import annotations

import getpass
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, moment, plain, print_json, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.rule_files import Files
    from gateway.store.store import Store
    from gateway.store.versions import RuleEvent, Version

Json = Annotated[bool, typer.Option("--json", help="JSON, one object a line")]
VersionId = Annotated[str, typer.Argument(metavar="VERSION", help="As history shows it, or enough of its beginning")]

COLOURS = {"+": "green", "-": "red", "@": "cyan"}
"""Of the lines of a diff, on a terminal."""


@with_settings(*STORE)
def history(
    settings: Settings,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many lines, the newest first")] = 20,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what changed, and what was wrong with refused files")
    ] = False,
    json: Json = False,
) -> None:
    """Show which policies came into force when, what was refused, and what was rolled back."""
    from gateway.commands.opened import open_store

    with open_store(settings) as store:
        events = store.rule_events(limit)
    if json:
        for event in events:
            print_json(_as_json(event))
        return
    out = console()
    if not events:
        out.print("no policies have been in force yet: serve writes this history when it starts")
    for line in _in_force_now(events):
        out.print(line)
    for event in events:
        before = f" after {event.before}" if event.before and event.before != event.version else ""
        by = f", by {plain(event.by)}" if event.by else ""
        stays = "stays: " if event.kind == "refused" else ""  # the version is that of the rules that went on
        out.print(
            f"{moment(event.at)}  {event.kind:<11}  {stays}{event.version}{before}"
            f"  ({event.how}{by}, {plain(event.host)})"
        )
        if diff and event.detail:
            _print_diff(event.detail.split("\n"), indent="    ")


def _in_force_now(events: list[RuleEvent]) -> Iterable[str]:
    """A warning where live nodes run under different policies."""
    now: dict[str, RuleEvent] = {}
    for event in events:
        if event.alive and event.kind == "in-force":
            now.setdefault(event.run, event)
    if len({event.version for event in now.values()}) > 1:
        yield "The nodes differ. Bring the same files to all of them:"
        for event in now.values():
            yield f"  {plain(event.host)}: {event.version} since {moment(event.at)}"


@with_settings(*STORE)
def show(
    settings: Settings,
    version: VersionId,
    file: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[FILE]", help="Print this file of it, like bare-refusal.yaml"),
    ] = None,
) -> None:
    """Show a version that was in force: its files, or one of them."""
    from gateway.commands.opened import open_store
    from gateway.located import suggest

    with open_store(settings) as store:
        found = _find(store, version)
    if file is not None:
        names = [name for name in found.files if name == file or name.partition("/")[2] == file]
        if not names:
            short = [name.partition("/")[2] for name in found.files]
            user_error(f"version {found.version} has no file {plain(file)}", suggest(file, short) or ", ".join(short))
        sys.stdout.buffer.write(found.files[names[0]])
        sys.stdout.flush()
        return
    out = console()
    out.print(f"version  {found.version}, first in force {moment(found.at, zone=True)}, gateway {found.program}")
    for part, digest in sorted(found.parts.items()):
        out.print(f"  {part:<9}  {digest}")
    for name, octets in found.files.items():
        out.print(f"  {len(octets):>8,}  {plain(name)}")


@with_settings("policies", "templates", *STORE)
def diff(
    settings: Settings,
    a: Annotated[str, typer.Argument(metavar="A", help="A version")],
    b: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[B]", help="Another one; default: the files as they are now"),
    ] = None,
) -> None:
    """Show what differs between two versions, or between one and the files as they are now."""
    from gateway.commands.files import policy_folder
    from gateway.commands.opened import open_store
    from gateway.resources import shipped
    from gateway.rule_files import difference, read_files

    with open_store(settings) as store:
        old = _find(store, a)
        new = _find(store, b) if b is not None else None
    files = new.files if new is not None else read_files(
        policy_folder(settings), settings.templates, shipped=shipped("policies")
    )  # fmt: skip
    found = _print_diff(difference(old.files, files))
    if new is not None:
        told = {"site": "the site files differ; only their digests are kept", "lexicon": "the phrases differ"}
        for part, words in told.items():
            if old.parts.get(part) != new.parts.get(part):
                console().print(words)
                found = True
    if not found:
        console().print("no difference")


@with_settings("site", "policies", "templates", *STORE)
def rollback(
    settings: Settings,
    version: VersionId,
    to: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--to", metavar="DIR", help="Write them there; default: the folder of the setting policies"),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="Goes into the history")] = "",
) -> None:
    """Put the policies of an earlier version back.

    Policies and phrases of the folder become those of that version, all at once; the present ones are kept as a version
    of their own first. A running gateway takes them as it takes every change. Site and templates stay as they are.
    """
    from gateway.commands.opened import open_store
    from gateway.rule_files import InTheWay, write_back
    from gateway.store.versions import RuleEvent

    folder = to or settings.policies
    if folder is None:
        user_error(
            "the shipped policies are in force, and they cannot be changed",
            "--policies DIR (or the setting policies) with a folder of your own, or --to DIR",
        )
    with open_store(settings) as store:
        wanted = _find(store, version)
        will_be = _loads(wanted, settings)
        present = _kept(folder, settings, store)
        try:
            written, deleted = write_back(folder, wanted.files)
        except InTheWay as busy:
            user_error(str(busy))
        except OSError as error:
            user_error(f"{error.filename or folder} cannot be written: {(error.strerror or 'unknown error').lower()}")
        event = RuleEvent(
            datetime.now(UTC), "rolled-back", "command", by=_who(), version=will_be, tree=wanted.tree,
            before=present, detail=f"{folder}{': ' + why if why else ''}",
        )  # fmt: skip
        store.keep_version_now(None, event)
    out = console()
    out.print(f"{folder} has the policies of {wanted.version}: {written} files written, {deleted} deleted")
    if present:
        out.print(f"what stood there is kept as {present}")
    if will_be != wanted.version:
        out.print(f"in force this is version {will_be}: site, templates or the gateway's own phrases are others now")
    out.print("a running gateway takes them by itself (reload_watch), or with SIGHUP; other nodes need the files too")


def _loads(wanted: Version, settings: Settings) -> str:
    """The version that these files are with the present site and templates. Raises BadFiles where they do not load."""
    from gateway.located import BadFiles
    from gateway.policy.loader import load_policies
    from gateway.resources import shipped
    from gateway.rule_files import write_back

    with tempfile.TemporaryDirectory(prefix="referral-gateway-") as name:
        write_back(Path(name), wanted.files)
        try:
            return load_policies(
                Path(name), settings.site, shipped=shipped("policies"), templates=settings.templates
            ).version
        except BadFiles as bad:
            print(f"version {wanted.version} cannot be put back as things are; nothing was changed:\n", file=sys.stderr)
            short = [replace(each, path=each.path.replace(f"{name}/", "")) for each in bad.problems]
            raise BadFiles(short) from None


def _kept(folder: Path, settings: Settings, store: Store) -> str:
    """Keep what stands in the folder, broken or not; its version, "" for an empty folder."""
    from gateway import __version__
    from gateway.located import BadFiles
    from gateway.policy.loader import UNFINISHED, load_policies
    from gateway.resources import shipped
    from gateway.rule_files import read_files, version_of
    from gateway.store.versions import Version, tree_of

    if not folder.is_dir() or (folder / UNFINISHED).exists():
        return ""  # half of a roll-back is nobody's version: what stood there before it is kept already
    files: Files = read_files(folder, settings.templates, shipped=shipped("policies"))
    now = datetime.now(UTC)
    try:
        rules = load_policies(folder, settings.site, shipped=shipped("policies"), templates=settings.templates)
        kept = version_of(rules, files, at=now, program=__version__)
    except BadFiles:  # it has no version; its content names it
        if not files:
            return ""
        tree = tree_of(files, "")
        kept = Version(tree, tree, now, __version__, files=files)
    store.keep_version_now(kept, None)
    return kept.version


def _find(store: Store, wanted: str) -> Version:
    found = store.rule_version(wanted)
    if found is None:
        user_error(f"no version begins with {plain(wanted)}", "referral-gateway policy history")
    return found


def _who() -> str:
    """Who sits at the keyboard, behind sudo too."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _print_diff(lines: Iterable[str], indent: str = "") -> bool:
    """Print a diff, in colours on a terminal; True where there was one."""
    from rich.text import Text

    out, any_ = console(), False
    for line in lines:
        any_ = True
        out.print(Text(indent + plain(line), COLOURS.get(line[:1], "")))
    return any_


def _as_json(event: RuleEvent) -> dict[str, object]:
    names = ("at", "kind", "how", "by", "version", "tree", "before", "host", "alive", "detail")
    return {name: getattr(event, name) for name in names}
