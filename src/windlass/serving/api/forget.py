"""The deletion of one answer, by whoever asks for it."""

import asyncio
from http import HTTPStatus

from fastapi import FastAPI, Response

from windlass.database.request_log import Feedback, RequestLog
from windlass.database.retention import forget
from windlass.errors import DataError
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.schema import Forgotten, responses
from windlass.serving.runtime.service import Service


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds the deletion of one answer."""

    @app.delete(
        "/v1/answers/{id}",
        summary="Forget an answer, what was asked, and its feedback",
        responses=responses(Forgotten, 401, 403, 404, 429, 503),
    )
    async def forget_answer(id: str) -> Response:
        if service.log is None:
            raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable", "server keeps no log, expected one")
        await _written(service.log)
        if not await _forgotten(service.log, id):
            raise Fault(404, "unknown_answer", "answer is not in the log, expected the id of an answer")
        return Response(codec.dumps({"id": id, "forgotten": True}), media_type="application/json")


async def _forgotten(log: RequestLog, id: str) -> bool:
    """False when there is no such answer, also after looking again. Raises: Fault 503."""
    for pause_s in (*log.looks_again_s, 0.0):
        try:
            if await asyncio.get_running_loop().run_in_executor(None, forget, log.database, [id]):
                return True
        except DataError as error:
            raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable", error.message) from None
        await asyncio.sleep(pause_s)
    return False


async def _written(log: RequestLog) -> None:
    """Waits until all that was logged so far is written: feedback on no answer is refused, but only in its turn."""
    turn = asyncio.wrap_future(log.feedback(Feedback("", "", None, "")))
    await asyncio.wait([turn], timeout=5)
    if turn.done() and not turn.cancelled():
        turn.exception()  # the refusal is expected; unread it would be written to stderr
