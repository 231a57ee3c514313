"""A clock that tests move."""

from __future__ import annotations

from datetime import datetime, timedelta


class Clock:
    """Gives `at` until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> datetime:
        """Forward, as `timedelta` takes it."""
        self.at += timedelta(**span)
        return self.at
