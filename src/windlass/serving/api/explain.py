"""The route that says why: a few rows at a time, beside the event loop, one request after the other."""

import asyncio
import time
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from pydantic import Field

from windlass.errors import NotReady
from windlass.explain.occlusion import Effort
from windlass.outputs import table as outputs
from windlass.outputs.contract import Why
from windlass.predictors.contract import Predictor
from windlass.records import Json, Row
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.rows import read_object, rows_of, wrong
from windlass.serving.contract.schema import json_body, request_schema, responses
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime import cost
from windlass.serving.runtime.bounded_queue import BoundedQueue
from windlass.serving.runtime.caller import caller_of, gone, received, watched
from windlass.serving.runtime.service import Service
from windlass.strict_yaml import Exact

MAX_ROWS, MAX_WAITING = 8, 8
LEAST_EVALUATIONS, MAX_EVALUATIONS = 80, 256
"""Of the model, for a row: enough for the sentences of a text, or for its words."""
SHORT = 2_000
"""Characters of a request whose explanations wait for none that are longer."""
MAX_LABEL = 500


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
    lanes = {is_short: BoundedQueue(MAX_WAITING) for is_short in (True, False)}
    schema = _schema(service.predictor)

    @app.post(
        "/v1/explain",
        summary="Say why a row is answered so",
        openapi_extra=json_body(schema),
        responses=responses(Explanations, 400, 408, 413, 415, 422, 503),
    )
    async def explain_rows(request: Request) -> Response:
        service.is_proving(request)
        body, who, release = received(request), caller_of(request), service.release.id
        work = _Work(service.predictor, service.settings)
        async with watched(who.receive, work.leave):
            await service.aside(len(body), lambda: work.read(body))
            async with lanes[work.is_short].of(who.name):
                try:
                    content = await asyncio.to_thread(work.explained, release)
                finally:
                    work.leave()  # nobody waits for it any more, also when it was given up
        who.charge(work.effort)
        return Response(content, media_type="application/json")


class _Work:
    """What a request for explanations makes. effort: what it has cost, in characters of text."""

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self.predictor, self.max_effort, self.limit_s = predictor, settings.max_effort, settings.explain_s
        self.effort = 0
        self._efforts: list[int] = []
        self._limits: list[Effort] = []
        self._has_left = False

    def leave(self) -> None:
        """Its client has gone: it ends before its next evaluations."""
        self._has_left = True
        for limit in self._limits:
            limit.until = 0.0

    @property
    def is_short(self) -> bool:
        return sum(self._efforts) <= SHORT

    def read(self, body: bytes) -> None:
        """Raises: Fault 400, 413, 422."""
        self._rows, self._label = _read(body, self.predictor)
        unfit = outputs.get(self.predictor.manifest.output.kind).explains_live
        if unfit is not None:
            raise wrong(unfit.why, unfit.hint)
        self._efforts = cost.efforts(self.predictor.manifest.inputs, self._rows)
        cost.check(sum(self._efforts), self.max_effort)

    def explained(self, release: str) -> bytes:
        """The answer, of what was read. Raises: Fault 499, 503; DataError."""
        until = time.monotonic() + self.limit_s
        self._limits = [Effort(_evaluations(effort, self.max_effort), until) for effort in self._efforts]
        if self._has_left:
            raise gone()
        waiting = iter(self._limits)
        try:
            found = outputs.explain(self.predictor, self._rows, Why(None, self._label, lambda: next(waiting)))
        except NotReady as error:
            if self._has_left:
                raise gone() from None
            raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", error.message, error.hint) from None
        finally:
            done = zip(self._efforts, self._limits, strict=True)
            self.effort = sum(effort * limit.n_done for effort, limit in done)
        return codec.dumps({"release": release, "explanations": [each.as_json() for each in found]})


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
