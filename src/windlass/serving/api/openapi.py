"""What `/openapi.json` says: this very release, with its columns, its labels and examples that are answered.

Source: OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0. Client generators name their types after its components.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from windlass.database.backend import RETRY_AFTER_S
from windlass.kinds import table as kinds
from windlass.kinds.points.reading import brief_series
from windlass.language.chosen import translated
from windlass.outputs import table as outputs
from windlass.records import Column, Json, Manifest, Release
from windlass.serving.contract.routes import ROUTES, Route
from windlass.serving.contract.schema import FeedbackRequest, row_schema

JSON = "application/json"
PIXEL = "R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="
EXAMPLES: dict[str, Any] = {
    "text": "an example",
    "chat": [{"role": "user", "content": "an example"}],
    "number": 1.0,
    "category": "an example",
    "date": "2026-03-31",
    "image": PIXEL,
    "items": ["i3", "i9"],
}
"""kind -> a value that can be read."""
ERRORS = {
    "400": ("bad_json", "body is not JSON at character 0: Expecting value, expected one JSON value", ""),
    "404": ("not_found", "there is no such answer, expected the id of one", ""),
    "422": ("data_error", "row 0 has no 'message', expected 'message'", "send null for a missing value"),
    "503": (
        "overloaded",
        "server has 64 predictions waiting, expected fewer",
        f"send it again after {RETRY_AFTER_S} s",
    ),
}
"""Status -> an error as it may come: kind, message, hint."""
TAGS = (
    ("/v2", "kserve"),
    ("/models", "huggingface"),
    ("/v1/chat", "openai"),
    ("/v1/completions", "openai"),
    ("/v1/embeddings", "openai"),
    ("/v1/models", "openai"),
    ("/v1", "product"),
)
"""How a path begins -> the interface that it belongs to; a generated client has a folder for each."""


def operation_id(route: APIRoute) -> str:
    """The name of the function: what a generated client calls its own."""
    return route.name


def describe(app: FastAPI, release: Release, manifest: Manifest, max_rows: int) -> Json:
    """The description of what this application serves now."""
    content: Json = {**app.openapi(), "info": {"title": release.product, "version": release.id}}
    content["info"]["description"] = f"Answers '{manifest.output.name}' from {_listed(manifest.inputs)}."
    schemas = {**content["components"]["schemas"], **_asked(manifest, max_rows)}
    schemas["GivenAnswer"] = _answer(schemas["GivenAnswer"], manifest.output)
    keyed = {"key": {"type": "http", "scheme": "bearer", "description": "made by `windlass keys create`"}}
    content["components"] = {**content["components"], "schemas": schemas, "securitySchemes": keyed}
    paths = {path: {**methods} for path, methods in content["paths"].items()}
    for path, methods in paths.items():
        for method, operation in methods.items():
            responses = _with_examples(operation["responses"])
            methods[method] = {**operation, "tags": [_tag(path)], "responses": responses}
            methods[method] |= _guarded(ROUTES[method.upper(), path], responses)
    paths["/v1/predict"]["post"]["requestBody"] = _body("PredictRequest")
    paths["/v1/feedback"]["post"]["requestBody"] = _body("FeedbackRequest")
    return _told({**content, "paths": paths})


TOLD, OWN = frozenset({"summary", "description"}), frozenset({"example", "examples", "default", "enum", "const"})
"""Keys of texts for people; keys of values, which stay as they are."""


def _told(part: Any) -> Any:
    """The description in the language that is spoken."""
    if isinstance(part, list):
        return [_told(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: translated(" ".join(each.split())) if key in TOLD and isinstance(each, str) else each if key in OWN
        else _told(each) for key, each in part.items()
    }  # fmt: skip


def _listed(inputs: tuple[Column, ...]) -> str:
    return ", ".join(f"'{column.name}' ({column.kind})" for column in inputs)


def _body(name: str) -> Json:
    return {"required": True, "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def _asked(manifest: Manifest, max_rows: int) -> Json:
    """The types of requests: a row of this release, one or several of them, and feedback."""
    row = {"$ref": "#/components/schemas/Row"}
    example = {column.name: _example(column) for column in manifest.inputs}
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": max_rows}
    output, feedback = outputs.get(manifest.output.kind), FeedbackRequest.model_json_schema()
    said = {"anyOf": [output.feedback_schema(manifest.output), {"type": "null"}]}
    correct = {**feedback["properties"]["correct"], **said}
    told = {"id": "0f3a9c5d7e1b2846aa90c4d2", "correct": output.example(manifest.output)}
    feedback = {**feedback, "properties": {**feedback["properties"], "correct": correct}}
    return {
        "Row": {**row_schema(manifest.inputs), "title": "Row", "examples": [example]},
        "OneRow": _holding("row", row, "OneRow"),
        "Rows": _holding("rows", rows, "Rows"),
        "PredictRequest": {
            "title": "PredictRequest",
            "oneOf": [{"$ref": "#/components/schemas/Rows"}, {"$ref": "#/components/schemas/OneRow"}],
            "examples": [{"rows": [example]}, {"row": example}],
        },
        "FeedbackRequest": {**feedback, "examples": [told]},
    }


def _holding(name: str, schema: Json, title: str) -> Json:
    return {
        "title": title,
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }


def _example(column: Column) -> Any:
    if kinds.get(column.kind).has_points:
        return brief_series(column.state)
    levels = column.state.get("levels")
    return levels[0] if levels else EXAMPLES.get(column.kind)


def _answer(schema: Json, output: Column) -> Json:
    """The type of an answer, as the output's schema has it."""
    value = outputs.get(output.kind).answer_schema(output)
    return {**schema, "properties": {**schema["properties"], "value": value}}


def _with_examples(responses: Json) -> Json:
    """The responses, errors of ours with an example, and 503 with the header that says when to come back."""
    described = {}
    for status, response in responses.items():
        is_ours = response.get("content", {}).get(JSON, {}).get("schema") == {"$ref": "#/components/schemas/Error"}
        if is_ours and status in ERRORS:
            kind, message, hint = ERRORS[status]
            said = {"message": translated(message), "hint": translated(hint)}
            error = {"error": {"kind": kind, **said, "id": "5f0c2b91ad37"}}
            response = {**response, "content": {JSON: {**response["content"][JSON], "example": error}}}
        if status == "503":
            response = {**response, "headers": {"Retry-After": {"schema": {"type": "integer"}}}}
        described[status] = response
    return described


def _guarded(route: Route, responses: Json) -> Json:
    """What is said of an operation that asks for a key, once there is one."""
    if route.scope == "public":
        return {}
    refused = {"401": "no key, or one that is not valid", "403": "a key without this scope", "429": "too many requests"}
    described = {status: {"description": said} for status, said in refused.items()}
    return {"security": [{}, {"key": [route.scope]}], "responses": {**described, **responses}}


def _tag(path: str) -> str:
    if path == "/":
        return "huggingface"
    return next((tag for start, tag in TAGS if path == start or path.startswith(f"{start}/")), "state")
