"""The far end: the sink behind a real server, in a thread of its own, so that any client can be used in a test."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from gateway.smtp.sink import Sink, SunkMail


class FarEnd:
    """Where the mail of a real server arrives."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="far-end", daemon=True)
        self.sink: Sink

    def __enter__(self) -> FarEnd:
        self._thread.start()
        self.sink = Sink(**self._options)
        asyncio.run_coroutine_threadsafe(self.sink.start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.sink.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def port(self) -> int:
        return self.sink.port

    def mail_with(self, marker: bytes, seconds: float = 15.0) -> SunkMail:
        """The mail that holds `marker`, once it has arrived. Raises AssertionError when it does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for mail in tuple(self.sink.messages):
                if marker in mail.raw:
                    return mail
            time.sleep(0.01)
        raise AssertionError(f"no mail with {marker!r} among the {len(self.sink.messages)} that arrived")
