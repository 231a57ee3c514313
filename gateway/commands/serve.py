"""`serve`: the gateway as a service."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import re
import sys
import traceback
from typing import TextIO, cast

import structlog

from gateway.config import Settings


def run(settings: Settings) -> int:
    """Serve until SIGTERM. Returns the exit code: 0 stopped, 2 files or settings are wrong, 3 a fault of ours."""
    from gateway.located import BadFiles
    from gateway.service import Service
    from gateway.store.crypto import KeyUnusable
    from gateway.store.errors import StoreAway

    set_up_log(settings)
    log = structlog.get_logger("gateway.serve")
    if settings.site is None:
        log.warning(
            "no site file: nothing is judged and everything passes",
            write="--site FILE; referral-gateway site new FILE --domain example.org begins one",
        )
    if settings.observe:
        log.warning("observe is on: what would be stopped is recorded, and passes")
    try:
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(Service(settings).serve())
    except BadFiles as bad:
        for problem in bad.problems:
            print(problem, file=sys.stderr)
        return 2
    except KeyUnusable as unusable:
        print(f"{settings.key_file}: {unusable}", file=sys.stderr)
        return 2
    except StoreAway as away:
        print(f"the store cannot be opened ({settings.state}): {plainly(away)}", file=sys.stderr)
        print("  referral-gateway doctor says what to do", file=sys.stderr)
        return 3
    except OSError as error:
        print(_cannot_start(error), file=sys.stderr)
        return 2
    return 0


def plainly(error: Exception) -> str:
    """What the operating system said, without its number."""
    return re.sub(r"\[Errno -?\d+\] ", "", str(error))


def _cannot_start(error: OSError) -> str:
    """A listener that cannot be opened: the address, why, and what to do."""
    place = re.search(r"bind on address \('([^']+)', (\d+)", str(error))
    where = f"{place[1]}:{place[2]}" if place else ""
    if where and error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program\n  Write: another address for listen or tap, or stop that program"
    if where and error.errno == errno.EADDRNOTAVAIL:
        return f"{where} is no address of this machine\n  Write: one that it has for listen or tap, or 0.0.0.0"
    if where and error.errno == errno.EACCES:
        return f"{where} needs more rights\n  Write: a port from 1024 up, or use the socket units in systemd/"
    return f"cannot start: {plainly(error)}\n  Write: another address for listen or tap"


def event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed: half the time of a proxied mail is the loop's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def set_up_log(settings: Settings) -> None:
    """One line an event on standard error; never mail content, never a secret."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    last: structlog.typing.Processor
    if settings.log_format == "json":
        last = structlog.processors.JSONRenderer()
    else:
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where_it_failed,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(STANDARD_ERROR),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _IntoOurLog)] + [_IntoOurLog()]
    logging.getLogger("gateway").setLevel(level)


class _IntoOurLog(logging.Handler):
    """Takes what is logged the standard way, by the doors and by libraries, into the same lines as all else."""

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.partition(".")[0] == "gateway"
        # A library may quote a mail, as asyncio does with the exception of a lost task: its first line must do.
        event = record.getMessage() if ours else str(record.msg).partition("\n")[0]
        fault = record.exc_info[1] if record.exc_info else None
        structlog.get_logger(record.name).log(record.levelno, event, **({"exc_info": fault} if fault else {}))


class _StandardError:
    """Standard error that never fails: a log on a full disk, or whose reader is gone, must not become an answer to
    somebody's mail."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


STANDARD_ERROR = cast(TextIO, _StandardError())
"""Where the log goes."""


def _where_it_failed(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An exception as its type and the places it came through: its text could quote somebody's mail."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        event["fault"] = type(error).__name__
        event["at"] = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return event
