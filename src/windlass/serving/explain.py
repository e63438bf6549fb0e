"""The route that says why: a few rows at a time, beside the event loop, one request after the other."""

import asyncio
import time
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from pydantic import Field

from windlass.errors import NotReady
from windlass.predictors.attribution import explain
from windlass.predictors.contract import Predictor
from windlass.predictors.occlusion import Effort
from windlass.predictors.writer import Writer
from windlass.records import Explanation, Json, Row
from windlass.serving import codec, cost
from windlass.serving.asker import asker, gone, received, watched
from windlass.serving.faults import Fault
from windlass.serving.rows import read_object, rows_of, wrong
from windlass.serving.schema import Exact, json_body, request_schema, responses
from windlass.serving.service import Service
from windlass.serving.turnstile import Turnstile

MAX_ROWS, MAX_WAITING = 8, 8
LEAST_EVALUATIONS, MAX_EVALUATIONS = 80, 256
"""Of the model, for a row: enough for the sentences of a text, or for its words."""
MAX_LABEL = 500
LIMIT_S = 10.0
"""Of one request, once its turn has come."""


class ExplainedPart(Exact):
    column: str
    words: str = Field(description="the part itself, or why it counts")
    weight: float = Field(description="above 0: speaks for the label; in `unit`")
    share: float = Field(ge=0, le=1, description="of all weights, sign left out")
    span: list[int] | None = Field(None, description="start and end in the characters of `texts`")
    box: list[float] | None = Field(None, description="left, top, right, bottom as shares of the picture")


class GivenExplanation(Exact):
    label: str
    confidence: float | None = Field(ge=0, le=1)
    method: str
    unit: str
    base: float = Field(description="where nothing of the row is known")
    total: float = Field(description="of the row as it is")
    adds_up: bool = Field(description="base and weights sum to the total")
    n_evaluations: int
    parts: list[ExplainedPart]
    texts: dict[str, str] = Field(description="column -> its text as it was read")


class Explanations(Exact):
    release: str
    explanations: list[GivenExplanation] = Field(description="one a row, in order")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `POST /v1/explain`; it sheds with 503 when too many wait, and never holds up a prediction."""
    turnstile = Turnstile(MAX_WAITING)
    schema = _schema(service.predictor)

    @app.post(
        "/v1/explain",
        summary="Say why a row is answered so",
        openapi_extra=json_body(schema),
        responses=responses(Explanations, 400, 408, 413, 415, 422, 503),
    )
    async def explain_rows(request: Request) -> Response:
        service.is_proving(request)
        body, who = received(request), asker(request)
        work = _Work(body, service.settings.max_effort)
        async with watched(who.receive, work.leave), turnstile:
            release, predictor = service.release.id, service.predictor
            try:
                found = await asyncio.to_thread(work.explained, predictor)
            finally:
                work.leave()  # nobody waits for it any more, also when it was given up
        who.charge(work.effort)
        content = {"release": release, "explanations": [each.as_json() for each in found]}
        return Response(codec.dumps(content), media_type="application/json")


class _Work:
    """What a request for explanations makes. effort: what it has cost, in characters of text."""

    def __init__(self, body: bytes, max_effort: int) -> None:
        self.body, self.max_effort = body, max_effort
        self.effort = 0
        self._limits: list[Effort] = []
        self._has_left = False

    def leave(self) -> None:
        """Its client has gone: it ends before its next evaluations."""
        self._has_left = True
        for limit in self._limits:
            limit.until = 0.0

    def explained(self, predictor: Predictor) -> list[Explanation]:
        """Raises: Fault 400, 413, 422, 499, 503; DataError."""
        rows, label = _read(self.body, predictor)
        if isinstance(predictor, Writer):
            raise wrong(
                "answers of this release are texts, expected labels to be explained over HTTP",
                "`windlass explain` weighs the words of a row by the likelihood of its answer",
            )
        efforts = cost.efforts(predictor.manifest.inputs, rows)
        cost.check(sum(efforts), self.max_effort)
        until = time.monotonic() + LIMIT_S
        self._limits = [Effort(_evaluations(effort, self.max_effort), until) for effort in efforts]
        if self._has_left:
            raise gone()
        waiting = iter(self._limits)
        try:
            return explain(predictor, rows, None, label, lambda: next(waiting))
        except NotReady as error:
            if self._has_left:
                raise gone() from None
            raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", error.message, error.hint) from None
        finally:
            done = zip(efforts, self._limits, strict=True)
            self.effort = sum(effort * limit.n_done for effort, limit in done)


def _evaluations(effort: int, most: int) -> int:
    """Of a row of so much effort: of a long one fewer, so that its parts stay coarse."""
    return max(LEAST_EVALUATIONS, min(MAX_EVALUATIONS, most // effort))


def _read(body: bytes, predictor: Predictor) -> tuple[list[Row], str]:
    value = read_object(body, ("rows", "row", "label"), "body")
    label = value.pop("label", "")
    if not isinstance(label, str) or len(label) > MAX_LABEL:
        raise wrong(f"'label' is not text of at most {MAX_LABEL} characters, expected a label of the release")
    columns = dict.fromkeys(column.name for column in predictor.manifest.inputs)
    return rows_of(value, columns, MAX_ROWS), label


def _schema(predictor: Predictor) -> Json:
    """That of a prediction, of fewer rows, with the label to explain."""
    schema = request_schema(predictor.manifest, MAX_ROWS)
    label = {"type": "string", "maxLength": MAX_LABEL, "description": "what to explain; none: the answer"}
    return {"oneOf": [{**each, "properties": {**each["properties"], "label": label}} for each in schema["oneOf"]]}
