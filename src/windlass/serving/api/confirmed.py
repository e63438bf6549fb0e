"""Feedback that is told to be stored once it is on disk, and not before."""

import asyncio
from http import HTTPStatus

from windlass.database.request_log import Feedback, RequestLog, Stored
from windlass.errors import Refused
from windlass.serving.contract.faults import Fault, status_of
from windlass.serving.runtime.replica import Replica

CONFIRM_S = 10


def judged_by(replica: Replica, said: Feedback) -> Feedback:
    """The feedback, judged and settled as the output of this release does."""
    output = replica.output
    known = replica.reference.answers if replica.reference is not None else {}

    def is_right(value: str, correct: str) -> bool:
        return output.is_right(output.value_of(value), output.value_of(correct), known)

    def settled(value: str, correct: str) -> str:
        return output.kept_as(output.amended(output.value_of(value), output.value_of(correct)))

    return said._replace(is_right=is_right, settled=settled)


async def stored_feedback(log: RequestLog, said: Feedback) -> Stored:
    """The feedback once it is on disk. Raises: Fault 404, also after looking again; 409, 503, 507."""
    for pause_s in log.looks_again_s:
        try:
            return await _confirmed(log, said)
        except Refused as refused:
            if status_of(refused) != HTTPStatus.NOT_FOUND:
                raise
        await asyncio.sleep(pause_s)
    return await _confirmed(log, said)


async def _confirmed(log: RequestLog, said: Feedback) -> Stored:
    try:
        return await asyncio.wait_for(asyncio.wrap_future(log.feedback(said)), CONFIRM_S)
    except TimeoutError:
        raise Fault(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "log_unavailable",
            f"feedback was not confirmed in {CONFIRM_S} s, expected it sooner",
            "send it again: it is stored once",
        ) from None
