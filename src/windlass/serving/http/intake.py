"""Receives large bodies at a bounded pace, so that the event loop has time for others."""

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from windlass.serving.contract.faults import Fault

A_SECOND, AT_ONCE = 32 * 1024 * 1024, 4 * 1024 * 1024
"""Bytes of large bodies that are received, all together: at 160 MiB a second the event loop did nothing else, and
answers waited for seconds (docs/log.md)."""


@dataclass
class Intake:
    """What is large waits for its turn, and with it its sender."""

    _until: float = 0.0
    _joining: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, n_bytes: int) -> None:
        """Waits until so many bytes more have their time."""
        now = asyncio.get_running_loop().time()
        self._until = max(self._until, now - AT_ONCE / A_SECOND) + n_bytes / A_SECOND
        if self._until > now:
            await asyncio.sleep(self._until - now)

    async def joined(self, parts: list[bytes]) -> bytes:
        """The parts as one, made beside the event loop, one body after the other."""
        async with self._joining:
            return await asyncio.to_thread(_joined, parts)

    async def unpacked(self, body: bytes, limit: int, hold: Callable[[int], None]) -> bytes:
        """What a gzip body holds, one body after the other, so that no more than one is there that nobody counted.

        hold(bytes) counts it. Raises: Fault 400, 413: it is no gzip, or larger than the limit once it is unpacked.
        """
        async with self._joining:
            found = await asyncio.to_thread(_unpacked, body, limit)
            hold(len(found))
        await self.take(len(found))
        return found


def _unpacked(body: bytes, limit: int) -> bytes:
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = reader.decompress(body, limit + 1)
    except zlib.error:
        raise Fault(
            HTTPStatus.BAD_REQUEST, "bad_body", "body is no gzip, expected what Content-Encoding says"
        ) from None
    if len(found) > limit:
        raise too_large(limit)
    if not reader.eof or reader.unused_data:
        message = "body is cut, or goes on after its gzip, expected one whole gzip stream"
        raise Fault(HTTPStatus.BAD_REQUEST, "bad_body", message)
    return found


def too_large(limit: int) -> Fault:
    return Fault(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"body is larger than {limit:,} bytes, expected it to fit",
        "send fewer rows at a time",
    )


def _joined(parts: list[bytes]) -> bytes:
    """The parts as one, which lets other threads go on meanwhile; they are forgotten here, too."""
    body = b"".join(parts)
    parts.clear()
    return body
