"""Tables to take along, as CSV and XLSX: the leaderboard of the release, and answers with what people said of them."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response

from windlass.database.request_log import answer_rows, feedback_counts
from windlass.records import Board, Json
from windlass.serving.api.refusals import owners_log
from windlass.serving.contract.faults import Fault
from windlass.serving.runtime.service import Service
from windlass.sources.outgoing import as_csv, free_names
from windlass.sources.workbook import Cell, xlsx

MOST_ROWS = 100_000
"""Of the answers: the last ones."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Table = tuple[Sequence[str], Sequence[Sequence[Cell]]]
ABOUT = ("candidate", "learner", "chosen", "meets_goal")
MEASURED = ("latency_p50_ms", "latency_p95_ms", "answers_per_second", "size_mb", "seconds")
ANSWERED = ("id", "at_utc", "release", "answer", "confidence", "latency_ms", "correct", "judged")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/v1/board` and `/v1/answers`, each as `.csv` and `.xlsx`."""

    def add(name: str, summary: str, table: Callable[[Service, Request], Table]) -> None:
        @app.get(
            f"/v1/{name}.csv", summary=f"{summary}, as CSV", operation_id=f"{name}_csv", responses=_media("text/csv")
        )
        async def as_csv(request: Request) -> Response:
            content = await asyncio.to_thread(lambda: _csv(*table(service, request)))
            return _file(content, "text/csv; charset=utf-8", f"{service.release.product}-{name}.csv")

        @app.get(f"/v1/{name}.xlsx", summary=f"{summary}, as XLSX", operation_id=f"{name}_xlsx", responses=_media(XLSX))
        async def as_xlsx(request: Request) -> Response:
            content = await asyncio.to_thread(lambda: xlsx(*table(service, request)))
            return _file(content, XLSX, f"{service.release.product}-{name}.xlsx")

    add("board", "The leaderboard", _board)
    add("answers", "The last answers and what people said of them", _answers)


def _csv(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """With a mark at its begin, without which Excel reads Chinese wrongly."""
    return as_csv(heads, (dict(zip(heads, row, strict=True)) for row in rows)).encode("utf-8-sig")


def _media(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}


def _file(content: bytes, media: str, name: str) -> Response:
    return Response(content, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'})


def _board(service: Service, request: Request) -> Table:
    board = service.model_cards(service.release.id).board
    if board is None:
        raise Fault(HTTPStatus.NOT_FOUND, "no_board", "release carries no leaderboard, expected one")
    return board_table(board)


def board_table(board: Board) -> Table:
    """The leaderboard with the numbers as they were measured, not rounded; intervals of 95 %."""
    names = sorted({name for candidate in board.candidates for name in candidate.metrics})
    ordered = [board.headline, *(name for name in names if name != board.headline)]
    heads = [*ABOUT, *(f"{name}{end}" for name in ordered for end in ("", "_low", "_high")), "validation",
             "calibration_error", *MEASURED, "misses"]  # fmt: skip
    rows: list[list[Cell]] = []
    for each in board.candidates:
        found = [each.metrics.get(name) for name in ordered]
        scores: list[Cell] = [part for one in found for part in ((one.value, one.low, one.high) if one else [None] * 3)]
        measured = [getattr(each, name) for name in MEASURED]
        about: list[Cell] = [each.name, each.learner, each.name == board.chosen, each.meets_goal]
        rows.append([*about, *scores, each.validation, each.calibration_error, *measured, "; ".join(each.misses)])
    return heads, rows


def _answers(service: Service, request: Request) -> Table:
    place = owners_log(service, request).database
    told = {row["id"]: row["correct"] for row in feedback_counts(place)}
    columns = [column.name for column in service.predictor.manifest.inputs]
    last = deque(answer_rows(place), MOST_ROWS)
    ours = free_names(ANSWERED, columns)
    return [*ours.values(), *columns], [_answer(row, told, columns) for row in last]


def _answer(row: Json, told: dict[str, str], columns: Sequence[str]) -> list[Cell]:
    """judged: right, wrong, or nothing where nobody said. What was asked is there where it is kept."""
    correct, asked = told.get(row["id"]), row["inputs"] or {}
    judged = "" if correct is None else "right" if correct == row["value"] else "wrong"
    at = datetime.fromtimestamp(row["at"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    given: list[Cell] = [row["id"], at, row["release"], row["value"], row["confidence"], row["latency_ms"]]
    return [*given, correct or "", judged, *(_as_cell(asked.get(name)) for name in columns)]


def _as_cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, ensure_ascii=False)
