"""The Open Inference Protocol (KServe's version 2): tensors in, one a column; answer, confidence and id out.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, and for
tensors in binary https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response

from windlass import __version__
from windlass.errors import did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.outputs import table as outputs
from windlass.records import Column, Json, Manifest, Row
from windlass.serving.api.foreign_rows import Answered, answered, check_count, check_model, described
from windlass.serving.contract import codec
from windlass.serving.contract.rows import check_names, wrong
from windlass.serving.runtime.service import Service

JSON = "application/json"
NUMPY = {
    "BOOL": "?",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""Datatype of the protocol -> the same in numpy; BYTES is text."""
SIZE = "inference-header-content-length"
OUTPUTS = ("label", "confidence", "id")
INFER: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "parameters": {"type": "object"},
        "inputs": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "outputs": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["inputs"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Inference:
    """A request: its id, its rows, and which outputs it wants."""

    id: str
    rows: list[Row]
    outputs: list[str]


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds what a client of the protocol may ask: who is there, is it ready, what does it read, and infer."""
    _add_state(app, service)

    @app.get("/v2/models/{id}", **described("What the model reads and gives, as KServe has it", None, 404))
    async def model_metadata(id: str) -> Response:
        check_model(id, service.release)
        return Response(codec.dumps(_metadata(service)), media_type=JSON)

    @app.post(
        "/v2/models/{id}/infer",
        **described("Answer tensors, as KServe has it", INFER, 400, 404, 408, 413, 415, 422, 503),
    )
    async def infer(id: str, request: Request) -> Response:
        check_model(id, service.release)
        found: list[Inference] = []

        def read(body: bytes, manifest: Manifest) -> list[Row]:
            found.append(_read(body, request.headers.get(SIZE), manifest, service.settings.max_rows))
            return found[0].rows

        given = await answered(service, request, read)
        return Response(codec.dumps(_given(given, id, found[0])), media_type=JSON)


def _add_state(app: FastAPI, service: Service) -> None:
    @app.get("/v2", **described("Who serves, as KServe has it", None))
    async def server_metadata() -> Response:
        content = {"name": "windlass", "version": __version__, "extensions": ["binary_tensor_data"]}
        return Response(codec.dumps(content), media_type=JSON)

    @app.get("/v2/health/live", **described("Does it run, as KServe has it", None))
    async def server_live() -> Response:
        return Response(codec.dumps({"live": True}), media_type=JSON)

    @app.get("/v2/health/ready", **described("Can it answer, as KServe has it", None, 503))
    async def server_ready() -> Response:
        return Response(codec.dumps({"ready": not service.proof}), 503 if service.proof else 200, media_type=JSON)

    @app.get("/v2/models/{id}/ready", **described("Can the model answer, as KServe has it", None, 404, 503))
    async def model_ready(id: str) -> Response:
        check_model(id, service.release)
        content = {"name": id, "ready": not service.proof}
        return Response(codec.dumps(content), 503 if service.proof else 200, media_type=JSON)


def _datatype(column: Column) -> str:
    return "FP64" if kinds.get(column.kind).stored_as is float else "BYTES"


def _metadata(service: Service) -> Json:
    inputs = service.predictor.manifest.inputs
    return {
        "name": service.release.product,
        "versions": [service.release.id],
        "platform": f"windlass_{service.predictor.manifest.predictor}",
        "inputs": [{"name": column.name, "datatype": _datatype(column), "shape": [-1]} for column in inputs],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1]}
            for name, datatype in _datatypes(service.predictor.manifest).items()
        ],
    }


def _datatypes(manifest: Manifest) -> dict[str, str]:
    """Tensor of an answer -> its type: a number is one, any other value is text, JSON where it is none."""
    schema = outputs.get(manifest.output.kind).answer_schema(manifest.output)
    return {"label": "FP64" if schema["type"] == "number" else "BYTES", "confidence": "FP64", "id": "BYTES"}


def _plain(value: Any) -> str | float:
    return value if isinstance(value, str | float | int) else codec.dumps(value).decode("utf-8")


def _given(given: Answered, model: str, asked: Inference) -> Json:
    columns: dict[str, list[Any]] = {
        "label": [_plain(answer.value) for answer in given.answers],
        "confidence": [answer.confidence for answer in given.answers],
        "id": given.ids,
    }
    tensors = [
        {"name": name, "datatype": datatype, "shape": [len(given.ids)], "data": columns[name]}
        for name, datatype in _datatypes(given.manifest).items()
        if name in asked.outputs
    ]
    named = {"id": asked.id} if asked.id else {}
    return {"model_name": model, "model_version": given.release.id, **named, "outputs": tensors}


def _read(body: bytes, size: str | None, manifest: Manifest, max_rows: int) -> Inference:
    """size: bytes of the JSON, where tensors in binary stand behind it. Raises: Fault 400, 422."""
    n_bytes = int(size) if size and size.isdigit() and len(size) < 16 else len(body)
    value = codec.loads(body[:n_bytes])
    check_names(value, ["id", "parameters", "inputs", "outputs"], "body")
    tensors = value.get("inputs")
    if not isinstance(tensors, list) or not tensors:
        raise wrong("'inputs' is no list of tensors, expected one for each column")
    binary = memoryview(body)[n_bytes:]
    names = [column.name for column in manifest.inputs]
    columns: dict[str, list[Any]] = {}
    for tensor in tensors:
        name, values, binary = _tensor(tensor, names, binary)
        if name in columns:
            raise wrong(f"'inputs' has the tensor '{name}' twice, expected each once")
        columns[name] = values
    missing = [name for name in names if name not in columns]
    if missing:
        raise wrong(f"'inputs' has no tensor '{missing[0]}', expected {expected(names)}")
    if len({len(values) for values in columns.values()}) != 1:
        raise wrong("'inputs' has tensors of different lengths, expected one value a row in each")
    rows: list[Row] = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    check_count(rows, max_rows, "'inputs'")
    id = value.get("id", "")
    if not isinstance(id, str) or len(id) > 200:
        raise wrong("'id' is not text of at most 200 characters, expected such a text")
    return Inference(id, rows, _wanted(value.get("outputs")))


def _wanted(asked: Any) -> list[str]:
    known = list(OUTPUTS)
    if not asked:
        return known
    if not isinstance(asked, list):
        raise wrong(f"'outputs' is no list, expected some of {expected(known)}")
    wanted = [each.get("name") if isinstance(each, dict) else None for each in asked]
    if any(name not in known for name in wanted):
        raise wrong(f"'outputs' asks for another tensor, expected {expected(known)}")
    return [name for name in known if name in wanted]


def _tensor(tensor: Any, names: Sequence[str], binary: memoryview) -> tuple[str, list[Any], memoryview]:
    """Name and values of a tensor, and what is left of the binary part. Raises: Fault 422."""
    check_names(tensor, ["name", "shape", "datatype", "parameters", "data"], "tensor")
    name, datatype, shape = tensor.get("name"), tensor.get("datatype"), tensor.get("shape")
    if name not in names:
        raise wrong(f"tensor is '{str(name)[:80]}', expected {expected(names)}", did_you_mean(str(name)[:80], names))
    if not isinstance(datatype, str) or datatype not in ("BYTES", *NUMPY):
        raise wrong(f"datatype of tensor '{name}' is unknown, expected {expected(['BYTES', *NUMPY])}")
    length = _length(shape, name)
    parameters = tensor.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise wrong(f"parameters of tensor '{name}' are no object, expected one")
    size = parameters.get("binary_data_size")
    if size is None:
        values = tensor.get("data")
        if isinstance(values, list) and len(shape) == 2:
            values = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in values]
    elif type(size) is int and 0 <= size <= len(binary):
        values, binary = _unpacked(binary[:size], datatype, name), binary[size:]
    else:
        raise wrong(f"tensor '{name}' has fewer bytes than its 'binary_data_size', expected all of them")
    if not isinstance(values, list) or len(values) != length:
        raise wrong(f"data of tensor '{name}' is not a list of {length:,} values, expected as many as its shape says")
    return name, values, binary


def _length(shape: Any, name: str) -> int:
    is_good = isinstance(shape, list) and len(shape) in (1, 2) and all(type(side) is int for side in shape)
    if not is_good or shape[0] < 0 or shape[1:] not in ([], [1]):
        raise wrong(f"shape of tensor '{name}' is not [rows] or [rows, 1], expected one value a row")
    return shape[0]


def _unpacked(content: memoryview, datatype: str, name: str) -> list[Any]:
    """Values in binary; NaN becomes null. Raises: Fault 422."""
    try:
        if datatype == "BYTES":
            return _texts(content)
        values = np.frombuffer(content, NUMPY[datatype]).tolist()
    except (ValueError, struct.error):
        raise wrong(f"tensor '{name}' is damaged, expected {datatype} in binary") from None
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]


def _texts(content: memoryview) -> list[str]:
    """Texts, each behind its length in four bytes, low byte first. Raises: ValueError, struct.error."""
    found, at = [], 0
    while at < len(content):
        (length,) = struct.unpack_from("<I", content, at)
        if at + 4 + length > len(content):
            raise ValueError(length)
        found.append(bytes(content[at + 4 : at + 4 + length]).decode("utf-8"))
        at += 4 + length
    return found
