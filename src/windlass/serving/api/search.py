"""Search alone: the passages that are found for some words, without an answer read out of them."""

import re

from fastapi import FastAPI, Request, Response
from pydantic import Field

from windlass.metrics.citations import N_RANKED
from windlass.predictors.contract import seen_by
from windlass.records import Json, Row
from windlass.serving.contract import codec
from windlass.serving.contract.rows import read_object, wrong
from windlass.serving.contract.schema import json_body, responses
from windlass.serving.runtime.caller import caller_of, received
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.service import Service
from windlass.strict_yaml import Exact

MOST_CHARACTERS = 20_000
COUNTED = re.compile("[0-9]{1,4}")
QUERY = {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}
COUNT = {"type": "integer", "minimum": 1, "maximum": N_RANKED, "default": N_RANKED}


class FoundPassage(Exact):
    document: str
    title: str
    page: int = Field(description="from 1; 0: there are none")
    start: int = Field(description="in the characters of the document's text")
    end: int
    text: str
    score: float = Field(description="larger is better; it ranks, and is no probability")


class FoundPassages(Exact):
    release: str
    passages: list[FoundPassage] = Field(description="the best first")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds the search by GET and POST, where answers are taken from documents."""
    if service.replica.output.search is None:
        return
    query = {"type": "object", "properties": {"query": QUERY, "k": COUNT}, "required": ["query"],
             "additionalProperties": False}  # fmt: skip
    described = responses(FoundPassages, 400, 408, 413, 415, 422, 503)
    names = [{"name": "query", "in": "query", "required": True, "schema": QUERY},
             {"name": "k", "in": "query", "required": False, "schema": COUNT}]  # fmt: skip

    @app.post("/v1/search", summary="Find passages", openapi_extra=json_body(query), responses=described)
    async def search(request: Request) -> Response:
        return await _searched(service, request, read_object(received(request), ("query", "k"), "body"))

    @app.get("/v1/search", summary="Find passages", openapi_extra={"parameters": names}, responses=described)
    async def search_by_address(request: Request) -> Response:
        asked: Json = {name: value for name, value in request.query_params.items() if name in ("query", "k")}
        if COUNTED.fullmatch(asked.get("k", "")):
            asked["k"] = int(asked["k"])
        return await _searched(service, request, asked)


async def _searched(service: Service, request: Request, asked: Json) -> Response:
    """Raises: Fault 413, 422, 503."""
    query, k, who = asked.get("query"), asked.get("k", N_RANKED), caller_of(request)
    if not isinstance(query, str) or not 0 < len(query.strip()) <= len(query) <= MOST_CHARACTERS:
        raise wrong(f"'query' is missing, empty or longer than {MOST_CHARACTERS:,} characters, expected words to find")
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= N_RANKED:
        raise wrong(f"'k' is {str(k)[:40]}, expected a number of passages from 1 to {N_RANKED}")

    async def work(replica: Replica) -> Json:
        with replica:
            row: Row = dict.fromkeys((column.name for column in replica.predictor.manifest.inputs), query)
            rows, _ = await replica.measured(lambda: [row], True, who)
            search = replica.output.search
            assert search is not None
            async with replica.bounded_queue.of(who.name):
                found = await replica.beside(lambda: search(seen_by(replica.predictor, who.names), rows, k))
            return {"release": replica.release.id, "passages": found[0]}

    found = await service.given(request, work)
    return Response(codec.dumps(found), media_type="application/json")
