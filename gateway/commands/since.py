"""`--since`: how far back, as a length of time or as a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.commands.shown import plain, user_error


def since(text: str, now: datetime) -> datetime:
    """30d, 12h, or a date like 2026-11-30 (in the local zone). Exits 2 for anything else."""
    from gateway.values import DURATION, WrongValue

    try:
        if re.fullmatch(r"\s*[0-9.]+\s*[smhd]\s*", text):
            seconds = DURATION.read(text, Path())
            assert isinstance(seconds, float)
            return now - timedelta(seconds=seconds)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, WrongValue):
        user_error(f'--since: "{plain(text)}" is no time', "how long, like 30d or 12h, or a date like 2026-11-30")
