"""Which processes write here, so that recovery touches only what dead ones left.

A pending intent or a leased hold of a live process must be left alone, one of a dead process should not wait for its
lease. On this machine the process table tells; of other machines only silence does.
"""

from __future__ import annotations

import os
import platform
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from gateway.store.audit import Event, set_outcomes
from gateway.store.holds import IN_DOUBT
from gateway.store.holds import recover as recover_holds
from gateway.store.process_schema import runs
from gateway.store.records import Recovered
from gateway.store.schema import audit

SILENT = timedelta(minutes=10)
"""A process elsewhere that showed no sign of life for this long is dead."""

PENDING = timedelta(minutes=30)
"""No transaction waits this long: the final dot's reply may take 10 minutes (RFC 5321 §4.5.3.2.6)."""


def describe_process(pid: int) -> str:
    """A name that no other process ever has: boot, process namespace, number, start time. "" when there is none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
        # The second field is the program's name in parentheses and may contain anything (proc(5)).
        started = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot} {space} {pid} {started}"


def register(connection: Connection, run: str, now: datetime) -> None:
    """Show that this run lives; the first time, write it down."""
    if connection.execute(update(runs).where(runs.c.id == run).values(alive_at=now)).rowcount:
        return
    row = {
        "id": run,
        "host": platform.node(),
        "process": describe_process(os.getpid()),
        "started_at": now,
        "alive_at": now,
        "stopped_at": None,
    }
    connection.execute(insert(runs), row)


def sign_off(connection: Connection, run: str, now: datetime) -> None:
    """This run is over."""
    connection.execute(update(runs).where(runs.c.id == run).values(stopped_at=now))


def recover(connection: Connection, run: str, origin: str, now: datetime) -> Recovered:
    """Settle what dead runs left: dotted releases and pending mails are in doubt, other releases start again."""
    dead = _dead(connection, run, now)
    doubt, again = recover_holds(connection, now, dead)
    pending = connection.execute(
        select(audit.c.id)
        .where(audit.c.outcome == "pending", audit.c.run.in_(dead) | (audit.c.at < now - PENDING))
        .with_for_update(skip_locked=True)
    )
    mails = tuple(pending.scalars())
    events = [Event(mail_id, now, "in-doubt", IN_DOUBT) for mail_id in (*doubt, *mails)]
    if events:
        set_outcomes(connection, events, run, origin)
    if dead:
        connection.execute(delete(runs).where(runs.c.id.in_(dead)))
    return Recovered(mails, tuple(doubt), tuple(again))


def _dead(connection: Connection, run: str, now: datetime) -> list[str]:
    mine = describe_process(os.getpid())
    one_machine = connection.dialect.name == "sqlite"
    dead = []
    for row in connection.execute(select(runs).where(runs.c.id != run)):
        if row.stopped_at is not None or _is_dead(row.process, row.alive_at, mine, now, one_machine):
            dead.append(row.id)
    return dead


def _is_dead(process: str, alive_at: datetime, mine: str, now: datetime, one_machine: bool) -> bool:
    theirs, ours = process.split(" "), mine.split(" ")
    if len(theirs) == 4 and len(ours) == 4:
        if theirs[:2] == ours[:2]:
            return describe_process(int(theirs[2])) != process
        if one_machine and theirs[0] != ours[0]:
            return True  # the machine was started anew
    return alive_at < now - SILENT
