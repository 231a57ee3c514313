"""The checks of `doctor` that look at what people have decided: a bypass, policies that fell back, who is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.checkup_parts import Check
from gateway.config import Settings
from gateway.located import BadFiles
from gateway.orders import Order, newest, read_order
from gateway.policy.model import PolicySet
from gateway.store.crypto import KeyUnusable, load_key
from gateway.store.errors import StoreAway
from gateway.store.governing import PolicyState
from gateway.store.store import Store


def check_decisions(settings: Settings, policies: PolicySet | None, now: datetime) -> Iterator[Check]:
    """Never raises for what it looks at; what keeps the store closed is another check's to tell."""
    order, states = _decided(settings)
    if order is not None and order.on(now):
        until = order.until.astimezone() if order.until else now
        found = f"on until {until:%Y-%m-%d %H:%M %Z}, by {order.by}: {order.why}; everything passes unread"
        yield Check("bypass", "warn", found, "referral-gateway bypass off")
    else:
        yield Check("bypass", "ok", "off")
    for state in states:
        if state.state == "observe" and (policies is None or policies.get(state.policy) is not None):
            found = f"{state.policy} fell back to observe: {state.why}"
            mend = f"mend it, try it with policy test, then: referral-gateway policy arm {state.policy} --why …"
            yield Check("canary", "warn", found, mend)
    if policies is not None and settings.site is not None and not policies.site.admins:
        found = "nobody is told when a budget is spent, a bypass is on or a policy falls back"
        yield Check("admins", "warn", found, "admins: [you@example.org] in the site file")


def _decided(settings: Settings) -> tuple[Order | None, list[PolicyState]]:
    order: Order | None = None
    states: list[PolicyState] = []
    try:
        order = read_order(settings.state)
    except (OSError, ValueError):
        pass
    if not settings.database and not (settings.state / "gateway.db").exists():
        return order, states
    try:
        key = load_key(settings.key_file, state=settings.state)
        store = Store.open(settings.database_url, key, password=settings.secret("database_password"), create=False)
        try:
            if store.is_current():
                row, found = store.governed_now()
                order, states = newest(order, row), sorted(found.values(), key=lambda state: state.policy)
        finally:
            store.close_now()
    except (StoreAway, KeyUnusable, BadFiles):
        pass
    return order, states
