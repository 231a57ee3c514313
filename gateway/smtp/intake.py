"""The intake: one message read from the client, from our 354 to its true end (RFC 5321 §4.1.1.4)."""

from __future__ import annotations

import asyncio
import logging

from gateway.smtp.content import StoredContent
from gateway.smtp.data import EndOfData
from gateway.smtp.house import House
from gateway.smtp.replies import BARE_LINE_END, DISK_FULL, TOO_BIG, Reply
from gateway.smtp.wire import Expired, Wire

log = logging.getLogger(__name__)


async def take_message(wire: Wire, house: House, most: int) -> StoredContent | Reply:
    """Read the message. Whatever is wrong with it, its octets are read to the true end before the reply that says so.

    `most` is the limit in octets. Raises Gone, Expired.
    """
    timers = house.timers
    end = EndOfData(normalise=house.normalise)
    content = StoredContent(memory=house.limits.memory, folder=house.spool)
    refusal: Reply | None = None
    deadline = asyncio.get_running_loop().time() + timers.data_total
    try:
        while not end.done:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise Expired
            piece = end.feed(await wire.chunk(min(timers.data_block, left)))
            if refusal is None:
                if end.size > most:
                    refusal = TOO_BIG
                elif end.spoilt and not house.normalise:
                    refusal = BARE_LINE_END
                elif piece:
                    refusal = await _store(content, piece)
                if refusal is not None:
                    content.close()
    except BaseException:
        content.close()
        raise
    if end.rest:
        wire.give_back(end.rest)
    if refusal is not None:
        return refusal
    content.size, content.stuffed = end.size, end.stuffed
    return content


async def _store(content: StoredContent, piece: bytes) -> Reply | None:
    try:
        await content.add(piece)
    except OSError as why:
        log.warning("the spool takes no more: %s", why.strerror)
        return DISK_FULL
    return None
