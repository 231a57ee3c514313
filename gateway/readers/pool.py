"""The pool of readers, as the gateway sees it: mail in, result out, whatever the mail does to its reader.

    gateway ──Setup──▶ nursery ──fork──▶ reader, reader, …      one nursery for each set of rules
       └────────────── Task, octets ──▶ reader ── Result ──▶ gateway

A mail that takes its reader too long or too much memory ends that reader, not the gateway; a new one takes its place.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

import gateway
from gateway.config import PREFIX
from gateway.policy.model import PolicySet
from gateway.readers import results
from gateway.readers.nursery import FORK, KILL, ORDER
from gateway.readers.work import Result, Setup, Task, work
from gateway.readers.worker import ANSWER, DONE, FAULT, HELLO, PROCESSOR_SECONDS, TASK

log = structlog.get_logger("gateway.readers")

INLINE_OCTETS = 4 * 1024
"""Mail up to this size is read on the event loop: a millisecond or two as a rule, and 60 for the worst that was found.
All other mail goes to a reader."""
INLINE_THREAD = 20
"""Messages of a thread up to which that is so; a longer one takes a while to be handed over, too."""
UNREADABLE = "too much to read"
"""The fact `unreadable` of mail that took its reader more time or memory than one mail may take."""

STUCK_SECONDS = 10 * PROCESSOR_SECONDS
"""How long a reader may take for one mail by the wall clock: it shares the processors, or hangs without using one."""
START_SECONDS = 60.0
"""How long a nursery may take to load the rules, and a reader to come; a second and milliseconds as a rule."""
TRIES = 3
"""How often a reader is sought for one mail: one may die with the mail, and its nursery with it."""
END_SECONDS = 5.0
"""How long a nursery may take to end before it is killed."""
MOST_ANSWERED = 16 << 20
"""Octets of the largest answer that is taken from a reader."""

PRIVATE = (PREFIX, "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "CREDENTIALS_DIRECTORY")
"""Beginnings of the names of environment variables that readers have no business with."""


class TooMuch(Exception):
    """The mail was too much for a reader: of time, of memory, or it ended the process."""


class ReadingFault(Exception):
    """A fault of ours in a reader. `kind` is the exception's type, `at` the places it came through."""

    def __init__(self, kind: str, at: str = "") -> None:
        super().__init__(kind)
        self.kind, self.at = kind, at


class ReadersAway(Exception):
    """No reader can be had: the system refuses processes or memory."""

    at = ""


class _Gone(Exception):
    """The reader at the other end of a link has ended."""


class Readers:
    """At most `count` processes that read mail. They start with the first mail, or with `warm`."""

    def __init__(self, count: int, setup: Callable[[PolicySet], Setup]) -> None:
        self.count = count
        self._setup = setup
        self._new: type[_Nursery] = _Nursery
        self._free = asyncio.Semaphore(count)
        self._nurseries: list[_Nursery] = []
        self._starting = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def work(self, task: Task, raw: bytes, rules: PolicySet, *, mail: str) -> Result:
        """Do a task: here where the mail is small, else in a reader. What is too much for that is read as far as its
        beginning, here. `mail` is its id for the log. Raises ReadersAway and ReadingFault; any fault of ours, here."""
        thread = task.thread
        setup = self._setup(rules)
        if len(raw) <= INLINE_OCTETS and len(thread.by_id) + len(thread.by_tag) <= INLINE_THREAD:
            found = work(replace(task, second=False), raw, setup)
            if not found.undecided:
                return found
        try:
            return await self.read(task, raw, rules)
        except TooMuch:
            log.warning("too much to read; only its beginning was", mail=mail, octets=len(raw))
            return work(replace(task, unread=UNREADABLE), raw, setup)

    async def read(self, task: Task, raw: bytes, rules: PolicySet) -> Result:
        """Have one mail read under `rules`. Raises TooMuch, ReadingFault or ReadersAway.

        Waits for a free reader. That a reader dies early on is not always the mail's fault (somebody killed it, memory
        was short), so the mail gets a second one.
        """
        clock = asyncio.get_running_loop().time
        deaths = 0
        async with self._free:
            for attempt in range(1, TRIES + 1):
                nursery = await self._nursery(rules)
                nursery.busy += 1
                begun = clock()
                try:
                    return await nursery.read(task, raw)
                except _Gone:
                    deaths += 1
                    if deaths > 1 or clock() - begun >= PROCESSOR_SECONDS:
                        raise TooMuch from None
                except ReadersAway:  # the nursery has died; another one may live
                    if attempt == TRIES:
                        raise
                finally:
                    nursery.busy -= 1
                    self._clear()
        raise AssertionError("the last try returns or raises")

    async def warm(self, rules: PolicySet) -> None:
        """Have readers ready for `rules`; those for other rules end with their last mail. Raises ReadersAway."""
        nursery = await self._nursery(rules)
        await nursery.fill(self.count)

    @property
    def started(self) -> bool:
        return bool(self._nurseries)

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the readers that are there, for those who look after them."""
        return tuple(reader.pid for nursery in self._nurseries for reader in nursery.readers)

    async def close(self) -> None:
        """End every process and wait for that."""
        self._closed = True
        for nursery in self._nurseries:
            self._end(nursery)
        self._nurseries.clear()
        while self._ending:
            await asyncio.wait(self._ending)

    async def _nursery(self, rules: PolicySet) -> _Nursery:
        """The nursery for these rules, started where there is none: the newest one is kept, older ones run out."""
        async with self._starting:
            for nursery in self._nurseries:
                if nursery.rules is rules and nursery.alive:
                    return nursery
            pickled = await asyncio.to_thread(pickle.dumps, self._setup(rules), pickle.HIGHEST_PROTOCOL)
            if self._closed:
                raise ReadersAway("the gateway is stopping")
            nursery = self._new(rules)
            await nursery.start(pickled)
            self._nurseries.append(nursery)
            self._clear()
            return nursery

    def _clear(self) -> None:
        """End the nurseries that are dead, and those of older rules that nobody reads under any more."""
        for nursery in self._nurseries[:]:
            if not nursery.alive or (nursery is not self._nurseries[-1] and not nursery.busy):
                self._nurseries.remove(nursery)
                self._end(nursery)

    def _end(self, nursery: _Nursery) -> None:
        task = asyncio.create_task(nursery.close())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _Nursery:
    """The process that readers of one set of rules are forked from (`gateway.readers.nursery`)."""

    def __init__(self, rules: PolicySet) -> None:
        self.rules = rules
        self.busy = 0
        self.readers: list[_Reader] = []
        self._idle: list[_Reader] = []
        self._lost = False
        self._process: subprocess.Popen[bytes]
        self._orders: socket.socket

    @property
    def alive(self) -> bool:
        return not self._lost and self._process.poll() is None

    async def start(self, setup: bytes) -> None:
        """Start the process and hand it the pickled Setup. Raises ReadersAway."""
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.setblocking(False)
        try:
            with theirs:
                # On the loop's own thread: PR_SET_PDEATHSIG counts the death of the thread that made a process.
                self._process = self._begin(theirs)
        except OSError as error:
            self._orders.close()
            raise ReadersAway(f"no process can be started: {error.strerror}") from error
        try:
            await asyncio.to_thread(self._hand_over, setup)
        except asyncio.CancelledError:
            self._orders.close()
            self._process.kill()
            self._process.wait()
            raise

    def _begin(self, orders: socket.socket) -> subprocess.Popen[bytes]:
        """Start the process: that takes milliseconds, and a subprocess of asyncio's wants more."""
        return subprocess.Popen(
            [sys.executable, "-m", "gateway.readers.nursery", str(orders.fileno()), str(os.getpid())],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[orders.fileno()], env=_environment(),
        )  # fmt: skip

    def _hand_over(self, setup: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as pipe:  # broken: it has died, and no reader will come
            pipe.write(setup)

    async def fill(self, count: int) -> None:
        """Have as many idle readers as there may be readers. Raises ReadersAway."""
        while self.alive and len(self.readers) < count:
            self._idle.append(await self._fork())

    async def read(self, task: Task, raw: bytes) -> Result:
        """Raises TooMuch, ReadingFault, ReadersAway, or _Gone where the reader died."""
        while self._idle and not self._idle[-1].alive:
            self._kill(self._idle.pop())
        reader = self._idle.pop() if self._idle else await self._fork()
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                return await reader.read(task, raw)
        except TimeoutError:
            raise TooMuch from None
        finally:
            if reader.fit and reader in self.readers:
                self._idle.append(reader)
            else:
                self._kill(reader)

    async def _fork(self) -> _Reader:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._orders, [ORDER.pack(FORK, 0)], [theirs.fileno()])
            reader = _Reader(ours)
            async with asyncio.timeout(START_SECONDS):
                await reader.greeted()
        except (OSError, TimeoutError, _Gone) as error:
            ours.close()
            self._lost = True
            raise ReadersAway(f"no reader came ({type(error).__name__})") from error
        except BaseException:
            ours.close()
            raise
        self.readers.append(reader)
        return reader

    def _kill(self, reader: _Reader) -> None:
        reader.close()
        if reader in self.readers:  # else it ended with its nursery
            self.readers.remove(reader)
            with suppress(OSError):
                self._orders.send(ORDER.pack(KILL, reader.pid))

    async def close(self) -> None:
        """End the process and its readers: they end with it, whatever they are in."""
        for reader in self.readers:
            reader.close()
        self.readers.clear()
        self._idle.clear()
        self._orders.close()
        if self._lost:
            self._process.kill()
        try:
            await asyncio.to_thread(self._process.wait, END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)


class _Reader:
    """One reader and our end of its link (`gateway.readers.worker`). `fit`: it can read another mail."""

    def __init__(self, link: socket.socket) -> None:
        link.setblocking(False)
        self._link = link
        self._loop = asyncio.get_running_loop()
        self.pid = 0
        self.fit = False

    async def greeted(self) -> None:
        """Wait for its hello. Raises _Gone."""
        (self.pid,) = HELLO.unpack(await self._take(HELLO.size))

    @property
    def alive(self) -> bool:
        try:
            return bool(self._link.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    async def read(self, task: Task, raw: bytes) -> Result:
        """Raises TooMuch where its memory ran out, ReadingFault, or _Gone."""
        self.fit = False
        # A long thread takes milliseconds to pickle.
        if len(task.thread.by_id) + len(task.thread.by_tag) > INLINE_THREAD:
            pickled = await asyncio.to_thread(pickle.dumps, task, pickle.HIGHEST_PROTOCOL)
        else:
            pickled = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
        try:
            await self._loop.sock_sendall(self._link, TASK.pack(len(pickled), len(raw)) + pickled)
            await self._loop.sock_sendall(self._link, raw)
        except OSError:
            raise _Gone from None
        kind, ends, octets = ANSWER.unpack(await self._take(ANSWER.size))
        if octets > MOST_ANSWERED:
            raise TooMuch
        answer = await self._take(octets)
        if kind == DONE:
            result = results.loads(answer)
            self.fit = not ends
            return result
        if kind == FAULT:
            self.fit = not ends
            raise ReadingFault(*answer.decode("utf-8", "replace").split("\t", 1))
        raise TooMuch

    async def _take(self, octets: int) -> bytes:
        """So many octets from the link. Raises _Gone at its end."""
        taken = bytearray()
        while len(taken) < octets:
            try:
                some = await self._loop.sock_recv(self._link, min(octets - len(taken), 1 << 18))
            except OSError:
                some = b""
            if not some:
                raise _Gone
            taken += some
        return bytes(taken)

    def close(self) -> None:
        self._link.close()


def _environment() -> dict[str, str]:
    """What readers may know of ours: no secrets, no notify socket. And where the gateway's own code is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    code = str(Path(gateway.__file__).resolve().parents[1])
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (code, kept.get("PYTHONPATH"))))
    kept["OPENBLAS_NUM_THREADS"] = kept["OMP_NUM_THREADS"] = "1"  # a process that forks has one thread
    return kept
