"""One prediction at a time, first come first served, and no more than a bounded number waiting."""

import asyncio
from collections import deque
from types import TracebackType

from windlass.serving.faults import overloaded


class Turnstile:
    """`async with turnstile:` waits for its turn, or is refused when too many wait.

    The turn is handed on in the loop's next round: requests that arrived meanwhile are read and counted before
    the next one computes, so that the bound holds for computation that never awaits, too.
    """

    def __init__(self, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._busy = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def __aenter__(self) -> None:
        """Raises: Fault 503: too many wait."""
        if not self._busy:
            self._busy = True
            return
        if len(self._waiting) >= self.max_waiting:
            raise overloaded(f"server has {self.max_waiting} predictions waiting, expected fewer")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().call_soon(self._hand_on)

    def _hand_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False
