"""OpenAI's chat route for answers out of documents: the words as content, where they stand as annotations.

Source: OpenAI's API reference, https://platform.openai.com/docs/api-reference (chat; `file_citation` as in Responses).
"""

import time
from functools import partial

from fastapi import FastAPI, Request, Response

from windlass.predictors.passages.answerer import Answerer
from windlass.predictors.reading.generative import language_of
from windlass.records import Answer, Json
from windlass.serving.api import openai
from windlass.serving.api.foreign_rows import Answered, answered
from windlass.serving.api.openai_answers import LAST, event
from windlass.serving.api.openai_requests import ChatRequest, read_question
from windlass.serving.contract import codec
from windlass.serving.runtime.caller import caller_of, received
from windlass.serving.runtime.service import Service

REFUSED = {
    "en": "No document answers this for certain. Please ask a person.",
    "zh": "现有文档没有确切的答案，请咨询工作人员。",
}
OTHERWISE = {"en": "Another passage says otherwise: ", "zh": "另有段落说法不同："}


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds the route where answers cite, and the names of the model."""
    if not service.replica.output.cites:
        return
    openai.add_models(app, service)

    @app.post("/v1/chat/completions", **openai.described("Answer a question out of documents", ChatRequest))
    async def chat(request: Request) -> Response:
        names = openai.names_of(service.replica)
        predictor = service.predictor
        row, turns, streams = read_question(received(request), predictor.manifest.inputs, names)
        if len(turns) > 1 and isinstance(predictor, Answerer):
            row = {
                next(iter(row)): await service.beside(
                    partial(predictor.seen_by(caller_of(request).names).standalone, turns)
                )
            }
        given = await answered(service, request, lambda body, manifest: [row])
        question = " ".join(map(str, row.values()))
        if streams:
            return Response(_events(given, question, names[0]), media_type="text/event-stream")
        return Response(codec.dumps(_whole(given, question, names[0])), media_type=openai.JSON)


def _whole(given: Answered, question: str, model: str) -> Json:
    message = {"role": "assistant", "refusal": None, **_message(given.answers[0], question)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    counts = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
    return {**_envelope(given, "chat.completion", model), "choices": [choice], "usage": counts}


def _events(given: Answered, question: str, model: str) -> bytes:
    """The whole answer at once: it is found, not written."""
    envelope = _envelope(given, "chat.completion.chunk", model)
    deltas = [{"role": "assistant", "content": "", "refusal": None}, _message(given.answers[0], question), {}]
    ends = [None, None, "stop"]
    return (
        b"".join(
            event({**envelope, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}]})
            for delta, end in zip(deltas, ends, strict=True)
        )
        + LAST
    )


def _envelope(given: Answered, what: str, model: str) -> Json:
    return {"id": given.ids[0], "object": what, "created": int(time.time()), "model": model,
            "system_fingerprint": given.release.id}  # fmt: skip


def _message(answer: Answer, question: str) -> Json:
    """Content and annotations; indices count characters of the content."""
    value, content, annotations = answer.value, "", list[Json]()
    otherwise = OTHERWISE[language_of(question)]
    others = [{"text": f"\n{otherwise}{each['quote']}", "citations": [each]} for each in value.get("conflicts", ())]
    for sentence in [*value["sentences"], *others]:
        start = len(content) + bool(content)
        content = f"{content} {sentence['text']}".strip()
        for citation in sentence["citations"]:
            named = {"filename": citation["document"], "file_id": citation["document"], "quote": citation["quote"]}
            place = {"page": citation["page"], "start": citation["start"], "end": citation["end"]}
            at = {"start_index": start, "end_index": len(content)}
            annotations.append({"type": "file_citation", "file_citation": {**named, **place, **at}})
    return {"content": content or REFUSED[language_of(question)], "annotations": annotations}
