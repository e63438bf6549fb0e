"""One at a time, one of each who asks in turn, and no more than a bounded number waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from windlass.serving.contract.faults import overloaded
from windlass.serving.runtime.fair_queue import Line


class BoundedQueue:
    """`async with bounded_queue.of(who):` waits for its turn, or is refused when too many wait.

    The turn is handed on in the loop's next round: requests that arrived meanwhile are read and counted before
    the next one computes, so that the bound holds for computation that never awaits, too.
    """

    def __init__(self, max_waiting: int) -> None:
        self._waiting: Line[asyncio.Future[None]] = Line(max_waiting, asyncio.Future.done)
        self._busy = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def of(self, who: str) -> AsyncIterator[None]:
        """The turn of who has this name. Raises: Fault 503: too many wait."""
        if self._busy:
            await self._turn(who)
        self._busy = True
        try:
            yield
        finally:
            asyncio.get_running_loop().call_soon(self._hand_on)

    async def _turn(self, who: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pushed = self._waiting.add(who, turn)
        if pushed is not None:
            pushed.set_exception(overloaded(f"server has {self._waiting.most} predictions waiting, expected fewer"))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        turn = self._waiting.pop()
        if turn is None:
            self._busy = False
        else:
            turn.set_result(None)
