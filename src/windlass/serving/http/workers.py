"""Several processes on one listening socket, each with a server of its own; one that dies is started again.

The socket is bound once, and what waits in its line is anybody's: a worker that is killed takes along the requests
that it was answering, and no others. A worker accepts nothing before it has proven its release, and stops by itself
when the group is gone. What they share lies in a folder that goes with the group.
"""

import asyncio
import json
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from windlass.errors import DataError, GateRefused, NotReady, SpecError, WindlassError
from windlass.records import Json
from windlass.serving.http.server_state import ServerState
from windlass.serving.telemetry.multiprocess import FIRST, GONE, MultiprocessMetrics

FIRST_PAUSE_S, MOST_PAUSE_S = 0.1, 30.0
"""Until a worker that died is started again: doubled each time that it dies young."""
YOUNG_S = 60.0
STOP_S = ServerState.grace_s + 5.0
"""A worker that has not ended so long after SIGTERM is killed."""
ERRORS = {error.__name__: error for error in (GateRefused, SpecError, DataError, NotReady)}


class Workers:
    """So many workers. program: of one; it reads its order from stdin and says on stdout that it is ready.

    order: what each is told, beside its `name` and the `socket`, an open file of it.
    """

    def __init__(
        self, listener: socket.socket, program: list[str], order: Json, n_workers: int, environment: dict[str, str]
    ) -> None:
        self.listener, self.program, self.order, self.environment = listener, program, order, environment
        self.shared_metrics = MultiprocessMetrics(Path(order["settings"]["workers_folder"]), GONE)
        self.names = [str(int(FIRST) + number) for number in range(n_workers)]
        self._workers: dict[str, Process] = {}

    def run(self, ready: Callable[[], None]) -> None:
        """Until SIGINT or SIGTERM. ready: called once all have proven their release.

        Raises: WindlassError: a worker's, when it could not start at all.
        """
        asyncio.run(self._run(ready))

    async def _run(self, ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._is_over = asyncio.Event()
        self._first: dict[str, asyncio.Future[None]] = {name: loop.create_future() for name in self.names}
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._is_over.set)
        keepers = [asyncio.create_task(self._keep(name)) for name in self.names]
        started, over = asyncio.gather(*self._first.values()), asyncio.create_task(self._is_over.wait())
        awaited: list[asyncio.Future[Any]] = [started, over]
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if started.done():
                started.result()
                ready()
            await over
        finally:
            self._is_over.set()
            await asyncio.gather(*(self._end(worker) for worker in self._workers.values()))
            await asyncio.gather(*keepers)
            started.cancel()

    async def _keep(self, name: str) -> None:
        """Has a worker of this name run until all is over."""
        pause_s = 0.0
        while not self._is_over.is_set():
            began = time.monotonic()
            worker = self._workers[name] = await self._start(name)
            if self._is_over.is_set():
                await self._end(worker)
            error = await self._heard(name, worker)
            code = await worker.wait()
            if self._is_over.is_set() or self._is_fatal(name, error, code):
                return
            await asyncio.to_thread(self.shared_metrics.retire_worker, name)
            is_young = time.monotonic() - began < YOUNG_S
            pause_s = min(MOST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause_s)) if is_young else FIRST_PAUSE_S
            why = error.message if error is not None else f"it ended with {_named(code)}"
            print(f"worker {name} is started again in {pause_s:.1f} s: {why}", file=sys.stderr, flush=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_over.wait(), pause_s)

    async def _start(self, name: str) -> Process:
        """A session of its own: Ctrl-C in a terminal reaches the group alone, which then stops it gently."""
        file = self.listener.fileno()
        worker = await asyncio.create_subprocess_exec(
            *self.program, stdin=PIPE, stdout=PIPE, pass_fds=(file,), start_new_session=True, env=self.environment
        )
        assert worker.stdin is not None
        worker.stdin.write(json.dumps({**self.order, "name": name, "socket": file}).encode() + b"\n")
        with suppress(ConnectionError):
            await worker.stdin.drain()
        return worker

    async def _heard(self, name: str, worker: Process) -> WindlassError | None:
        """Why it could not start; nothing when it is ready, or has died without a word."""
        assert worker.stdout is not None
        line = await worker.stdout.readline()
        said = json.loads(line) if line.endswith(b"\n") else None
        if said is None:
            return None
        if "error" in said:
            return ERRORS.get(said["error"], WindlassError)(said["message"], said["hint"])
        if not self._first[name].done():
            self._first[name].set_result(None)
        return None

    def _is_fatal(self, name: str, error: WindlassError | None, code: int) -> bool:
        """True when the group ends, since a worker could not start that had never been there before."""
        first = self._first[name]
        if first.done():
            return False
        lost = NotReady(f"worker ended with {_named(code)}, expected it to serve", "its reason is on stderr")
        first.set_exception(error or lost)
        return True

    async def _end(self, worker: Process) -> None:
        with suppress(ProcessLookupError):
            worker.terminate()
        try:
            await asyncio.wait_for(worker.wait(), STOP_S)
        except TimeoutError:
            worker.kill()


def _named(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def say(content: Json) -> None:
    """What a worker tells its group, once."""
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()
