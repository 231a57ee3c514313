"""A lane: one thread that works off operations in groups, each group one transaction.

Callers wait in the event loop (or a thread) while the lane commits; what arrives meanwhile becomes the next group, so
that one synchronisation of the disk serves everybody who waits for one. The writing lane is the only writer of a
process; a reading lane serves thread look-ups in the same way, from one snapshot a group.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from gateway.store.errors import Ambiguous, ClaimLost, StoreAway, StoreFull, StoreRefused, Told, Unknown, translate

T = TypeVar("T")
Work = Callable[[Connection], T]
"""An operation. It may be run a second time after a rollback, so it changes nothing but rows."""

Many = Callable[[Connection, Sequence[Any]], None]
"""An operation for many callers at once: one statement with many rows costs a tenth of many statements."""

GROUP = 256
"""Operations in one transaction, at most."""

WAITING = 10_000
"""Operations that may wait; the next one is told that the store is away, so that its mail is answered 451."""

PATIENCE = 30.0
"""Seconds that a caller waits: below the time in which clients expect an answer, above every wait for a lock."""


class Job(Generic[T]):
    """One operation and who waits for it: some work, or an item for a kind of work that does many at once."""

    __slots__ = ("abandoned", "deliver", "error", "item", "many", "result", "work")

    def __init__(self, work: Work[T] | None, deliver: Callable[[], None], many: Many | None = None, item: Any = None):
        self.work = work
        self.many = many
        self.item = item
        self.deliver = deliver
        self.abandoned = False
        self.result: Any = None
        self.error: Exception | None = None

    def do(self, connection: Connection) -> None:
        """The operation alone."""
        if self.many is not None:
            self.many(connection, (self.item,))
        elif self.work is not None:
            self.result = self.work(connection)


class Watch:
    """What is done first and last in each transaction, and once it is on the disk. Here: nothing."""

    def begin(self, connection: Connection) -> None:
        pass

    def end(self, connection: Connection) -> None:
        pass

    def committed(self) -> None:
        pass


class Lane:
    """The thread and its queue. Starts with the first operation; after `close` it takes no more.

    `check` is asked before and after each group, and must say the same; `watch` is told of each transaction.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        *,
        check: Callable[[], object] = lambda: None,
        watch: Watch | None = None,
        waiting: int = WAITING,
        patience: float = PATIENCE,
    ) -> None:
        self._name = name
        self._engine = engine
        self._check = check
        self._watch = watch or Watch()
        self._patience = patience
        self._queue: queue.Queue[Job[Any] | None] = queue.Queue(waiting)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False

    async def run(self, work: Work[T], *, patience: float | None = None) -> T:
        """Do `work` in the next group and return its result, committed. Raises StoreAway and its kinds.

        A caller that is cancelled does not stop its operation; one whose time runs out before its turn does.
        """
        return await self._wait_for(Job(work, _nobody), patience)

    async def add(self, many: Many, item: Any) -> None:
        """Do `many` in the next group with this item and those of other callers, who never depend on one another:
        each waits for its own. An item at fault fails alone."""
        await self._wait_for(Job(None, _nobody, many, item), None)

    async def _wait_for(self, job: Job[T], patience: float | None) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job.deliver = _Delivery(loop, future, job)
        self._put(job)
        done, _ = await asyncio.wait((future,), timeout=self._patience if patience is None else patience)
        if not done:
            job.abandoned = True
            raise StoreAway("the store did not answer in time")
        return future.result()

    def run_now(self, work: Work[T], *, patience: float | None = None) -> T:
        """The same for callers without an event loop."""
        ready = threading.Event()
        job = Job(work, ready.set)
        self._put(job)
        if not ready.wait(self._patience if patience is None else patience):
            job.abandoned = True
            raise StoreAway("the store did not answer in time")
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def close(self) -> None:
        """Finish what waits, then stop the thread. Blocks; called twice it does nothing."""
        with self._starting:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _put(self, job: Job[Any]) -> None:
        with self._starting:
            if self._closed:
                raise StoreAway("the store is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work_off, name=self._name, daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait(job)
        except queue.Full:
            raise StoreAway("too much is waiting for the store") from None

    # --- in the thread ---------------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        while (job := self._queue.get()) is not None:
            group, last = self._group(job)
            self._settle([each for each in group if not each.abandoned])
            if last:
                return

    def _group(self, first: Job[Any]) -> tuple[list[Job[Any]], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _settle(self, group: Sequence[Job[Any]]) -> None:
        """Run the group and tell everybody how it ended."""
        try:
            before = self._check()
            self._together(group)
            if self._check() != before:
                raise StoreAway("the database file was replaced while it was written to")
        except Exception as error:
            ours = translate(error)
            if isinstance(ours, StoreFull) and len(group) > 1:
                # Perhaps only the largest does not fit: each gets its own transaction.
                for job in group:
                    self._settle([job])
                return
            if type(ours) is StoreAway:
                self._engine.dispose()  # after an error of the disk or the network: a fresh connection
            for job in group:
                job.error = job.error or _again(ours, error)
        _deliver(group)

    def _together(self, group: Sequence[Job[Any]]) -> None:
        """One transaction. Fast at first; if one operation fails by its own fault, again with a savepoint each, so
        that it fails alone (nothing was committed in between)."""
        try:
            with self._engine.begin() as connection:
                self._watch.begin(connection)
                _do_all(connection, group)
                self._watch.end(connection)
            self._watch.committed()
            return
        except Exception as error:
            if not _own_fault(error) or len(group) == 1:
                raise
        with self._engine.begin() as connection:
            self._watch.begin(connection)
            for job in group:
                try:
                    with connection.begin_nested():
                        job.do(connection)
                except Exception as error:
                    if not _own_fault(error):
                        raise
                    job.error = translate(error)
            self._watch.end(connection)
        self._watch.committed()


def _nobody() -> None:
    """Until it is known who waits."""


def _do_all(connection: Connection, group: Sequence[Job[Any]]) -> None:
    kinds: dict[Many, list[Any]] = {}
    for job in group:
        if job.many is not None:
            kinds.setdefault(job.many, []).append(job.item)
        else:
            job.do(connection)
    for many, items in kinds.items():
        many(connection, items)


def _own_fault(error: Exception) -> bool:
    """Whether the others of the group deserve another try."""
    return isinstance(translate(error), (StoreRefused, ClaimLost, Ambiguous, Unknown))


def _again(error: Told, cause: Exception) -> Told:
    """An exception of one's own for each caller: several tasks must not raise the same one."""
    if not isinstance(error, StoreAway):
        return error
    mine = type(error)(*error.args)
    mine.__cause__ = cause
    return mine


class _Delivery:
    """How an answer gets back into an event loop."""

    __slots__ = ("future", "job", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], job: Job[Any]) -> None:
        self.loop = loop
        self.future = future
        self.job = job

    def __call__(self) -> None:
        if self.future.done():
            return
        if self.job.error is not None:
            self.future.set_exception(self.job.error)
            self.future.exception()  # read, in case the caller was cancelled meanwhile
        else:
            self.future.set_result(self.job.result)


def _deliver(group: Sequence[Job[Any]]) -> None:
    """One wake-up for each event loop, however many wait in it."""
    loops: dict[asyncio.AbstractEventLoop, list[_Delivery]] = defaultdict(list)
    for job in group:
        if isinstance(job.deliver, _Delivery):
            loops[job.deliver.loop].append(job.deliver)
        else:
            job.deliver()
    for loop, deliveries in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, deliveries)
        except RuntimeError:  # that loop is closed: nobody waits any more
            continue


def _resolve(deliveries: Sequence[_Delivery]) -> None:
    for delivery in deliveries:
        delivery()
