"""The endpoint that Hugging Face's inference clients call: `{"inputs": ...}` in, labels with scores or texts out.

Source: https://huggingface.co/docs/inference-providers/providers/hf-inference (text classification, image
classification, tabular classification, text generation), and `huggingface_hub.InferenceClient`, which reads it.
"""

import base64
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from fastapi import FastAPI, Request, Response

from windlass.errors import did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.predictors.writer import answers
from windlass.records import Answer, Json, Manifest, Row
from windlass.serving.api import openai_requests
from windlass.serving.api.foreign_rows import answered, check_count, check_model, described
from windlass.serving.contract import codec
from windlass.serving.contract.rows import check_names, check_row, wrong
from windlass.serving.runtime import cost
from windlass.serving.runtime.caller import caller_of, received
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.scheduler import LATE, WriteRequest, too_slow
from windlass.serving.runtime.service import Service, receipt

JSON = "application/json"
FIELDS = ["inputs", "table", "parameters", "options", "stream"]
WRITING = {
    "max_new_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "stop": "stop",
    "stop_sequences": "stop",
}
"""Parameter of text generation -> the same of OpenAI's interface."""
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "function_to_apply": ("softmax",),
    "best_of": (1,),
    "details": (False,),
    "decoder_input_details": (False,),
    "watermark": (False,),
    "num_return_sequences": (1,),
}
"""Parameter that is not supported -> its values under which nothing would differ; null is always one."""
PICTURE_STARTS = (b"\x89", b"\xff", b"G", b"R", b"B", b"I", b"M")
"""The first bytes of PNG, JPEG, GIF, WebP, BMP and TIFF."""
BODY: Json = {
    "type": "object",
    "properties": {
        "inputs": {"description": "a text, a picture in base64, a row, or a list of these"},
        "table": {"type": "object", "description": "column -> values, for products that read a table"},
        "parameters": {"type": "object", "description": "top_k; of texts max_new_tokens, temperature, seed ..."},
        "options": {"type": "object", "description": "accepted, not used"},
        "stream": {"type": "boolean", "enum": [False]},
    },
    "additionalProperties": False,
}
ANSWERS: Json = {
    "description": "Answers",
    "headers": {"X-Windlass-Answer": {"description": "ids for feedback", "schema": {"type": "string"}}},
    "content": {JSON: {"schema": {"type": "array", "items": {}}}},
}


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds the endpoint at `/models/{id}`, and at `/` as Inference Endpoints have it."""
    about = described("Answer inputs, as Hugging Face's Inference API has it", BODY, 400, 404, 408, 413, 415, 422, 503)
    about["responses"][200] = ANSWERS

    @app.post("/", **about)
    async def answer_inputs(request: Request) -> Response:
        return await _answer(service, request)

    @app.post("/models/{id}", **about)
    async def answer_inputs_by_name(id: str, request: Request) -> Response:
        check_model(id, service.release)
        return await _answer(service, request)


async def _answer(service: Service, request: Request) -> Response:
    content = await service.aside(len(body := received(request)), lambda: _object(body))
    if service.writer is not None:
        return await _write(service, request, content)
    count = _top_k(content)
    given = await answered(service, request, lambda _, manifest: _rows(content, manifest, service.settings.max_rows))
    is_one = not isinstance(content.get("inputs"), list) and kinds.get(given.manifest.inputs[0].kind).is_picture
    said: list[Any] = [_scores(answer, count) for answer in given.answers]
    if _table(content) is not None:
        said = [answer.value for answer in given.answers]
    return _response(said[0] if is_one else said, given.ids)


def _response(said: Any, ids: Sequence[str]) -> Response:
    return Response(codec.dumps(said), media_type=JSON, headers={"x-windlass-answer": ",".join(ids)})


def _scores(answer: Answer, count: int | None) -> list[Json]:
    """The likeliest labels, likeliest first."""
    found = [{"label": answer.value, "score": answer.confidence}]
    found += [{"label": str(value), "score": share} for value, share in answer.alternatives]
    return found[:count]


def _object(body: bytes) -> Json:
    """The body; one that begins as no JSON does is a picture, as clients send it. Raises: Fault 400, 422."""
    if body[:1] in PICTURE_STARTS:
        return {"inputs": base64.b64encode(body).decode("ascii")}
    value = codec.loads(body)
    check_names(value, FIELDS, "body")
    for name in ("parameters", "options"):
        if not isinstance(value.get(name) or {}, dict):
            raise wrong(f"'{name}' is no object, expected one")
    if value.get("stream"):
        raise wrong("'stream' is true, expected false", "`/v1/completions` streams")
    return value


def _table(content: Json) -> Any:
    """Columns of values: `{"table": {...}}`, or inputs `{"data": {...}}`."""
    inputs = content.get("inputs")
    if isinstance(inputs, dict) and len(inputs) == 1 and isinstance(next(iter(inputs.values())), dict):
        return inputs.get("data", inputs.get("table"))
    return content.get("table")


def _rows(content: Json, manifest: Manifest, max_rows: int) -> list[Row]:
    """Raises: Fault 422."""
    table, inputs = _table(content), content.get("inputs")
    rows: list[Any] = inputs if isinstance(inputs, list) else [inputs]
    if table is not None:
        rows = _across(table)
    check_count(rows, max_rows, "'inputs'")
    names = [column.name for column in manifest.inputs]
    if not all(isinstance(row, dict) for row in rows):
        if len(names) > 1 or not all(isinstance(row, str) for row in rows):
            raise wrong(f"'inputs' is neither a text nor a row, expected rows with {expected(names)}")
        return [{names[0]: row} for row in rows]
    for number, row in enumerate(rows):
        check_row(row, names, f"row {number}")
    return rows


def _across(table: Any) -> list[Json]:
    """Columns of values as rows."""
    if not isinstance(table, dict) or not all(isinstance(values, list) for values in table.values()):
        raise wrong("'table' is not an object of lists, expected a list of values for each column")
    lengths = {len(values) for values in table.values()}
    if len(lengths) != 1:
        raise wrong("'table' has columns of different lengths, expected one value a row in each")
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def _parameters(content: Json, known: Sequence[str]) -> Json:
    """What is asked beside the inputs, with null and what changes nothing left out. Raises: Fault 422."""
    found = {}
    for name, value in (content.get("parameters") or {}).items():
        if value is None or (name in NEUTRAL and value in NEUTRAL[name]):
            continue
        if name not in known:
            raise wrong(
                f"parameter '{name[:80]}' is not supported, expected {expected(known)}", did_you_mean(name[:80], known)
            )
        found[name] = value
    return found


def _top_k(content: Json) -> int | None:
    count = _parameters(content, ["top_k"]).get("top_k")
    if count is not None and (type(count) is not int or count < 1):
        raise wrong("'top_k' is not a whole number above 0, expected how many labels to give")
    return count


async def _write(service: Service, request: Request, content: Json) -> Response:
    """Texts as text generation gives them. Raises: Fault, DataError."""
    started, is_proving = time.perf_counter(), service.is_proving(request)

    async def work(replica: Replica) -> Response:
        writer, scheduler = replica.writer, replica.scheduler
        assert writer is not None
        assert scheduler is not None
        names = (replica.release.product, replica.release.id)
        asked, is_whole = _completion(content, names[0])
        wish = openai_requests.read_completion(codec.dumps(asked), writer, names, service.settings.max_rows)
        replica.charge(cost.efforts(writer.manifest.inputs, wish.rows), caller_of(request))
        order = WriteRequest(writer.read(wish.rows), wish.how, wish.stop, wish.is_seeded)
        with replica:
            written = await scheduler.write(order, request.receive)
        if any(each.finish == LATE for each in written):
            raise too_slow(service.settings.answer_s)
        ids = [token_hex(12) for _ in written]
        if not is_proving:
            request_size = len(received(request))
            service.keep(replica, list(wish.rows), ids, answers(written), receipt(request, started, request_size))
        prompts = [next(iter(row.values())) if is_whole else "" for row in wish.rows]
        texts = [{"generated_text": prompt + each.text} for prompt, each in zip(prompts, written, strict=True)]
        return _response([[text] for text in texts] if isinstance(content.get("inputs"), list) else texts, ids)

    return await service.given(request, work)


def _completion(content: Json, model: str) -> tuple[Json, bool]:
    """The same as OpenAI's interface asks it, and whether what was asked is to stand before what was written."""
    given = _parameters(content, [*WRITING, "do_sample", "return_full_text"])
    asked: Json = {"model": model, "prompt": content.get("inputs")}
    asked |= {WRITING[name]: value for name, value in given.items() if name in WRITING}
    if given.get("do_sample") is False:
        asked["temperature"] = 0
    elif given.get("do_sample"):
        asked.setdefault("temperature", 1.0)
    return asked, bool(given.get("return_full_text"))
