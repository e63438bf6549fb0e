"""Who of two releases answers: the champion, and one on trial for its share of the requests, or as its shadow."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple, TypeVar

from fastapi import Request

from windlass.errors import WindlassError
from windlass.predictors.contract import Names
from windlass.records import Answer, Row
from windlass.serving.contract.faults import status_of
from windlass.serving.runtime.caller import NOBODY, caller_of
from windlass.serving.runtime.canary import Arm, Canary
from windlass.serving.runtime.replica import Replica

logger = logging.getLogger("windlass.serving")
SESSION = "x-windlass-session"
JUDGE_EVERY, MOST_LISTENING = 10, 4
"""Answers between two looks at a trial; requests that a shadow may be busy with."""
T = TypeVar("T")
Work = Callable[[Replica], Awaitable[T]]
"""Answers a request by the release that it is given."""


class Given(NamedTuple):
    """What a request was answered, and by which release. is_proof: to be neither logged nor counted."""

    replica: Replica
    rows: list[Row]
    answers: list[Answer]
    is_proof: bool


class FailedTrial(NamedTuple):
    """A trial that was ended, and why."""

    canary: Canary
    why: str


class TrafficSplit:
    """The release on trial, if there is one: has it answer, measures it against the champion, and ends a bad trial."""

    def __init__(self) -> None:
        self.canary: Canary | None = None
        self.failed_trial: FailedTrial | None = None
        """Until the store has heard of it."""
        self._listening: set[asyncio.Task[None]] = set()

    async def given(self, champion: Replica, request: Request, work: Work[T]) -> T:
        """What `work` gives with the champion, or with the release on trial for its share of the requests.

        Where that one fails by a fault of its own, or cannot do what is asked, the champion does it. Of a text that is
        sent while it is written, only how it began is measured. Raises: what `work` raises.
        """
        canary = self.canary
        if canary is None:
            return await with_release(champion, request, work)
        if not canary.trial.is_shadow and _takes(canary, request):
            tried = await self._measured(canary, canary.replica, request, work)
            if tried is not None:
                return tried
        done = await self._measured(canary, champion, request, work)
        return done if done is not None else await with_release(champion, request, work)

    def mirror(self, given: Given, request: Request, size_bytes: int) -> None:
        """Has the release on trial answer as a shadow what the champion was asked and has answered."""
        canary = self.canary
        if canary is None or not canary.trial.is_shadow or len(self._listening) >= MOST_LISTENING:
            return
        if _takes(canary, request):
            task = asyncio.create_task(self._listen(canary, given, size_bytes, caller_of(request).names))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)

    def told(self, release: str, right: bool) -> None:
        """Feedback on an answer of this release."""
        if self.canary is not None:
            self.canary.told(release, right)
            self._judge(self.canary)

    async def _measured(self, canary: Canary, replica: Replica, request: Request, work: Work[T]) -> T | None:
        """What the release gives, counted; nothing when it failed, or when only the champion may refuse."""
        arm = canary.tried if replica is canary.replica else canary.champion
        started = time.perf_counter()
        try:
            done = await with_release(replica, request, work)
        except WindlassError as error:
            if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _log_failed(replica)
                self._counted(canary, arm, started, failed=True)
            elif replica is not canary.replica:
                raise
            return None
        except Exception:  # noqa: BLE001  a release on trial may fail in any way, and no client may notice
            _log_failed(replica)
            self._counted(canary, arm, started, failed=True)
            return None
        self._counted(canary, arm, started, failed=False)
        return done

    def _counted(self, canary: Canary, arm: Arm, started: float, failed: bool) -> None:
        arm.count((time.perf_counter() - started) * 1_000, failed)
        if failed or not arm.answered % JUDGE_EVERY:
            self._judge(canary)

    async def _listen(self, canary: Canary, given: Given, size_bytes: int, names: Names) -> None:
        """Has the shadow answer the same rows, and compares."""
        started = time.perf_counter()
        try:
            with canary.replica:
                _, answers = await canary.replica.answer(lambda: given.rows, size_bytes, NOBODY._replace(names=names))
        except Exception:  # noqa: BLE001  as in `_measured`
            _log_failed(canary.replica)
            self._counted(canary, canary.tried, started, failed=True)
            return
        canary.compared += len(answers)
        same, pairs = canary.replica.output.same, zip(answers, given.answers, strict=True)
        canary.differing += sum(not same(one.value, other.value) for one, other in pairs)
        self._counted(canary, canary.tried, started, failed=False)

    def _judge(self, canary: Canary) -> None:
        """Ends the trial at once when it speaks against the release; the store hears of it at the next look."""
        verdict = canary.verdict() if self.canary is canary else ""
        if verdict:
            self.failed_trial = FailedTrial(canary, verdict)
            self.canary = None


async def with_release(replica: Replica, request: Request, work: Work[T]) -> T:
    """What `work` gives with this release, which the answer's headers and the log of requests will name."""
    request.state.release = replica.release.id
    return await work(replica)


def _log_failed(replica: Replica) -> None:
    """To be called where the error was caught: no client hears of it."""
    logger.warning("release '%s' failed in a trial", replica.release.id, exc_info=True)


def _takes(canary: Canary, request: Request) -> bool:
    return canary.takes(request.headers.get(SESSION) or secrets.token_hex(12))
