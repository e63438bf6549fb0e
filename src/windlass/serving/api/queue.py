"""Answers of the log that are worth a person's correction: for the owner, since others have asked them."""

from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import Field

from windlass.errors import NotReady
from windlass.outputs.worth_labelling import Question, questions
from windlass.serving.api.refusals import owners_log
from windlass.serving.contract import codec
from windlass.serving.contract.schema import responses
from windlass.serving.runtime.service import Service
from windlass.strict_yaml import Exact

N_SHOWN, MOST_READ = 12, 200
"""Answers of one page, and the latest that they are chosen from: pictures are read for it."""
MOST_BYTES = 8 * 1024 * 1024


class QueuedAnswer(Exact):
    id: str = Field(description="names the answer in feedback")
    row: dict[str, Any]
    value: Any = Field(description="as it was answered: feedback is on that")
    margin: float = Field(ge=0, le=1, description="smaller: less sure")


class Queue(Exact):
    release: str
    keeps_inputs: bool = Field(description="false: what is asked is not kept, and nothing can wait here")
    answers: list[QueuedAnswer] = Field(description="the most telling first")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `GET /v1/queue`, where a person looks at answers one by one."""
    if not service.replica.output.is_queued:
        return

    @app.get("/v1/queue", summary="Answers that are worth a correction", responses=responses(Queue, 401, 403, 429, 503))
    async def queue(request: Request) -> Response:
        log, replica = owners_log(service, request), service.replica
        found: dict[str, Any] = {"release": replica.release.id, "keeps_inputs": service.settings.keep_inputs}
        with replica:
            content = await replica.beside(lambda: codec.dumps({**found, "answers": _answers(log.database, replica)}))
        return Response(content, media_type="application/json")


def _answers(place: Any, replica: Any) -> list[dict[str, Any]]:
    predictor = replica.predictor
    inputs = {column.name: column.kind for column in predictor.manifest.inputs}
    try:
        chosen = _fitting(questions(place, predictor, inputs, N_SHOWN, MOST_READ))
    except NotReady:
        return []
    return [
        {
            "id": each.id,
            "row": each.values,
            "value": replica.output.value_of(each.value),
            "margin": round(each.margin, 4),
        }
        for each in chosen
    ]


def _fitting(chosen: list[Question]) -> list[Question]:
    """As many of the first as a page may hold, at least one."""
    sizes = [sum(len(str(value)) for value in each.values.values()) for each in chosen]
    return [each for place, each in enumerate(chosen) if place == 0 or sum(sizes[: place + 1]) <= MOST_BYTES]
