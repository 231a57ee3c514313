"""The check of `doctor` that looks at the log: whether checkpoints are made, and kept out of this machine's reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.assembly import places_of
from gateway.checkup_parts import Check
from gateway.config import Settings
from gateway.located import BadFiles
from gateway.store.crypto import KeyUnusable, load_key
from gateway.store.errors import StoreAway
from gateway.store.store import Store
from gateway.witnesses import CannotKeep, Places, known_end

LATE = 4
"""Intervals after which a checkpoint that did not come is worth a word."""


def check_log(settings: Settings, now: datetime) -> Iterator[Check]:
    """Never raises for what it looks at; what keeps the store closed is another check's to tell."""
    places = places_of(settings, "")
    if not (places.file or places.syslog or places.mailbox):
        found = "checkpoints stay in this database: whoever changes the log can change them too"
        yield Check(
            "checkpoints", "warn", found, "checkpoint_file, checkpoint_syslog or checkpoint_mail in the settings"
        )
        return
    if not settings.database and not (settings.state / "gateway.db").exists():
        return
    try:
        key = load_key(settings.key_file, state=settings.state)
        store = Store.open(settings.database_url, key, password=settings.secret("database_password"), create=False)
        try:
            if store.is_current():
                yield _kept(settings, places, store, now)
        finally:
            store.close_now()
    except (StoreAway, KeyUnusable, BadFiles):
        return


def _kept(settings: Settings, places: Places, store: Store, now: datetime) -> Check:
    try:
        if places.file is not None:
            known_end(places.file, store)
    except CannotKeep as cannot:
        return Check("checkpoints", "bad", str(cannot), "referral-gateway audit verify --checkpoints FILE")
    found = store.integrity()
    if found.newest is None:
        return Check(
            "checkpoints", "warn", "none was made yet", "nothing: serve makes them; see its log if it does not"
        )
    at = datetime.fromisoformat(found.newest["at"]).astimezone()
    said = f"the newest is number {found.newest['n']} of {at:%Y-%m-%d %H:%M %Z}"
    if found.uncovered and now - at > LATE * timedelta(seconds=settings.checkpoint_every):
        return Check("checkpoints", "warn", said, "referral-gateway audit checkpoint; see why serve makes none")
    return Check("checkpoints", "ok", said)
