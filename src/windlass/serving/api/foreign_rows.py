"""Rows that came in the form of another service, answered, counted and logged as those of `/v1/predict` are."""

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from secrets import token_hex
from typing import Any, NamedTuple

from fastapi import Request

from windlass.errors import expected
from windlass.records import Answer, Json, Manifest, Release, Row
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.rows import read_rows, wrong
from windlass.serving.runtime.caller import received
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.service import Service, receipt

Read = Callable[[bytes, Manifest], list[Row]]


class Answered(NamedTuple):
    """What a request was answered, one id and answer a row, and by what."""

    release: Release
    manifest: Manifest
    ids: list[str]
    answers: list[Answer]


async def answered(service: Service, request: Request, read: Read) -> Answered:
    """The answers to the rows that `read` finds in the body. Raises: Fault, DataError."""
    started, body = time.perf_counter(), received(request)

    def rows(replica: Replica) -> list[Row]:
        found = codec.dumps({"rows": read(body, replica.predictor.manifest)})
        return read_rows(found, replica.columns, service.settings.max_rows)

    given = await service.answer(request, rows)
    ids = [token_hex(12) for _ in given.answers]
    if not given.is_proof:
        service.keep(given.replica, given.rows, ids, given.answers, receipt(request, started, len(body)))
    return Answered(given.replica.release, given.replica.predictor.manifest, ids, given.answers)


def check_model(name: str, release: Release) -> None:
    """Raises: Fault 404: neither the product nor the release that is served."""
    names = (release.product, release.id)
    if name not in names:
        raise Fault(HTTPStatus.NOT_FOUND, "model_not_found", f"model is unknown, expected {expected(names)}")


def check_count(rows: Sequence[Any], max_rows: int, what: str) -> None:
    """Raises: Fault 422: no row, or more than a request may have."""
    if not 0 < len(rows) <= max_rows:
        raise wrong(f"{what} has {len(rows):,} rows, expected 1 to {max_rows:,}")


def described(summary: str, body: Json | None, *statuses: int) -> dict[str, Any]:
    """What openapi.json says of a route whose errors are a text. body: the schema of its body."""
    error = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    failed = {"description": "Error", "content": {"application/json": {"schema": error}}}
    extra = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else None
    return {"summary": summary, "responses": dict.fromkeys((*statuses, 421, 500), failed), "openapi_extra": extra}
