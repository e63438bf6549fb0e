"""The routes of OpenAI's interface, so that its clients talk to a product that writes: chat, completions, embeddings.

Source: OpenAI's API reference, https://platform.openai.com/docs/api-reference.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from windlass.kinds import text
from windlass.predictors.contract import Embeds
from windlass.predictors.language.grammar import check_cost
from windlass.predictors.language.writing import Written
from windlass.predictors.writer import Writer, answers, check_length
from windlass.records import Json, Row
from windlass.serving.api import openai_answers, openai_requests
from windlass.serving.api.openai_answers import ChatForm, Form, TextForm
from windlass.serving.api.openai_requests import ChatRequest, Completion, CompletionRequest, EmbeddingRequest
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.schema import json_body
from windlass.serving.http.stream import Stream
from windlass.serving.runtime import cost
from windlass.serving.runtime.bounded_queue import BoundedQueue
from windlass.serving.runtime.caller import caller_of, received
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.scheduler import Scheduler, WriteRequest, too_slow
from windlass.serving.runtime.service import Service, receipt
from windlass.strict_yaml import Exact

JSON = "application/json"
Names = tuple[str, str]
"""Under which a model can be asked for: its product's, and its release's."""
MOST_TRYING = 8
"""Requests whose JSON schemas wait to be tried, one after the other."""
ANY: Json = {"schema": {"type": "object"}}


class ProblemContent(Exact):
    message: str
    type: str
    param: str | None
    code: str


class Problem(Exact):
    """An error as OpenAI's interface has it."""

    error: ProblemContent


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds completions for what writes, and embeddings for that and for what embeds."""
    if service.writer is not None:
        _add_completions(app, service)
    if service.writer is not None or isinstance(service.predictor, Embeds):
        _add_embeddings(app, service)
        add_models(app, service)


def _add_completions(app: FastAPI, service: Service) -> None:
    max_rows = service.settings.max_rows
    trying = BoundedQueue(MOST_TRYING)

    async def complete(
        request: Request, form: type[Form], read: Callable[[bytes, Writer, Names], Completion]
    ) -> Response:
        started, body = time.perf_counter(), received(request)

        async def work(replica: Replica) -> Response:
            writer, scheduler, names = *_writing(replica), names_of(replica)

            def understood() -> tuple[Completion, list[Row], list[int]]:
                wish = read(body, writer, names)
                asked = [row for row in _read(wish, writer) for _ in range(wish.n)]
                return wish, asked, cost.efforts(writer.manifest.inputs, asked)

            wish, asked, efforts = await replica.aside(len(body), understood)
            replica.charge(efforts, caller_of(request))
            if wish.how.schema is not None:
                async with trying.of(caller_of(request).name):
                    await asyncio.to_thread(check_cost, wish.how.schema)
            answer = form(*names, wish)

            def keep(texts: Sequence[Written]) -> None:
                rows = [row for row in wish.rows for _ in range(wish.n)]
                service.keep(replica, rows, answer.ids(len(rows)), answers(texts), receipt(request, started, len(body)))

            order = WriteRequest(asked, wish.how, wish.stop, wish.is_seeded, wish.streams)
            with replica:
                if wish.streams:
                    return Stream(scheduler.put(order), answer, keep)
                texts = await scheduler.write(order, request.receive)
            if wish.how.echo and any(each.echo is None for each in texts):
                raise too_slow(replica.settings.answer_s)
            if not wish.how.echo:  # a measurement of a text that stands: nothing was answered that could be watched
                keep(texts)
            return Response(answer.whole(texts), media_type=JSON)

        return await service.given(request, work)

    @app.post("/v1/chat/completions", **described("Answer a conversation, as OpenAI's interface has it", ChatRequest))
    async def chat(request: Request) -> Response:
        return await complete(request, ChatForm, openai_requests.read_chat)

    @app.post("/v1/completions", **described("Answer a text, as OpenAI's interface has it", CompletionRequest))
    async def completions(request: Request) -> Response:
        return await complete(
            request,
            TextForm,
            lambda body, writer, names: openai_requests.read_completion(body, writer, names, max_rows),
        )


def _read(wish: Completion, writer: Writer) -> Sequence[Row]:
    """The rows to be written; of an echo each character counts. Raises: DataError: one cannot be read."""
    if not wish.how.echo:
        return writer.read(wish.rows)
    for row in wish.rows:
        check_length(sum(map(len, row.values())))
    return wish.rows


def _add_embeddings(app: FastAPI, service: Service) -> None:
    max_rows = service.settings.max_rows

    @app.post("/v1/embeddings", **described("Texts as vectors, as OpenAI's interface has it", EmbeddingRequest))
    async def embeddings(request: Request) -> Response:
        replica, _ = service.place(request)
        predictor = replica.predictor
        if not isinstance(predictor, Embeds):
            raise Fault(HTTPStatus.NOT_FOUND, "no_embeddings", "model gives no embeddings, expected one that embeds")
        body, who, names = received(request), caller_of(request), names_of(replica)
        with replica:
            texts, is_base64 = await replica.aside(
                len(body), lambda: openai_requests.read_embedding(body, names, max_rows)
            )
            efforts = [cost.ROW + text.effort(each) for each in texts]
            replica.charge(efforts, who)

            def embedded(part: slice) -> tuple[list[bytes], int]:
                started = time.perf_counter()
                vectors = predictor.embed(texts[part])
                pace.learn(sum(efforts[part]), len(vectors), (time.perf_counter() - started) * 1_000)
                told = [
                    openai_answers.embedding(number, vector, is_base64)
                    for number, vector in enumerate(vectors, part.start)
                ]
                return told, sum(len(text.tokens(each)) for each in texts[part])

            pace = replica.embedding_pace
            parts = await replica.batcher.in_steps(map(embedded, pace.slices(efforts)), who)
        told = [each for some, _ in parts for each in some]
        n_tokens = sum(count for _, count in parts)
        return Response(openai_answers.embeddings(told, replica.release.product, n_tokens), media_type=JSON)


def add_models(app: FastAPI, service: Service) -> None:
    """Adds the routes that name the product and its release as a model."""

    def model(name: str) -> Json:
        created = int(datetime.fromisoformat(service.release.created).timestamp())
        return {"id": name, "object": "model", "created": created, "owned_by": "windlass"}

    @app.get("/v1/models", **described("The product, as OpenAI's interface lists models"))
    async def models() -> Response:
        return Response(codec.dumps({"object": "list", "data": [model(service.release.product)]}), media_type=JSON)

    @app.get("/v1/models/{id}", **described("The product or its release, as OpenAI's interface names a model"))
    async def one_model(id: str) -> Response:
        names = names_of(service.replica)
        if id not in names:
            raise openai_requests.unknown_model(names)
        return Response(codec.dumps(model(id)), media_type=JSON)


def names_of(replica: Replica) -> Names:
    """Product and release: what it can be asked for as."""
    return replica.release.product, replica.release.id


def _writing(replica: Replica) -> tuple[Writer, Scheduler]:
    """What writes; a service never changes between products that write and others."""
    assert replica.writer is not None
    assert replica.scheduler is not None
    return replica.writer, replica.scheduler


def described(summary: str, asked: type[BaseModel] | None = None) -> dict[str, Any]:
    """What openapi.json says of a route."""
    statuses = (404, 421, 500) if asked is None else (400, 404, 408, 413, 415, 421, 422, 500, 503)
    content = {JSON: ANY}
    if asked in (ChatRequest, CompletionRequest):
        content["text/event-stream"] = {"schema": {"type": "string"}}
    return {
        "summary": summary,
        "responses": {200: {"content": content}, **{status: {"model": Problem} for status in statuses}},
        "openapi_extra": json_body(openai_requests.inlined(asked.model_json_schema())) if asked is not None else None,
    }
