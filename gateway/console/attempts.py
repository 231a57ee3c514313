"""How often somebody may be wrong at the door. Pure: time comes in."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
PER_ACCOUNT_AND_PLACE = 5
PER_PLACE = 20
PER_ACCOUNT = 50
"""From anywhere: high, or a stranger could keep somebody out."""
MOST_KEYS = 10_000


class Attempts:
    """Counts failures of the last WINDOW, by account and by address, in bounded memory."""

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], deque[datetime]] = {}
        self._used: dict[str, None] = {}

    def wait(self, account: str, place: str, now: datetime) -> float:
        """Seconds until the next attempt; 0 for now."""
        longest = 0.0
        for key, most in self._keys(account, place):
            times = self._recent(key, now)
            if len(times) >= most:
                longest = max(longest, (times[-most] + WINDOW - now).total_seconds())
        return longest

    def failed(self, account: str, place: str, now: datetime) -> None:
        """Somebody was wrong."""
        for key, most in self._keys(account, place):
            self._count(key, most, now)

    def wait_at(self, place: str, now: datetime) -> float:
        """The same where nobody has named an account yet."""
        times = self._recent(("", place), now)
        return (times[-PER_PLACE] + WINDOW - now).total_seconds() if len(times) >= PER_PLACE else 0.0

    def failed_at(self, place: str, now: datetime) -> None:
        """Somebody was wrong without naming an account."""
        self._count(("", place), PER_PLACE, now)

    def taken_back(self, place: str) -> None:
        """What was counted at the beginning of an attempt was no failure."""
        if self._failed.get(("", place)):
            self._failed["", place].pop()

    def first_use(self, once: str) -> bool:
        """Whether this comes for the first time, as far as memory goes back."""
        if once in self._used:
            return False
        if len(self._used) >= MOST_KEYS:
            del self._used[next(iter(self._used))]
        self._used[once] = None
        return True

    def succeeded(self, account: str, place: str) -> None:
        """Somebody was right: what they had mistyped before counts no more, and this attempt against nobody."""
        self._failed.pop((account, place), None)
        for key in (("", place), (account, "")):
            if self._failed.get(key):
                self._failed[key].pop()

    def _keys(self, account: str, place: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return (
            ((account, place), PER_ACCOUNT_AND_PLACE), (("", place), PER_PLACE), ((account, ""), PER_ACCOUNT),
        )  # fmt: skip

    def _count(self, key: tuple[str, str], most: int, now: datetime) -> None:
        if key not in self._failed and len(self._failed) >= MOST_KEYS:
            del self._failed[next(iter(self._failed))]  # the oldest
        self._failed.setdefault(key, deque(maxlen=2 * most)).append(now)  # some are taken back

    def _recent(self, key: tuple[str, str], now: datetime) -> list[datetime]:
        return [at for at in self._failed.get(key, ()) if at > now - WINDOW]
