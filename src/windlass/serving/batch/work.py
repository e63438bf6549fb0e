"""Answers the parts of batch jobs behind live requests: a little at a time, when nobody else waits."""

import asyncio
import logging
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from windlass.database.backend import Failure
from windlass.database.jobs import Done, Jobs, Part
from windlass.database.request_log import Logged
from windlass.errors import WindlassError
from windlass.predictors.contract import PUBLIC
from windlass.records import Answer, Json, Row
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.rows import rows_of
from windlass.serving.runtime import cost
from windlass.serving.runtime.caller import NOBODY
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.service import LoggedRequest, Service
from windlass.serving.telemetry.profiles import Profiler

logger = logging.getLogger("windlass.serving")
POLL_S, PAUSE_S, HOUR_S = 1.0, 1.0, 3_600.0
STEP_MS = 10.0
"""A live request that comes meanwhile waits about so long."""
PATIENCE_S, LOOK_S = 0.5, 0.005
"""Live requests that never end let a few rows pass after so long; between two looks whether they have ended."""
POISON = "nothing answered this row: what tried to was killed, again and again"


class Answered(NamedTuple):
    """A row of a job, or why it is none, and what came of it. profile: as `watch` sees it, where it does."""

    id: str
    row: Row | str
    result: Answer | str
    profile: str | None


class JobWork:
    """The jobs of one process, to be run in its event loop. wake: to be set when there is a new job. groups_of: of who
    has the key of this id: a job sees the documents that they may see."""

    def __init__(
        self, service: Service, jobs: Jobs, groups_of: Callable[[str], frozenset[str]] = lambda key: PUBLIC
    ) -> None:
        self.service, self.jobs, self.groups_of = service, jobs, groups_of
        self._profiler = Profiler()
        self.wake = asyncio.Event()
        self._tidies_at = 0.0

    async def run(self) -> None:
        """Until it is cancelled; the part that it was at is given back then."""
        while self.service.proof:
            await asyncio.sleep(LOOK_S)
        while True:
            try:
                if not await self._work():
                    await self._woken()
            except Failure:
                await asyncio.sleep(PAUSE_S)
            except Exception as error:
                logger.error("a part of a job has failed", exc_info=error)
                print(f"a part of a job has failed: {type(error).__name__}", file=sys.stderr, flush=True)
                await asyncio.sleep(PAUSE_S)

    async def _woken(self) -> None:
        self.wake.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), POLL_S)

    async def _work(self) -> bool:
        """False when there is nothing to do. Raises: Failure."""
        if time.monotonic() >= self._tidies_at:
            self._tidies_at = time.monotonic() + HOUR_S
            await asyncio.to_thread(self.jobs.delete_older)
        part = await asyncio.to_thread(self.jobs.take)
        if part is None:
            return False
        holding = asyncio.create_task(self._hold(part))
        try:
            done = await self._answer(part)
        except asyncio.CancelledError:
            with suppress(Failure):
                self.jobs.hold(part, 0)
            raise
        finally:
            holding.cancel()
        await asyncio.to_thread(self.jobs.finish, part, done)
        return True

    async def _hold(self, part: Part) -> None:
        """Renews the lease while the part is answered: a row of a product that writes may take minutes."""
        while True:
            await asyncio.sleep(self.jobs.lease_s / 3)
            with suppress(Failure):
                await asyncio.to_thread(self.jobs.hold, part)

    async def _answer(self, part: Part) -> Done:
        lines: list[Json] = []
        logged: list[Logged] = []
        while len(lines) < len(part.rows):
            await self._turn()
            replica = self.service.replica
            rows = part.rows[len(lines) : len(lines) + _step(replica, part.rows[len(lines) :])]
            with replica:
                results: list[Answer | str] = (
                    [POISON for _ in rows] if part.is_poison else await self._answers(replica, rows, part.caller)
                )
                ids = [secrets.token_hex(12) for _ in rows]
                profiles = await asyncio.to_thread(self._profiles, replica, ids, rows, results)
                answered = [Answered(*each) for each in zip(ids, rows, results, profiles, strict=True)]
                lines += self._written(replica, part, len(lines), answered, logged)
        return Done(lines, sum("error" in line for line in lines), logged)

    async def _turn(self) -> None:
        """Waits until no live request is under way, but not for ever."""
        until = time.monotonic() + PATIENCE_S
        await asyncio.sleep(0)
        while (self.service.replica.under_way or self.service.replica.waiting) and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)

    async def _answers(self, replica: Replica, rows: Sequence[Row | str], key: str) -> list[Answer | str]:
        """An answer a row, or why there is none: all at once, row by row when one of them is bad."""
        whole = [row for row in rows if not isinstance(row, str)]
        if len(whole) == len(rows):
            try:
                return list(await self._asked(replica, whole, key))
            except Exception as error:  # noqa: BLE001  whatever a row does to the model, the other rows are answered
                if len(rows) == 1:
                    return [_told(error)]
        return [row if isinstance(row, str) else (await self._answers(replica, [row], key))[0] for row in rows]

    async def _asked(self, replica: Replica, rows: list[Row], key: str) -> list[Answer]:
        """A busy model is asked again. Raises: what says that a row cannot be answered."""
        rows_of({"rows": rows}, replica.columns, len(rows))
        while True:
            try:
                return (await replica.answer(lambda: rows, 0, NOBODY._replace(names=self.groups_of(key))))[1]
            except Fault as fault:
                if fault.kind != "overloaded":
                    raise
            await asyncio.sleep(PAUSE_S)

    def _profiles(
        self, replica: Replica, ids: Sequence[str], rows: Sequence[Row | str], results: Sequence[Answer | str]
    ) -> list[str | None]:
        """What `watch` sees of each row: those of a job drift like any other. None without an answer or a reference."""
        return [
            self._profiler.profiles(replica.reference, [id], [row], [result])[0]
            if replica.reference and not isinstance(row, str) and not isinstance(result, str)
            else None
            for id, row, result in zip(ids, rows, results, strict=True)
        ]

    def _written(
        self, replica: Replica, part: Part, n_before: int, answered: Sequence[Answered], logged: list[Logged]
    ) -> list[Json]:
        """One line a row; the answers among them are logged with the part."""
        lines = []
        for number, (id, row, result, profile) in enumerate(answered, part.first + n_before):
            line: Json = {"row": number, "release": replica.release.id}
            if isinstance(result, str) or isinstance(row, str):
                lines.append({**line, "error": result})
                continue
            (told,) = self.service.logged(
                replica, [row], [id], [result], LoggedRequest(replica.pace.row_ms, 0, part.caller)
            )
            logged.append(told._replace(profile=profile))
            lines.append({**line, "id": id, **result.as_json()})
        return lines


def _told(error: Exception) -> str:
    """Why a row was not answered; nothing of an error that is ours."""
    if not isinstance(error, WindlassError):
        logger.warning("a row of a job is not answered", exc_info=error)
        return "server failed at this row"
    return error.message.replace("row 0, ", "").replace("row 0 ", "")


def _step(replica: Replica, rows: Sequence[Row | str]) -> int:
    """Rows that take about `STEP_MS`; one of a product that writes, or of which nothing is known yet."""
    if replica.writer is not None:
        return 1
    whole = [{} if isinstance(row, str) else row for row in rows[: cost.SLICE_ROWS]]
    return replica.pace.first(cost.efforts(replica.predictor.manifest.inputs, whole), STEP_MS)
