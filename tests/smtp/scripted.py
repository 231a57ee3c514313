"""An upstream that says exactly what it is told to, over a real socket, and keeps every octet it gets."""

from __future__ import annotations

import asyncio

USUAL = {
    b"": b"220 upstream.example ESMTP\r\n",
    b"EHLO": b"250-upstream.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n250 DSN\r\n",
    b"HELO": b"250 upstream.example\r\n",
    b"DATA": b"354 go\r\n",
    b".": b"250 2.0.0 Ok: queued as 4711\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Scripted:
    """`says` maps a verb, a whole line, "" (greeting) or "." (after the final dot) to a reply's octets.

    A reply of None closes the connection without a word. `got` holds the lines of commands.
    """

    def __init__(self, says: dict[bytes, bytes | None] | None = None) -> None:
        self.says: dict[bytes, bytes | None] = {**USUAL, **(says or {})}
        self.got: list[bytes] = []
        self.data: list[bytes] = []
        self.connections = 0
        self.closed = asyncio.Event()
        self.host, self.port = "127.0.0.1", 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Scripted:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            self.closed.set()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(key: bytes, line: bytes = b"") -> bytes:
            reply = self.says.get(line or key, self.says.get(key, b"250 2.0.0 Ok\r\n"))
            if reply is None:
                raise ConnectionError
            writer.write(reply)
            await writer.drain()
            return reply

        await say(b"")
        while line := await reader.readline():
            self.got.append(line.removesuffix(b"\r\n"))
            verb = line.split(b" ")[0].strip().upper()
            reply = await say(verb, self.got[-1])
            if verb == b"DATA" and reply.startswith(b"354"):
                self.data.append(await reader.readuntil(b"\r\n.\r\n"))
                await say(b".")
            if verb == b"QUIT":
                return
