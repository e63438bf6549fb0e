"""Batch jobs over HTTP: rows are sent at once, answered behind live requests, and asked for when they are done."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from http import HTTPStatus
from typing import TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from windlass.database.backend import Failure
from windlass.database.jobs import Jobs
from windlass.records import Column, Json, Row
from windlass.serving.batch.work import JobWork
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.rows import idempotency_key, read_object, wrong
from windlass.serving.contract.schema import key_header, responses
from windlass.serving.runtime import cost
from windlass.serving.runtime.bounded_queue import BoundedQueue
from windlass.serving.runtime.caller import caller_of, received
from windlass.serving.runtime.service import Service, caller
from windlass.strict_yaml import Exact

MOST_ROWS, MOST_READING = 100_000, 8
"""Of a job; jobs whose rows wait to be read, one after the other."""
LINES = "application/x-ndjson"
T = TypeVar("T")


class JobState(Exact):
    id: str
    state: str = Field(description="'waiting', 'running' or 'done'")
    rows: int
    done: int = Field(description="rows that were answered or refused")
    refused: int = Field(description="rows that have an error in place of an answer")
    created: float = Field(description="seconds since 1970, UTC")
    finished: float | None


class JobDeleted(Exact):
    id: str
    deleted: bool


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/v1/jobs`; without a memory for jobs every one of them answers 503."""
    _add_start(app, service)
    accepts = responses(JobState, 401, 403, 404, 429, 503)

    @app.get("/v1/jobs/{id}", summary="How far a job is", responses=accepts)
    async def job(id: str, request: Request) -> Response:
        jobs = _jobs(service)
        return _json((await _done(lambda: jobs.get(id, caller(request)))).as_json())

    @app.delete(
        "/v1/jobs/{id}",
        summary="Stop a job and forget its rows and answers",
        responses=responses(JobDeleted, 401, 403, 404, 429, 503),
    )
    async def delete_job(id: str, request: Request) -> Response:
        jobs = _jobs(service)
        await _done(lambda: jobs.delete(id, caller(request)))
        return _json({"id": id, "deleted": True})

    lines = {LINES: {"schema": {"type": "string", "description": "a JSON object a line, one a row, in order"}}}

    @app.get(
        "/v1/jobs/{id}/result",
        summary="The answers of a job that is done",
        responses={**responses(JobState, 401, 403, 404, 409, 429, 503), 200: {"content": lines}},
    )
    async def job_result(id: str, request: Request) -> Response:
        found = _jobs(service).result(id, caller(request))
        first = await _done(lambda: next(found, b""))
        return StreamingResponse(_after(first, found), media_type=LINES)


def _add_start(app: FastAPI, service: Service) -> None:
    text = {"schema": {"type": "string"}}
    rows = {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": MOST_ROWS}
    whole = {"schema": {"type": "object", "properties": {"rows": rows}, "required": ["rows"]}}
    body = {"required": True, "content": {"application/json": whole, LINES: text, "text/csv": text}}
    described = responses(JobState, 400, 401, 403, 408, 409, 413, 415, 422, 429, 503, 507)
    described[202] = described.pop(200)
    header = key_header("a repeated request with the same key starts one job")
    reading = BoundedQueue(MOST_READING)

    @app.post(
        "/v1/jobs",
        summary="Answer many rows, behind live requests",
        status_code=202,
        openapi_extra={"requestBody": body, "parameters": [header]},
        responses=described,
    )
    async def start_job(request: Request) -> Response:
        jobs = _jobs(service)
        content, kind = received(request), request.headers.get("content-type", "").partition(";")[0].strip().lower()
        key, who = idempotency_key(request), caller_of(request)
        async with reading.of(who.name):
            rows, effort = await asyncio.to_thread(_read, content, kind, service.predictor.manifest.inputs)
        job = await _done(lambda: jobs.add(caller(request), key, rows))
        if job.is_new:
            who.charge(effort)
        else:
            who.refund()
        work: JobWork | None = getattr(app.state, "job_work", None)
        if work is not None:
            work.wake.set()
        return _json(job.as_json(), HTTPStatus.ACCEPTED)


def _read(content: bytes, kind: str, columns: Sequence[Column]) -> tuple[list[Row | str], int]:
    """The rows of a body, and what they cost together. Raises: as `read_rows`."""
    rows = read_rows(content, kind)
    return rows, sum(cost.efforts(columns, [row for row in rows if not isinstance(row, str)]))


def read_rows(content: bytes, kind: str) -> list[Row | str]:
    """The rows of a body, or why one is none; whether they fit the release is seen when they are answered.

    Raises: Fault 400, 422: not CSV, JSON lines or JSON with 'rows'; no rows, or too many.
    """
    rows = {"application/json": _of_json, "text/csv": _of_csv}.get(kind, _of_lines)(content)
    if not 0 < len(rows) <= MOST_ROWS:
        raise wrong(f"job has {len(rows):,} rows, expected 1 to {MOST_ROWS:,}", "send them as several jobs")
    return rows


def _of_json(content: bytes) -> list[Row | str]:
    rows = read_object(content, ("rows",), "body").get("rows")
    if not isinstance(rows, list):
        raise wrong("body has no list 'rows', expected rows")
    return [row if isinstance(row, dict) else "row is not an object, expected one" for row in rows]


def _of_lines(content: bytes) -> list[Row | str]:
    return [_line(line) for line in content.split(b"\n") if line.strip()]


def _line(line: bytes) -> Row | str:
    try:
        row = codec.loads(line)
    except Fault as fault:
        return fault.message.replace("body", "row", 1)
    return row if isinstance(row, dict) else "row is not an object, expected one"


def _of_csv(content: bytes) -> list[Row | str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(f"CSV is not UTF-8 at byte {error.start}, expected UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row | str] = []
    header: list[str] = []
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return rows
        except csv.Error as error:
            rows.append(f"row cannot be read ({error}), expected CSV")
            continue
        if not header:
            header = _checked([name.strip() for name in fields])
        elif len(fields) == len(header):
            rows.append(dict(zip(header, fields, strict=True)))
        elif fields:
            rows.append(f"row has {len(fields)} fields, expected {len(header)}")


def _checked(header: list[str]) -> list[str]:
    if not header or len(set(header)) < len(header) or "" in header:
        raise wrong("CSV has a column twice or without a name, expected a header with each column once")
    return header


def _jobs(service: Service) -> Jobs:
    if service.jobs is None:
        raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable", "server keeps no jobs, expected a database")
    return service.jobs


async def _done(work: Callable[[], T]) -> T:
    """What the database gives, beside the event loop. Raises: Fault 503, 507; what `work` raises."""
    try:
        return await asyncio.to_thread(work)
    except Failure as failure:
        raise failure.refusal("job") from None


async def _after(first: bytes, others: Iterator[bytes]) -> AsyncIterator[bytes]:
    part: bytes | None = first
    while part:
        yield part
        part = await asyncio.to_thread(next, others, None)


def _json(content: Json, status: int = 200) -> Response:
    return Response(codec.dumps(content), status, media_type="application/json")
