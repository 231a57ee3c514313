"""The subjects of the log in memory, to find rare words in without reading a million rows.

A search for a frequent word fills its page at once; one for a rare or absent word would read every subject there is.
So the console keeps all of them as one run of octets, which is searched in some milliseconds, with the time of each
mail: 60 octets a mail or so. It only narrows a search down: what is shown is what the database then says. Nothing of it
is ever in a file, and what was erased goes from here too (`recalling`).
"""

from __future__ import annotations

import itertools
import threading
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

PART = b"\0"
"""Stands between two subjects; what has it in it is not looked for here."""

State = tuple[object, ...]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1) // MICROSECOND
GONE = -(2**62)
"""In place of the time of a subject that was let go."""


def folded(text: str) -> bytes:
    """`text` with its case folded so that whatever a database takes for the same is the same here."""
    # Some make one letter of a capital I with a dot, some two.
    return text.casefold().replace("\u0307", "").encode("utf-8", "surrogatepass")


class Subjects:
    """All subjects, in the order they came. `heads`: chain -> the newest link that is in here; `state`: of which
    database; `erasures`: after how many. Safe to share between threads."""

    def __init__(self, heads: Mapping[str, int], made: datetime, state: State = (), erasures: int = 0) -> None:
        self.heads = dict(heads)
        self.made, self.state, self.erasures = made, state, erasures
        self._octets = bytearray()
        self._starts = array("Q")
        self._times = array("q")
        self._days: Counter[int] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._times) - self._times.count(GONE)

    def days(self) -> dict[int, int]:
        """How many there are of each day, counted from EPOCH, in UTC."""
        with self._lock:
            return dict(self._days)

    def forget(self, days: Collection[int]) -> None:
        """Let go of these days: no octet of their subjects stays in memory."""
        with self._lock:
            # Where they stand is looked for first: most are of other days.
            for number in [number for number, at in enumerate(self._times) if at // DAY in days]:
                begin, end = self._span(number)
                self._octets[begin:end] = bytes(end - begin)
                self._times[number] = GONE
            for day in days:
                self._days.pop(day, None)

    def _span(self, number: int) -> tuple[int, int]:
        return self._starts[number], self._starts[number + 1] if number + 1 < len(self._starts) else len(self._octets)

    def add(self, rows: Iterable[tuple[datetime, str]], heads: Mapping[str, int] | None = None) -> None:
        """Take more mail in: (when, subject), and how far it goes. Times without a zone are UTC."""
        given = list(rows)
        # All at once: one by one, a million take three times as long. A subject with PART in it stays one subject.
        octets = folded("".join(f"{subject.replace(chr(0), ' ')}\0" for _, subject in given))
        lengths = [len(piece) + 1 for piece in octets.split(PART)[:-1]]
        with self._lock:
            begin = len(self._octets)
            self._starts.extend(itertools.accumulate(lengths[:-1], initial=begin) if lengths else ())
            epoch = EPOCH if given and given[0][0].tzinfo else EPOCH.replace(tzinfo=None)
            fresh = array("q", ((at - epoch) // MICROSECOND for at, _ in given))
            self._times += fresh
            self._days.update(at // DAY for at in fresh)
            self._octets += octets
            self.heads.update(heads or {})

    def times(self, words: str, most: int) -> list[datetime] | None:
        """When mail came whose subject may have these words in it; None where that is no help: over `most` mails."""
        wanted = folded(words)
        if not wanted or PART in wanted:
            return None
        found: set[int] = set()
        with self._lock:
            place = self._octets.find(wanted)
            while place >= 0:
                number = bisect_right(self._starts, place) - 1
                found.add(self._times[number])
                if len(found) > most:
                    return None
                place = self._octets.find(wanted, self._span(number)[1])
        return [EPOCH + at * MICROSECOND for at in sorted(found)]
