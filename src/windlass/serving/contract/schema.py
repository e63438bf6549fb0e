"""What requests and answers look like, as JSON schemas: the rows of this very release among them."""

from typing import Any

from pydantic import BaseModel, Field

from windlass.records import Column, Json, Manifest
from windlass.strict_yaml import Exact

MAX_KEY = 200
"""Characters of an Idempotency-Key."""


class Alternative(Exact):
    value: Any
    confidence: float = Field(ge=0, le=1)


class Interval(Exact):
    low: float
    high: float
    share: float = Field(gt=0, lt=1, description="of all answers whose right number lies between the two")


class GivenAnswer(Exact):
    id: str = Field(description="names this answer in feedback")
    value: Any = Field(description="the answer")
    confidence: float | None = Field(
        ge=0, le=1, description="calibrated probability that it is right; of a text the mean probability of its tokens"
    )
    alternatives: list[Alternative] = Field(description="what else it could be, likeliest first")
    evidence: list[str] = Field(
        default=[],
        description="what the answer rests on, what was left out of it, or what of the row training did not know",
    )
    hand_over: bool = Field(
        default=False, description="a person's look is cheaper than this answer is expected to be, by `costs`"
    )
    interval: Interval | None = Field(
        default=None, description="of a number, or of how many boxes there are: where the right one lies"
    )


class Prediction(Exact):
    release: str = Field(description="the release that answered")
    answers: list[GivenAnswer] = Field(description="one a row, in order")


class FeedbackRequest(Exact):
    id: str = Field(max_length=64, description="the id of an answer")
    correct: Any = Field(None, description="what the answer should have been")
    right: bool | None = Field(None, description="whether it was right, when nobody says what it should have been")
    note: str | None = Field(None, max_length=2_000)


class FeedbackStored(Exact):
    id: str
    correct: Any = Field(description="empty: wrong, and nobody said what would have been right")
    right: bool | None = Field(description="the answer was right; null: who asked for it may see other documents")
    new_label: bool = Field(description="true when the release does not know this label")
    at: float = Field(description="when it was stored: seconds since 1970, UTC")
    teaches: bool = Field(description="true when `windlass improve` can learn from it: what was asked is kept")
    hint: str = Field(description="why it cannot teach; empty: it can, or nobody said what is right")


class Forgotten(Exact):
    id: str
    forgotten: bool


class Health(Exact):
    status: str = Field(description="'ready', or 'proving' until the golden rows were answered right")
    product: str
    release: str
    started: str
    log: str = Field(description="'writing', 'read-only' or 'off'")
    keeps_inputs: bool = Field(description="true when what is asked is kept, so that feedback can teach")
    refused: str = Field(description="why the champion of the store is not the release that serves; empty: it is")
    trial: str = Field(description="the release on trial beside it; empty: none")


class ErrorContent(Exact):
    kind: str = Field(description="a word that programs can test")
    message: str
    hint: str
    id: str


class Error(Exact):
    error: ErrorContent


VALUE: dict[str, Json] = {
    "text": {"type": ["string", "null"], "maxLength": 100_000},
    "chat": {
        "type": ["array", "null"],
        "maxItems": 1_000,
        "items": {
            "type": "object",
            "properties": {
                "role": {"type": "string", "enum": ["system", "user", "assistant"]},
                "content": {"type": "string", "maxLength": 100_000},
            },
            "required": ["role", "content"],
            "additionalProperties": False,
        },
    },
    "number": {"type": ["number", "string", "null"]},
    "category": {"type": ["string", "number", "boolean", "null"]},
    "date": {"type": ["string", "null"], "description": "such as 2026-03-31"},
    "image": {"type": "string", "description": "base64, or a data: URI"},
}
"""kind -> schema of its value in a request."""


def row_schema(inputs: tuple[Column, ...]) -> Json:
    """One row of this release: exactly its columns."""
    return {
        "type": "object",
        "properties": {column.name: VALUE.get(column.kind, {}) for column in inputs},
        "required": [column.name for column in inputs],
        "additionalProperties": False,
    }


def request_schema(manifest: Manifest, max_rows: int) -> Json:
    """`{"row": {...}}` or `{"rows": [...]}`."""
    row = row_schema(manifest.inputs)
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": max_rows}
    return {
        "oneOf": [
            {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}
            for name, schema in (("row", row), ("rows", rows))
        ]
    }


def json_body(schema: Json) -> Json:
    """The part of an operation that describes its body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def key_header(description: str) -> Json:
    """The header that makes a request safe to repeat, as a parameter of an operation."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    }


def responses(answer: type[BaseModel], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answer, and the statuses that an error may have."""
    described: dict[int | str, dict[str, Any]] = {200: {"model": answer}}
    return {**described, **{status: {"model": Error} for status in (*statuses, 421, 500)}}
