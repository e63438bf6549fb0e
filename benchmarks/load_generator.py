"""An open-loop HTTP load generator in one thread: latency counts from the instant at which a request should have left.

A closed client sends its next request when the last one was answered, and so spares a slow server; an open loop sends
at the times of a Poisson process whatever the server does (Schroeder et al. 2006, "Open versus closed"; Tene,
"coordinated omission"). HTTP/1.1 with kept connections; the selector waits in microseconds, epoll only in milliseconds.
"""

import asyncio
import random
import selectors
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

MOST_CONNECTIONS = 900
"""select() takes 1,024 files. What finds no free connection waits here, and its latency counts on."""
PATIENCE_S = 5.0
"""How long the last answers are waited for."""
Done = Callable[[int, bool], None]
"""Hears of the status of an answer (0: the connection was dropped), and whether it says when to come back."""


@dataclass(frozen=True)
class Target:
    """Where requests go, and the bodies that are sent in turn."""

    port: int
    path: str
    bodies: Sequence[bytes]

    def request(self, number: int) -> bytes:
        body = self.bodies[number % len(self.bodies)]
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass
class Outcome:
    """What came of a run. latencies_s: of answers with 200. refused: status -> count, 0 is a dropped connection."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    retry_after: int = 0
    unanswered: int = 0

    def figures(self) -> dict:
        """p50, p95 and p99 of the answers in milliseconds, answers a second, shares of the rest."""
        asked = len(self.latencies_s) + self.refused.total() + self.unanswered
        found: dict = {"requests": asked, "answers_per_second": round(len(self.latencies_s) / self.seconds, 1)}
        for share in (50, 95, 99):
            found[f"p{share}_ms"] = round(percentile(self.latencies_s, share) * 1000, 2) if self.latencies_s else None
        if self.refused:
            found["refused"] = {str(status): count for status, count in sorted(self.refused.items())}
            found["refused_with_retry_after"] = self.retry_after
        if self.unanswered:
            found["unanswered"] = self.unanswered
        return found


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that `share` percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)]


class _Wire(asyncio.Protocol):
    """One connection with at most one request on its way; `done(status, has_retry_after)` hears of its answer."""

    def __init__(self, load: "_Load") -> None:
        self.load = load
        self.buffer = b""
        self.done: Done | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.load.wires.add(self)

    def ask(self, request: bytes, done: Done) -> None:
        self.done = done
        self.transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        head = head.lower()
        if not found or not _is_whole(head, body):
            return
        self.buffer = b""
        if b"connection: close" in head:
            self.load.wires.discard(self)
            self.transport.close()
        self._finish(int(head[9:12]), b"retry-after:" in head)

    def connection_lost(self, error: Exception | None) -> None:
        self.load.wires.discard(self)
        self._finish(0, False)

    def _finish(self, status: int, has_retry_after: bool) -> None:
        done, self.done = self.done, None
        if done is not None:
            done(status, has_retry_after)
            self.load.release(self)


def _is_whole(head: bytes, body: bytes) -> bool:
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    _, found, length = head.partition(b"content-length:")
    return not found or len(body) >= int(length.partition(b"\r\n")[0])


class _Load:
    """The connections to one target, and the outcome so far."""

    def __init__(self, target: Target) -> None:
        self.target, self.outcome = target, Outcome()
        self.loop = asyncio.get_running_loop()
        self.wires: set[_Wire] = set()
        self.free: list[_Wire] = []
        self.waiting: deque[tuple[bytes, Done]] = deque()
        self.opening: set[asyncio.Task[None]] = set()
        self.pending = self.asked = 0
        self.is_closed = False

    def ask(self, due: float, then: Callable[[], None] | None = None) -> None:
        """Sends the next request now, over a free connection or a new one; `then` is called when it is over."""
        request = self.target.request(self.asked)
        self.asked += 1
        self.pending += 1

        def done(status: int, has_retry_after: bool) -> None:
            if self.is_closed:
                return
            self.pending -= 1
            self._count(due, status, has_retry_after)
            if then is not None:
                then()

        self.waiting.append((request, done))
        while self.free and self.waiting:
            self.release(self.free.pop())
        if self.waiting and len(self.wires) + len(self.opening) < MOST_CONNECTIONS:
            task = self.loop.create_task(self._connect())
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)

    def _count(self, due: float, status: int, has_retry_after: bool) -> None:
        if status == 200:
            self.outcome.latencies_s.append(self.loop.time() - due)
            return
        self.outcome.refused[status] += 1
        self.outcome.retry_after += has_retry_after

    def release(self, wire: _Wire) -> None:
        """Gives the connection the request that waited longest, or keeps it for the next."""
        if wire not in self.wires:
            return
        if self.waiting:
            wire.ask(*self.waiting.popleft())
        else:
            self.free.append(wire)

    async def _connect(self) -> None:
        try:
            _, wire = await self.loop.create_connection(lambda: _Wire(self), "127.0.0.1", self.target.port)
        except OSError:
            if self.waiting:
                self.waiting.popleft()[1](0, False)
            return
        self.release(wire)

    async def settle(self, patience_s: float) -> None:
        """Waits for what was asked, for so long; who has no answer then counts as unanswered."""
        until = self.loop.time() + patience_s
        while self.pending and self.loop.time() < until:
            await asyncio.sleep(0.002)

    def close(self) -> Outcome:
        self.is_closed = True
        self.outcome.unanswered = self.pending
        for task in self.opening:
            task.cancel()
        for wire in list(self.wires):
            wire.transport.close()
        return self.outcome


def closed_loop(target: Target, n_clients: int, seconds: float) -> Outcome:
    """Clients that each send their next request when the last one was answered."""

    async def drive(load: _Load) -> None:
        started = load.loop.time()

        def again() -> None:
            if load.loop.time() < started + seconds:
                load.ask(load.loop.time(), again)

        for _ in range(n_clients):
            again()
        await asyncio.sleep(seconds)
        await load.settle(PATIENCE_S)
        load.outcome.seconds = load.loop.time() - started

    return _run(target, drive)


def open_loop(target: Target, rate: float, seconds: float, seed: int) -> Outcome:
    """Requests that leave at the times of a Poisson process of this rate (1/s), whatever the server does."""
    chance = random.Random(seed)
    times = [chance.expovariate(rate)]
    while times[-1] < seconds:
        times.append(times[-1] + chance.expovariate(rate))

    async def drive(load: _Load) -> None:
        started = load.loop.time()
        for time in times[:-1]:
            await asyncio.sleep(max(0.0, started + time - load.loop.time()))
            load.ask(started + time)
        await load.settle(PATIENCE_S)
        load.outcome.seconds = load.loop.time() - started

    return _run(target, drive)


def _run(target: Target, drive: Callable[[_Load], Awaitable[None]]) -> Outcome:
    async def main() -> Outcome:
        load = _Load(target)
        await drive(load)
        outcome = load.close()
        await asyncio.sleep(0)
        return outcome

    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()
