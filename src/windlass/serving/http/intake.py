"""Receives large bodies at a bounded pace, so that the event loop has time for others."""

import asyncio
from dataclasses import dataclass, field

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


def _joined(parts: list[bytes]) -> bytes:
    """The parts as one, which lets other threads go on meanwhile; they are forgotten here, too."""
    body = b"".join(parts)
    parts.clear()
    return body
