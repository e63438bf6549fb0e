"""Refused questions that wait for a person, and what a person says is right: the owner's word, by a key that may."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import Field

from windlass.database.people_answers import (
    DOCUMENT,
    PeopleAnswers,
    PersonAnswer,
    RefusedQuestion,
    people_answers,
    refused_questions,
    waits,
)
from windlass.database.request_log import Feedback
from windlass.kinds.contract import is_missing
from windlass.predictors.contract import seen_by
from windlass.records import Json, Passage, Row
from windlass.serving.api.confirmed import judged_by, stored_feedback
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.rows import check_row, read_object, wrong
from windlass.serving.contract.schema import json_body, request_schema, responses
from windlass.serving.runtime.caller import received
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.service import Service, caller
from windlass.strict_yaml import Exact

MOST_GROUPS, MOST_IDS, MOST_TESTS = 200, 500, 500
PUBLISHED, PICKED, NOTHING = "published", "picked", "nothing answers"
JSON = "application/json"


class AskedQuestion(Exact):
    row: dict[str, Any]
    ids: list[str] = Field(description="of the answers that refused it, the latest first")
    times: int = Field(description="how often it was asked")


class RefusedGroup(Exact):
    name: str
    times: int = Field(description="how often its questions were asked, together")
    latest: float = Field(description="seconds since 1970")
    questions: list[AskedQuestion]
    proposed: list[Any] = Field(description="right answers that somebody gave without publishing them")


class PeopleTest(Exact):
    row: dict[str, Any]
    answer: dict[str, Any]
    holds: bool = Field(description="the release answers so now")


class Refusals(Exact):
    release: str
    keeps_inputs: bool = Field(description="false: what is asked is not kept, and no refusal can wait here")
    waiting: int
    groups: list[RefusedGroup]
    tests: list[PeopleTest] = Field(description="what people answered before")


class SettledRefusals(Exact):
    number: int
    settled: int = Field(description="answers that had refused, and wait no more")
    state: str = Field(description="'published', 'picked' or 'nothing answers'")
    answer: dict[str, Any]


@dataclass
class _Tested:
    """Which tests hold, found once a release and a last answer of people."""

    of: tuple[str, int, int] = ("", 0, 0)
    holds: list[bool] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds the queue, where answers can be refusals that wait for a person."""
    if not service.replica.output.cites:
        return
    tested, output = _Tested(), service.replica.output
    correction = output.feedback_schema(service.predictor.manifest.output)
    ids = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_IDS}
    row = request_schema(service.predictor.manifest, 1)["oneOf"][0]["properties"]["row"]
    body = {"type": "object", "properties": {"ids": ids, "row": row, "correct": correction},
            "required": ["ids", "correct"], "additionalProperties": False}  # fmt: skip

    @app.get(
        "/v1/refusals",
        summary="Refused questions that wait for a person",
        responses=responses(Refusals, 401, 403, 429, 503),
    )
    async def waiting(request: Request) -> Response:
        log = owners_log(service, request)
        place = log.database
        questions, said = await asyncio.to_thread(lambda: (refused_questions(place, _refuses(service)),
                                                           people_answers(place)))  # fmt: skip
        left = waits(questions, said)
        replica, shown = service.replica, said[-MOST_TESTS:][::-1]
        with replica:
            holds = await _holds(replica, shown, tested)
        tests = [{"row": each.inputs, "answer": each.answer, "holds": is_so}
                 for each, is_so in zip(shown, holds, strict=True)]  # fmt: skip
        groups = await asyncio.to_thread(_groups, left)
        found = {"release": replica.release.id, "keeps_inputs": service.settings.keep_inputs, "waiting": len(left),
                 "groups": groups[:MOST_GROUPS], "tests": tests}  # fmt: skip
        return Response(codec.dumps(found), media_type=JSON)

    @app.post(
        "/v1/refusals",
        summary="Say what is right, and publish it",
        openapi_extra=json_body(body),
        responses=responses(SettledRefusals, 400, 401, 403, 404, 408, 413, 415, 422, 429, 503, 507),
    )
    async def settle(request: Request) -> Response:
        log, replica = owners_log(service, request), service.replica
        given = read_object(received(request), ("ids", "row", "correct"), "body")
        named = _ids(given)
        known = await asyncio.to_thread(refused_questions, log.database, _refuses(service))
        of = {each.id: each for each in known}
        if lost := [id for id in named if id not in of]:
            message = f"answer '{lost[0]}' does not wait, expected ids of refusals that do"
            raise Fault(HTTPStatus.NOT_FOUND, "unknown_answer", message, "load the page again")
        row = _row(given, of[named[0]].inputs, replica)
        answer, state = right_answer(given.get("correct"), row, replica)
        said = PersonAnswer(row, answer, tuple(named), caller(request))
        number = await asyncio.to_thread(_added, PeopleAnswers(log.database, log.clock), said)
        correct = replica.output.kept_as(answer)
        for id in named:
            told = Feedback(id, correct, None, f"refusal:{number}:{id}", caller=said.caller)
            stored = await stored_feedback(log, judged_by(replica, told))
            service.told(stored.release, stored.right)
        found = {"number": number, "settled": len(named), "state": state, "answer": answer}
        return Response(codec.dumps(found), media_type=JSON)


def check_owner(service: Service, request: Request) -> None:
    """Raises: Fault 403: others reach the service, and no key says who the owner is."""
    if service.settings.is_public and not caller(request):
        raise Fault(
            HTTPStatus.FORBIDDEN,
            "low_scope",
            "service is open to others without keys, expected a key with scope 'admin': who may publish answers is its "
            "owner",
            "`windlass keys create owner --scope admin`",
        )


def owners_log(service: Service, request: Request) -> Any:
    """The log. Raises: Fault 503: there is none; 403: as `check_owner`."""
    check_owner(service, request)
    if service.log is None:
        raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable", "server keeps no log, expected one")
    return service.log


def _refuses(service: Service) -> Any:
    output = service.replica.output
    return lambda value: output.refuses(output.value_of(value))


async def _holds(replica: Replica, said: Sequence[PersonAnswer], tested: _Tested) -> list[bool]:
    async with tested.lock:
        of = (replica.release.id, len(said), max((each.number for each in said), default=0))
        if tested.of != of:
            tested.holds = await replica.beside(lambda: _tested(replica, said))
            tested.of = of
        return tested.holds


def _tested(replica: Replica, said: Sequence[PersonAnswer]) -> list[bool]:
    names = {column.name for column in replica.predictor.manifest.inputs}
    asked = [each for each in said if each.inputs.keys() == names]
    predictor = seen_by(replica.predictor, None)  # as `improve` tests them: a right answer may stand in any document
    answers = iter(predictor.answer([each.inputs for each in asked]) if asked else [])
    return [
        each.inputs.keys() == names and replica.output.is_right(next(answers).value, each.answer, {}) for each in said
    ]


def _groups(questions: Sequence[RefusedQuestion]) -> list[Json]:
    texts = ["\n".join(map(str, each.inputs.values())) for each in questions]
    found = []
    from windlass.predictors.passages.questions import grouped  # here: other products have no passages

    for group in grouped(texts):
        members = [questions[place] for place in group.places]
        same: dict[str, list[RefusedQuestion]] = {}
        for place in group.places:
            same.setdefault(texts[place], []).append(questions[place])
        asked = [{"row": each[0].inputs, "ids": [one.id for one in each][:MOST_IDS], "times": len(each)}
                 for each in same.values()]  # fmt: skip
        proposed = [codec.loads(text.encode()) for text in Counter(each.proposed for each in members if each.proposed)]
        found.append({"name": group.name, "times": len(members), "latest": max(each.at for each in members),
                      "questions": asked, "proposed": proposed})  # fmt: skip
    return found


def _ids(given: Json) -> list[str]:
    ids = given.get("ids")
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids) or not 0 < len(ids) <= MOST_IDS:
        raise wrong(f"'ids' is no list of 1 to {MOST_IDS} ids, expected those of answers that refused")
    return list(dict.fromkeys(ids))


def _row(given: Json, asked: Row, replica: Replica) -> Row:
    """The question as it is published. Raises: Fault 422."""
    if "row" not in given:
        return asked
    names = [column.name for column in replica.predictor.manifest.inputs]
    check_row(given["row"], names, "row")
    row: Row = {name: " ".join(value.split()) if isinstance(value := given["row"][name], str) else "" for name in names}
    if not all(row.values()):
        raise wrong("'row' has a column without text, expected the question as it is to be answered")
    return row


def right_answer(correct: Any, row: Row, replica: Replica) -> tuple[Json, str]:
    """The right answer's parts, and what becomes of it. Raises: Fault 422, DataError: it cannot be said or cited."""
    parts = replica.output.read_correction(replica.predictor.manifest.output, correct)
    if is_missing(parts):
        raise wrong("'correct' is missing, expected what is right, or {} where no document answers")
    if replica.output.refuses(parts):
        return {}, NOTHING
    replica.output.check_correction(seen_by(replica.predictor, None), parts)  # the owner's word
    if parts.get("document"):
        return parts, PICKED
    text = " ".join(str(parts.get("text") or parts.get("quote") or "").split())
    from windlass.predictors.passages.engine import readable

    sayable = readable(Passage(DOCUMENT, (), 0, 0, len(text), text))
    if not sayable.strip():
        raise wrong(
            "answer is a question or an order to who answers, expected a sentence that says what is right",
            "write it as a statement",
        )
    return {"text": text, "document": DOCUMENT, "quote": text}, PUBLISHED


def _added(people: PeopleAnswers, said: PersonAnswer) -> int:
    try:
        return people.add(said)
    finally:
        people.close()
