"""Points at which a gateway can be killed, as wrappers around its own steps. Runs in the process that is to die."""

from __future__ import annotations

import contextvars
import functools
import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from gateway.dispatch import Dispatcher
from gateway.pipeline import Pipeline
from gateway.settling import Settling
from gateway.smtp.upstream import Upstream
from gateway.smtp.wire import Wire
from gateway.store.store import Store

_lane: contextvars.ContextVar[str] = contextvars.ContextVar("lane", default="")
"""Whose octets go upstream in this task: "pass", "release" or "notice"."""

_in_content: contextvars.ContextVar[bool] = contextvars.ContextVar("in_content", default=False)

_committing = False
"""True once the operation is under way whose commit is not to happen."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _wrap(owner: type, name: str, wrapper: Callable[[Any], Any]) -> None:
    whole = getattr(owner, name)
    setattr(owner, name, functools.wraps(whole)(wrapper(whole)))


def before(owner: type, name: str) -> Callable[[], None]:
    """At the entry of a coroutine method."""

    def wrapper(whole: Any) -> Any:
        async def dies(*_: Any, **__: Any) -> None:
            die()

        return dies

    return lambda: _wrap(owner, name, wrapper)


def after(owner: type, name: str) -> Callable[[], None]:
    """When a coroutine method has done all of its work, before anybody hears of it."""

    def wrapper(whole: Any) -> Any:
        async def does_and_dies(*args: Any, **named: Any) -> None:
            await whole(*args, **named)
            die()

        return does_and_dies

    return lambda: _wrap(owner, name, wrapper)


def before_commit(*names: str) -> Callable[[], None]:
    """The rows of one of these operations of the store are written, and its transaction is about to be committed."""

    def wrapper(whole: Any) -> Any:
        async def armed(*args: Any, **named: Any) -> Any:
            global _committing
            _committing = True
            return await whole(*args, **named)

        return armed

    def arm() -> None:
        for name in names:
            _wrap(Store, name, wrapper)
        event.listen(Engine, "commit", lambda _: die() if _committing else None)

    return arm


def after_writing(start: bytes) -> Callable[[], None]:
    """The reply that starts so is on its way to the client."""

    def wrapper(whole: Any) -> Any:
        def writes(self: Wire, data: bytes) -> None:
            whole(self, data)
            if data.startswith(start):
                die()

        return writes

    return lambda: _wrap(Wire, "write", wrapper)


def _in_lane(owner: type, name: str, lane: str) -> None:
    def wrapper(whole: Any) -> Any:
        async def marked(*args: Any, **named: Any) -> Any:
            token = _lane.set(lane)
            try:
                return await whole(*args, **named)
            finally:
                _lane.reset(token)

        return marked

    _wrap(owner, name, wrapper)


def upstream(lane: str, moment: str) -> Callable[[], None]:
    """In the middle of a message's octets, after its final dot, or after the reply to the dot has been read."""

    def content(whole: Any) -> Any:
        async def sends(self: Upstream, prefix: bytes, chunks: Any) -> Any:
            if _lane.get() != lane:
                return await whole(self, prefix, chunks)
            if moment == "middle":
                self._write((prefix + b"".join(chunks))[:-20])
                die()
            _in_content.set(True)
            said = await whole(self, prefix, chunks)
            die()
            return said

        return sends

    def reply(whole: Any) -> Any:
        async def waits(self: Upstream, seconds: float) -> Any:
            if _in_content.get():
                die()
            return await whole(self, seconds)

        return waits

    def arm() -> None:
        _in_lane(Pipeline, "_deliver", "pass")
        _in_lane(Dispatcher, "_release", "release")
        _in_lane(Dispatcher, "_send", "notice")
        _wrap(Upstream, "content", content)
        if moment == "dot":
            _wrap(Upstream, "_reply", reply)

    return arm


STOPS: dict[str, Callable[[], None]] = {
    "hold: before its commit": before_commit("hold"),
    "hold: committed, 250 not said": after(Store, "hold"),
    "hold: 250 said, notice not sent": after_writing(b"250 2.0.0 Held"),
    "notice: dot sent, not recorded": upstream("notice", "dot"),
    "answer: before its commit": before_commit("approve", "discard"),
    "answer: committed, 250 not said": after(Settling, "settle"),
    "release: claimed": before(Dispatcher, "_release"),
    "release: before the dot is marked": before(Store, "mark_dot"),
    "release: dot marked, nothing sent": after(Store, "mark_dot"),
    "release: in the middle of the octets": upstream("release", "middle"),
    "release: dot sent": upstream("release", "dot"),
    "release: upstream said 250": upstream("release", "said"),
    "release: before the commit of its end": before_commit("finish"),
    "release: end committed": after(Store, "finish"),
    "pass: before the intent's commit": before_commit("intend"),
    "pass: intent committed": after(Store, "intend"),
    "pass: in the middle of the octets": upstream("pass", "middle"),
    "pass: dot sent": upstream("pass", "dot"),
    "pass: upstream said 250": upstream("pass", "said"),
    "pass: before the outcome's commit": before_commit("outcome"),
    "pass: outcome committed, 250 not said": after(Store, "outcome"),
}
"""Every point by name; calling the value makes this process die there."""
