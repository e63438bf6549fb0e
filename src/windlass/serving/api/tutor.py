"""A learner works through exercises: which comes next, whether an answer is right, and what is known by then.

A try is an answer of the log with feedback, as any other: the chance that was told before it, and what came of it. So
`improve` learns from it, `watch` measures it, and it can be forgotten.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from secrets import token_hex
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import Field

from windlass.database.request_log import Feedback, RequestLog
from windlass.kinds import table as kinds
from windlass.kinds.items import MOST_BEFORE, History, item_id
from windlass.predictors.recommend.tracing.marking import MOST, is_right
from windlass.predictors.recommend.tracing.tutoring import Tutor
from windlass.records import Json, Manifest, Row, as_json
from windlass.records.tutoring import LearnerState
from windlass.serving.api.confirmed import judged_by, stored_feedback
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.rows import read_object, wrong
from windlass.serving.contract.schema import json_body, responses
from windlass.serving.runtime.caller import received
from windlass.serving.runtime.learner_log import LearnerLog, joined
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.service import Service, caller, receipt
from windlass.strict_yaml import Exact

JSON = "application/json"
NAME: Json = {"type": "string", "maxLength": 200, "description": "whose; anybody new begins at the start"}
ASKED: Json = {"type": "object", "properties": {"learner": NAME}, "required": ["learner"],
               "additionalProperties": False}  # fmt: skip
TRIED: Json = {
    "type": "object",
    "properties": {
        "learner": NAME,
        "exercise": {"type": "string", "description": "one of the content file"},
        "written": {"type": "string", "maxLength": MOST, "description": "what the learner answered"},
        "right": {"type": "boolean", "description": "instead of it, where the content file tells no answer"},
    },
    "required": ["learner", "exercise"],
    "additionalProperties": False,
}


class Standing(Exact):
    release: str
    learner: str
    tried: int
    right: float = Field(ge=0, le=1, description="share of the tries")
    share: float = Field(ge=0, le=1, description="of all exercises that would be right now")
    skills: list[dict[str, Any]] = Field(description="each with share, low and high (90 %), tries, days, needs")
    suggestions: list[dict[str, Any]] = Field(
        description="what to try next, the best first, with hint and worked example; the answer is told after a try"
    )


class Tried(Exact):
    id: str = Field(description="names the try in feedback, and where it is to be forgotten")
    right: bool
    answer: str = Field(description="of the content file; empty: it tells none")
    next: Standing


class Desk:
    """What the routes share: the tutor of the release that serves, and what was tried since it was made."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._tutors: dict[str, Tutor] = {}
        self._logs: dict[tuple[str, str, str], LearnerLog] = {}

    @property
    def log(self) -> RequestLog:
        """Raises: Fault 503: what is tried is not kept."""
        if self.service.log is None or not self.service.settings.keep_inputs:
            message = "service keeps nothing of what is asked, expected a log in which tries stay"
            raise Fault(
                HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable", message, "`keep_inputs: true` in windlass.yaml"
            )
        return self.service.log

    def tutor(self, replica: Replica) -> Tutor:
        """Raises: NotReady: the release does not tell what a try teaches."""
        release = replica.release.id
        if release not in self._tutors:
            self._tutors = {release: Tutor.of(replica.predictor)}
        return self._tutors[release]

    def histories(self, replica: Replica) -> dict[str, History]:
        """Of all learners, until now. Raises: DataError: the log cannot be read."""
        manifest = replica.predictor.manifest
        key = (*columns(manifest), str(manifest.settings["right"]))
        if key not in self._logs:
            self._logs = {key: LearnerLog(self.log.database, *key)}
        return joined(self.tutor(replica).known, self._logs[key].read())

    def of(self, replica: Replica, learner: str) -> History:
        return self.histories(replica).get(learner, History(user=learner, whole=True))

    def standing(self, replica: Replica, learner: str) -> Json:
        """Where the learner stands now, and what comes next."""
        (state,) = self.tutor(replica).states({learner: self.of(replica, learner)}, time.time())
        return {"release": replica.release.id, **told(state)}


def columns(manifest: Manifest) -> tuple[str, str]:
    """The names of what was tried before, and of what is tried now."""
    past = next(column.name for column in manifest.inputs if kinds.get(column.kind).has_events)
    return past, next(column.name for column in manifest.inputs if column.name != past)


def told(state: LearnerState) -> Json:
    """What a learner may know: of what is to be tried not the answer, but whether it will be checked."""
    found: Json = {**as_json(state), "share": state.share}
    found["suggestions"] = [
        {**{name: value for name, value in each.items() if name != "answer"}, "is_checked": bool(each["answer"])}
        for each in found["suggestions"]
    ]
    return found


def fits(manifest: Manifest) -> bool:
    """Whether such a release says what to try next."""
    return manifest.predictor == "tracer" and manifest.settings.get("tracer") == "growth"


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `POST /v1/tutor` and `POST /v1/tutor/answers`, where the release says what to try next."""
    if not fits(service.predictor.manifest):
        return
    desk = app.state.desk = Desk(service)

    @app.post(
        "/v1/tutor",
        summary="Where a learner stands, and what to try next",
        openapi_extra=json_body(ASKED),
        responses=responses(Standing, 400, 408, 413, 415, 422, 503),
    )
    async def standing(request: Request) -> Response:
        learner = _learner(read_object(received(request), ("learner",), "body"))
        desk.log  # noqa: B018  refuses where nothing is kept
        replica = service.replica
        with replica:
            found = await replica.beside(partial(desk.standing, replica, learner))
        return Response(codec.dumps(found), media_type=JSON)

    @app.post(
        "/v1/tutor/answers",
        summary="Answer an exercise",
        openapi_extra=json_body(TRIED),
        responses=responses(Tried, 400, 404, 408, 409, 413, 415, 422, 503, 507),
    )
    async def answers(request: Request) -> Response:
        started = time.perf_counter()
        said = read_object(received(request), ("learner", "exercise", "written", "right"), "body")
        learner, log, replica = _learner(said), desk.log, service.replica
        with replica:
            was_right, answer = _marked(desk.tutor(replica), said)
            row = await replica.beside(partial(_row, desk, replica, learner, str(said["exercise"])))
            given = await service.answer(request, lambda chosen: [row])
            (id,) = ids = [token_hex(12)]
            service.keep(given.replica, given.rows, ids, given.answers, receipt(request, started, len(str(row))))
            correct = _label(replica, was_right)
            feedback = Feedback(id, given.replica.output.kept_as(correct), None, "", caller=caller(request))
            stored = await stored_feedback(log, judged_by(given.replica, feedback))
            service.told(stored.release, stored.right)
            following = await replica.beside(partial(desk.standing, replica, learner))
        found = {"id": id, "right": was_right, "answer": answer, "next": following}
        return Response(codec.dumps(found), media_type=JSON)


def _row(desk: Desk, replica: Replica, learner: str, exercise: str) -> Row:
    """What is asked, and kept: the latest tries, at this moment."""
    past, asked = columns(replica.predictor.manifest)
    history = desk.of(replica, learner)
    kept = replace(
        history.part(max(0, len(history) - MOST_BEFORE), len(history)), now=round(time.time(), 3), whole=True
    )
    return {past: kept.as_json(), asked: exercise}


def _label(replica: Replica, was_right: bool) -> Any:
    manifest = replica.predictor.manifest
    right = manifest.settings["right"]
    return right if was_right else next(label for label in manifest.output.state["labels"] if label != right)


def _learner(said: Mapping[str, Any]) -> str:
    """Raises: Fault 422: that is no name."""
    try:
        return item_id(said.get("learner"))
    except ValueError:
        raise wrong("'learner' is missing or no name, expected a text of at most 200 characters") from None


def _marked(tutor: Tutor, said: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether it was right, and what would have been. Raises: Fault 422: nobody can tell; 404: no such exercise."""
    exercise, written, claimed = (said.get(name) for name in ("exercise", "written", "right"))
    if not isinstance(exercise, str) or exercise not in tutor.exercises:
        message = f"exercise is '{str(exercise)[:80]}', expected one that the release knows"
        raise Fault(HTTPStatus.NOT_FOUND, "unknown_exercise", message, "load the page again")
    answer = tutor.answer(exercise)
    if not answer:
        if not isinstance(claimed, bool) or written is not None:
            raise wrong("'right' is missing, expected true or false: the content file tells no answer to this exercise")
        return claimed, ""
    if claimed is not None or not isinstance(written, str) or not 0 < len(written.strip()) <= MOST:
        raise wrong(f"'written' is missing or no text of at most {MOST} characters, expected what the learner answered")
    return is_right(written, answer), answer
