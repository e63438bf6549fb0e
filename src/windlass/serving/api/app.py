"""The HTTP service of one release: predict, feedback, health, metrics, its description and a page."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from secrets import token_hex
from typing import Any

from fastapi import FastAPI, Request, Response

from windlass.database.request_log import NEW_LABEL, NOT_KEPT, Feedback, RequestLog, Stored
from windlass.errors import did_you_mean
from windlass.kinds.contract import is_missing
from windlass.language.chosen import spoken
from windlass.predictors.contract import PUBLIC, Names, Predictor, seen_by
from windlass.records import Json, Release
from windlass.registry.model_cards import ModelCards
from windlass.serving.api import (
    examples,
    explain,
    exports,
    forget,
    kserve,
    openai,
    openai_cited,
    queue,
    refusals,
    search,
    sessions,
    tutor,
)
from windlass.serving.api import huggingface as pipeline
from windlass.serving.api import jobs as job_routes
from windlass.serving.api import openapi as description
from windlass.serving.api import releases as release_routes
from windlass.serving.api.confirmed import judged_by, stored_feedback
from windlass.serving.batch.work import JobWork
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.routes import check_declared
from windlass.serving.contract.rows import idempotency_key, read_object, wrong
from windlass.serving.contract.schema import (
    FeedbackRequest,
    FeedbackStored,
    Health,
    Prediction,
    json_body,
    key_header,
    request_schema,
    responses,
)
from windlass.serving.contract.settings import Settings
from windlass.serving.http.access_control import AccessControl
from windlass.serving.http.middleware import Middleware
from windlass.serving.http.server_state import ServerState
from windlass.serving.runtime.caller import caller_of, received
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.service import Service, caller, receipt
from windlass.serving.telemetry.metrics import Gauge, memory_bytes
from windlass.serving.telemetry.multiprocess import EVERY_S
from windlass.serving.telemetry.request_counts import RequestCounts
from windlass.serving.telemetry.traces import Traces, connected
from windlass.serving.ui import (
    ask_page,
    chat_page,
    desk_pages,
    docs_page,
    learn_page,
    owner_pages,
    watch_page,
    widget_page,
)

PARTS = (
    openai, openai_cited, pipeline, kserve, explain, forget, watch_page, examples, job_routes, release_routes, search,
    refusals, queue, desk_pages, owner_pages, sessions, widget_page, exports, tutor,
    learn_page,
)  # fmt: skip
"""Modules that add routes of their own."""
JSON = "application/json"
MAX_NOTE, MAX_ID = 2_000, 64
NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI from 0.16x on can send traces with the text of errors to a collector that the environment names."""


def create_app(
    release: Release,
    predictor: Predictor,
    log: RequestLog | None,
    settings: Settings,
    server_state: ServerState | None = None,
) -> FastAPI:
    """The application of a release by itself, without a store. Raises: SpecError as `service_app`."""
    return service_app(Service(release, predictor, log, settings), server_state)


def service_app(service: Service, server_state: ServerState | None = None) -> FastAPI:
    """The application of a service. It answers predictions with 503 until `service.proof` is empty.

    Raises: SpecError: a route is not declared in `ROUTES`.
    """
    settings = service.settings
    app = FastAPI(
        title=service.release.product,
        version=service.release.id,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=description.operation_id,
        telemetry=NO_TELEMETRY,
    )
    app.state.service = service
    for add in (_add_predict, _add_feedback, _add_state, _add_pages, *(part.add_routes for part in PARTS)):
        add(app, service)
    routes = check_declared(app.routes)
    app.state.server_state = server_state = server_state or ServerState()
    server_state.shedder.most = lambda: 0 if service.proof else service.replica.most_under_way
    server_state.shedder.measures = service.measures
    access_control = AccessControl(settings, server_state, service.is_proof)
    sign_in = owner_pages.sign_in(service.look, service.release.product)
    app.add_middleware(
        Middleware, access_control=access_control, measures=service.measures, routes=routes, sign_in=sign_in
    )
    if settings.otel:
        provider = connected(settings.otel, service.release.product)
        app.add_middleware(Traces, provider=provider, release=lambda: service.release.id)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """What runs beside the requests, for as long as the server does."""
    service: Service = app.state.service
    tasks = [asyncio.create_task(_tell(service)), asyncio.create_task(RequestCounts(service).run())]
    if service.jobs is not None:
        ring = app.state.server_state.ring
        groups_of = ring.groups_of if ring is not None else lambda key: PUBLIC
        app.state.job_work = JobWork(service, service.jobs, groups_of)
        tasks.append(asyncio.create_task(app.state.job_work.run()))
    yield
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    service.close()


def _add_predict(app: FastAPI, service: Service) -> None:
    schema = request_schema(service.predictor.manifest, service.settings.max_rows)

    @app.post(
        "/v1/predict",
        summary="Answer one row or several",
        openapi_extra=json_body(schema),
        responses=responses(Prediction, 400, 408, 413, 415, 422, 503),
    )
    async def predict(request: Request) -> Response:
        started = time.perf_counter()
        given = await service.answer(request)
        ids = [token_hex(12) for _ in given.answers]
        content = codec.dumps(
            {
                "release": given.replica.release.id,
                "answers": [{"id": id, **answer.as_json()} for id, answer in zip(ids, given.answers, strict=True)],
            }
        )
        if not given.is_proof:
            request_size = len(received(request))
            service.keep(given.replica, given.rows, ids, given.answers, receipt(request, started, request_size))
        return Response(content, media_type=JSON)


def _add_feedback(app: FastAPI, service: Service) -> None:
    schema = FeedbackRequest.model_json_schema()
    key_parameter = key_header("a repeated request with the same key is stored once")

    @app.post(
        "/v1/feedback",
        summary="Say what an answer should have been",
        openapi_extra={**json_body(schema), "parameters": [key_parameter]},
        responses=responses(FeedbackStored, 400, 404, 408, 409, 413, 415, 422, 503, 507),
    )
    async def feedback(request: Request) -> Response:
        if service.log is None:
            raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable", "server keeps no log, expected one")
        said = _read_feedback(received(request), service, caller_of(request).names)
        said = said._replace(key=idempotency_key(request), caller=caller(request))
        stored = await stored_feedback(service.log, said)
        if stored.is_new:
            service.told(stored.release, stored.right)
        else:
            caller_of(request).refund()
        known = sorted(service.replica.labels)
        output = service.replica.output
        is_echoed = said.right is None or not service.replica.is_guarded  # else who knows an id would read the answer
        told = output.labels_of(output.value_of(stored.correct)) if known and stored.correct else []
        new = next((label for label in told if label not in service.replica.labels), "")
        is_new_label = bool(new)
        is_lost = is_new_label and not service.settings.new_labels
        said_of_it = [] if stored.is_kept else [NOT_KEPT]
        said_of_it += [did_you_mean(new, known)] if is_new_label else []
        said_of_it += [NEW_LABEL] if is_lost else []
        return Response(
            codec.dumps(
                {
                    "id": stored.id,
                    "correct": output.value_of(stored.correct) if stored.correct and is_echoed else "",
                    "right": stored.right if said.right is not None or _may_judge(request, service, stored) else None,
                    "new_label": is_new_label,
                    "at": stored.at,
                    "teaches": stored.is_kept and bool(stored.correct) and not is_lost,
                    "hint": "; ".join(filter(None, said_of_it)),
                }
            ),
            media_type=JSON,
        )


def _may_judge(request: Request, service: Service, stored: Stored) -> bool:
    """False where a verdict on the answer would tell of documents that who speaks may not see."""
    names, ring = caller_of(request).names, request.app.state.server_state.ring
    if not service.replica.is_guarded or names is None or stored.asked_by == caller(request):
        return True
    groups = ring.was_for(stored.asked_by) if ring is not None else None
    return groups is not None and groups <= names


def _read_feedback(body: bytes, service: Service, names: Names) -> Feedback:
    """Raises: Fault 400, 422."""
    value = read_object(body, ("id", "correct", "right", "note"), "feedback")
    id, correct, right, note = (value.get(name) for name in ("id", "correct", "right", "note"))
    if not isinstance(id, str) or not 0 < len(id) <= MAX_ID:
        raise wrong(f"'id' is missing or not text of at most {MAX_ID} characters, expected the id of an answer")
    output = service.replica.output
    given = output.read_correction(service.predictor.manifest.output, correct)
    is_said = not is_missing(given)
    if is_said is (right is not None) or not isinstance(right, bool | None):
        raise wrong(
            "feedback has no or two of 'correct' and 'right', expected what the answer should have been, or whether "
            "it was right"
        )
    if note is not None and (not isinstance(note, str) or len(note) > MAX_NOTE):
        raise wrong(f"'note' is not text of at most {MAX_NOTE:,} characters, expected a short text")
    output.check_correction(seen_by(service.predictor, names), given)
    correct = output.kept_as(given) if is_said else ""
    return judged_by(service.replica, Feedback(id, correct, note, "", right))


def _add_state(app: FastAPI, service: Service) -> None:
    @app.get("/health/live", summary="Does it run at all", responses=responses(Health))
    async def live() -> Response:
        return Response(codec.dumps(_health(service)), media_type=JSON)

    @app.get("/health/ready", summary="Has it proven its release", responses=responses(Health, 503))
    async def ready() -> Response:
        return await health()

    @app.get("/health", summary="Is it ready, and what does it serve", responses=responses(Health, 503))
    async def health() -> Response:
        return Response(codec.dumps(_health(service)), 503 if service.proof else 200, media_type=JSON)

    @app.get(
        "/metrics",
        summary="Counts for Prometheus",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        text = _counted(service)
        if service.shared_metrics is not None:
            text = service.shared_metrics.together(text)
        return Response(text, media_type="text/plain; version=0.0.4")


def _counted(service: Service) -> str:
    """What this process has counted, for Prometheus."""
    gauges = {
        **service.replica.gauges(),
        "windlass_memory_bytes": Gauge("Resident memory of the process.", float(memory_bytes())),
    }
    if service.log is not None:
        gauges["windlass_log_waiting"] = Gauge("Entries that wait to be written to the log.", float(len(service.log)))
        gauges["windlass_unlogged_total"] = Gauge("Answers that could not be logged.", float(service.log.unlogged))
        gauges["windlass_log_read_only"] = Gauge("1 while the log cannot be written.", float(bool(service.log.fault)))
    return service.measures.text(gauges, service.release) + service.watched.gauges()


async def _tell(service: Service) -> None:
    """Lets the other workers of the group know what was counted."""
    while service.shared_metrics is not None:
        service.shared_metrics.tell(_counted(service))
        await asyncio.sleep(EVERY_S)


def _health(service: Service) -> Json:
    log = "off" if service.log is None else "read-only" if service.log.fault else "writing"
    canary = service.traffic.canary
    return {
        "status": "proving" if service.proof else "ready",
        "product": service.release.product,
        "release": service.release.id,
        "started": service.started,
        "log": log,
        "keeps_inputs": service.settings.keep_inputs,
        "refused": service.refused,
        "trial": str(canary.trial) if canary is not None else "",
    }


def _add_pages(app: FastAPI, service: Service) -> None:
    has_chat = service.writer is not None and chat_page.fits(service.predictor.manifest)
    rendered: dict[tuple[str, str, str], bytes] = {}

    def add(path: str, render: Callable[[Replica], bytes], policy: str) -> None:
        @app.get(path, include_in_schema=False)
        async def show() -> Response:
            headers = {"content-security-policy": policy}
            return Response(_of_release(path, render), media_type="text/html", headers=headers)

    def _of_release(path: str, render: Callable[[Replica], bytes]) -> bytes:
        replica = service.replica
        place = (replica.release.id, path, spoken())
        if place not in rendered:
            for old in [key for key in rendered if key[0] != replica.release.id]:
                del rendered[old]
            rendered[place] = render(replica)
        return rendered[place]

    def described(replica: Replica) -> Json:
        return description.describe(app, replica.release, replica.predictor.manifest, service.settings.max_rows)

    cards: dict[str, ModelCards] = {}

    @app.get("/", include_in_schema=False)
    async def ask(request: Request) -> Response:
        replica, shown = service.replica, await owner_pages.part(request, service)
        release, manifest = replica.release, replica.predictor.manifest
        if release.id not in cards:
            cards.clear()
            cards[release.id] = service.model_cards(release.id)
        content = ask_page.ask_page(release, manifest, cards[release.id], has_chat, service.look, shown)
        headers = {"content-security-policy": ask_page.ask_policy(service.look)}
        return Response(content, media_type="text/html", headers=headers)

    add("/docs", lambda replica: docs_page.docs_page(described(replica)), docs_page.docs_policy())
    if has_chat:
        chat_page.add_routes(app, service)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(_of_release("/openapi.json", lambda replica: codec.dumps(described(replica))), media_type=JSON)
