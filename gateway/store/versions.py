"""The sets of policies that were in force: their files, each kept once, and what came into force when."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from gateway.store import chains
from gateway.store.audit import find_id
from gateway.store.process_schema import runs
from gateway.store.schema import rule_events, rule_files, rule_versions

EventKind = Literal["in-force", "refused", "rolled-back"]
"""New files came into force; broken ones were refused, and the old set stayed; somebody wrote an older version back."""


@dataclass(frozen=True, slots=True)
class Version:
    """One set of files. `version` is that of `PolicySet`; `tree` names the content of all files to the octet.

    `files` are octets by path ("policies/bare-refusal.yaml", "policies/lexicon/en.yaml", "templates/en/drafts/x.txt");
    `parts` are digests by part, as in `PolicySet`; the site file, which names people, is kept as a digest only. `facts`
    are the names of the facts that the program (`program`: its version) could read.
    """

    tree: str
    version: str
    at: datetime
    program: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """One line of the history. `how` says what set it off ("start", "watch", "signal", "command"), `by` who, where that
    is known; `version` and `tree` are what is in force after it, `before` what was; `detail` is a diff, or what was
    wrong. `alive`: the process that wrote it still runs, as far as is known."""

    at: datetime
    kind: EventKind
    how: str
    by: str = ""
    version: str = ""
    tree: str = ""
    before: str = ""
    detail: str = ""
    host: str = ""
    run: str = ""
    alive: bool = False


def tree_of(files: Mapping[str, bytes], version: str) -> str:
    """16 hex digits over the content of all files, and the version, which depends on the site and the program too."""
    digest = hashlib.sha256(f"{version}\0".encode())
    for path, octets in sorted(files.items()):
        digest.update(f"{path}\0{len(octets)}\0".encode("utf-8", "surrogatepass") + octets)
    return digest.hexdigest()[:16]


_ONCE = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def keep(connection: Connection, version: Version) -> None:
    """Keep a version; one that is kept already is left as it is."""
    once: Any = _ONCE[connection.dialect.name]
    digests = {path: hashlib.sha256(octets).hexdigest() for path, octets in version.files.items()}
    contents = {digests[path]: octets for path, octets in version.files.items()}
    if contents:
        rows = [{"digest": digest, "content": octets} for digest, octets in contents.items()]
        connection.execute(once(rule_files).on_conflict_do_nothing(), rows)
    row = {
        "tree": version.tree, "version": version.version, "at": version.at, "program": version.program,
        "parts": version.parts, "facts": version.facts, "files": digests,
    }  # fmt: skip
    connection.execute(once(rule_versions).on_conflict_do_nothing(), row)


def add_event(connection: Connection, event: RuleEvent, run: str) -> None:
    """Append to the history."""
    row = {name: getattr(event, name) for name in ("at", "kind", "how", "by", "version", "tree", "before", "detail")}
    row |= {"run": run, "host": event.host or platform.node()}
    chains.append(connection, run, "rules/1", [row])
    connection.execute(insert(rule_events), row)


def events(connection: Connection, limit: int) -> list[RuleEvent]:
    """The history, newest first."""
    query = (
        select(rule_events, runs.c.id.label("alive"))
        .outerjoin(runs, (runs.c.id == rule_events.c.run) & runs.c.stopped_at.is_(None))
        .order_by(rule_events.c.id.desc())
        .limit(limit)
    )
    return [
        RuleEvent(
            row.at, row.kind, row.how, row.by, row.version, row.tree, row.before, row.detail, row.host, row.run,
            row.alive is not None,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def last(connection: Connection) -> Version | None:
    """The set that came into force last, on whatever node."""
    query = (
        select(rule_events.c.tree).where(rule_events.c.kind == "in-force").order_by(rule_events.c.id.desc()).limit(1)
    )
    tree = connection.scalar(query)
    row = connection.execute(select(rule_versions).where(rule_versions.c.tree == tree)).first()
    return _version(connection, row) if row is not None else None


def find(connection: Connection, wanted: str) -> Version | None:
    """The version, or tree, that this is the beginning of; of several trees of one version the newest. Raises
    Ambiguous."""
    version = find_version(connection, wanted)
    if version is not None:
        newest = select(rule_versions).where(rule_versions.c.version == version)
        row = connection.execute(newest.order_by(rule_versions.c.at.desc(), rule_versions.c.tree).limit(1)).first()
    else:
        tree = find_id(connection, rule_versions.c.tree, wanted)
        row = connection.execute(select(rule_versions).where(rule_versions.c.tree == tree)).first()
    return _version(connection, row) if row is not None else None


def find_version(connection: Connection, wanted: str) -> str | None:
    """The one version that begins so; None where there is none. Raises Ambiguous."""
    distinct = select(rule_versions.c.version).distinct().subquery()
    return find_id(connection, distinct.c.version, wanted)


def without_files(connection: Connection) -> dict[str, Version]:
    """All versions by version, the newest of each, without their files."""
    query = select(rule_versions).order_by(rule_versions.c.at)
    return {row.version: _plain(row) for row in connection.execute(query)}


def _version(connection: Connection, row: Row[Any]) -> Version:
    wanted: Sequence[str] = sorted(set(row.files.values()))
    query = select(rule_files).where(rule_files.c.digest.in_(wanted))
    contents = {each.digest: bytes(each.content) for each in connection.execute(query)}
    files = {path: contents[digest] for path, digest in sorted(row.files.items())}
    return Version(row.tree, row.version, row.at, row.program, row.parts, tuple(row.facts), files)


def _plain(row: Row[Any]) -> Version:
    return Version(row.tree, row.version, row.at, row.program, row.parts, tuple(row.facts))
