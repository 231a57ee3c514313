"""The files behind a set of policies, as octets: what a version keeps, what two versions differ in, and how the files
of one are put back, all of them or none.
"""

from __future__ import annotations

import difflib
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from gateway.policy.loader import LEXICON, UNFINISHED, policy_files, visible_files
from gateway.policy.model import PolicySet
from gateway.policy.names import NAMES
from gateway.store.crypto import sync_folder
from gateway.store.versions import Version, tree_of

POLICIES, TEMPLATES = "policies/", "templates/"
MOST_LINES = 5_000
"""Lines of a file that are compared line by line; of a longer one only its size is told."""

Files = Mapping[str, bytes]
"""Octets by path, as `gateway.store.versions.Version` has them."""


class InTheWay(Exception):
    """The files cannot be written now; the text says why and what to do."""


def read_files(policies: Path, templates: Path | None, *, shipped: Path) -> Files:
    """The policies of a folder with its phrases, and templates of one's own. Raises OSError.

    The phrases of the shipped folder belong to the program, whose version is kept beside.
    """
    found = {POLICIES + path.name: path for path in policy_files(policies)}
    lexicon = policies / LEXICON
    if lexicon.is_dir() and not policies.samefile(shipped):
        found |= {
            f"{POLICIES}{LEXICON}/{path.relative_to(lexicon).as_posix()}": path for path in visible_files(lexicon)
        }
    if templates is not None and templates.is_dir():
        found |= {TEMPLATES + path.relative_to(templates).as_posix(): path for path in visible_files(templates)}
    return {name: path.read_bytes() for name, path in sorted(found.items())}


def version_of(rules: PolicySet, files: Files, *, at: datetime, program: str) -> Version:
    """A set of rules that was read from these files."""
    tree = tree_of(files, rules.version)
    return Version(tree, rules.version, at, program, rules.parts, tuple(sorted(NAMES)), files)


def difference(old: Files, new: Files) -> Iterator[str]:
    """The lines of a unified diff over all files, without line ends."""
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        left, right = _lines(before), _lines(after)
        if max(len(left), len(right)) > MOST_LINES:
            yield f"--- {name}: {len(before or b''):,} octets"
            yield f"+++ {name}: {len(after or b''):,} octets"
            continue
        old_name = f"a/{name}" if before is not None else "/dev/null"
        new_name = f"b/{name}" if after is not None else "/dev/null"
        yield from difflib.unified_diff(left, right, old_name, new_name, lineterm="")


def _lines(octets: bytes | None) -> list[str]:
    return (octets or b"").decode("utf-8", "replace").splitlines()


def bounded(lines: Iterator[str], most: int) -> str:
    """The lines as one text of at most about `most` code points, cut at a line's end with a word on how many more."""
    kept: list[str] = []
    size = more = 0
    for line in lines:
        size += len(line) + 1
        if more or size > most:
            more += 1
        else:
            kept.append(line)
    return "\n".join(kept + [f"… and {more:,} more lines"] * bool(more))


def write_back(folder: Path, files: Files) -> tuple[int, int]:
    """Make the policies and phrases of `folder` those of `files`: how many were written, how many deleted.

    While it works a mark stands in the folder with which no gateway loads it; if it is broken off, the mark stays, and
    the next roll-back goes on from there. Other files of the folder are left alone. Raises InTheWay and OSError.
    """
    wanted = {name.removeprefix(POLICIES): octets for name, octets in files.items() if name.startswith(POLICIES)}
    folder.mkdir(parents=True, exist_ok=True)
    mark = _mark(folder)
    present = {path.name: path for path in policy_files(folder)}
    if (folder / LEXICON).is_dir():
        inside = visible_files(folder / LEXICON)
        present |= {path.relative_to(folder).as_posix(): path for path in inside}
    written = [name for name, octets in wanted.items() if name not in present or present[name].read_bytes() != octets]
    for name in written:
        _replace(folder / name, wanted[name])
    gone = [path for name, path in present.items() if name not in wanted]
    for path in gone:
        path.unlink()
    sync_folder(folder)
    mark.unlink()
    sync_folder(folder)
    return len(written), len(gone)


def _mark(folder: Path) -> Path:
    """Put the mark into the folder; one that a dead process left is taken over."""
    mark = folder / UNFINISHED
    own = f"{os.getpid()} {socket.gethostname()}"
    try:
        with mark.open("x") as file:
            file.write(own)
    except FileExistsError:
        number, _, host = mark.read_text("utf-8", "replace").partition(" ")
        if host == socket.gethostname() and number.isdigit() and Path(f"/proc/{number}").exists():
            raise InTheWay(f"process {number} is rolling back this folder now: wait until it has ended") from None
        mark.write_text(own)
    return mark


def _replace(path: Path, octets: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    try:
        with draft.open("xb") as file:
            file.write(octets)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
