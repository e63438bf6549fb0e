"""The service that asks a person which of two answers is better, without saying whose they are."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request, Response

from windlass.database.preferences import Choice, Pair, Preference, Preferences, chosen, first_is_left, training_rows
from windlass.records import Json
from windlass.serving.api.app import JSON, NO_TELEMETRY
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.routes import Route, Routes, check_declared
from windlass.serving.contract.rows import idempotency_key, read_object, wrong
from windlass.serving.contract.settings import Settings
from windlass.serving.http.access_control import AccessControl
from windlass.serving.http.middleware import Middleware
from windlass.serving.runtime.caller import received
from windlass.serving.telemetry.metrics import Measures
from windlass.serving.ui.sidebyside_page import sidebyside_page, sidebyside_policy

ROUTES: Routes = {
    ("GET", "/"): Route(0, 5, "public"),
    ("GET", "/v1/pair"): Route(0, 5, "public"),
    ("POST", "/v1/preference"): Route(4 * 1024, 10, "public"),
    ("GET", "/v1/preferences.jsonl"): Route(0, 5, "public"),
    ("GET", "/health"): Route(0, 5, "public"),
}
CONFIRM_S = 10
SIDES: Mapping[str, tuple[Choice, Choice]] = {
    "left": ("first", "second"),
    "right": ("second", "first"),
    "tie": ("tie", "tie"),
}
"""What a person says -> what it means when the first answer stands left, and when it stands right."""


@dataclass
class Comparing:
    """What the routes share."""

    pairs: Sequence[Pair]
    store: Preferences
    seed: int
    choices: dict[str, Choice] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_id = {pair.id: pair for pair in self.pairs}

    def state(self) -> Json:
        """How far it is, and the next pair without a preference, its answers left and right by chance."""
        waiting = [pair for pair in self.by_id.values() if pair.id not in self.choices]
        total = len(self.by_id)
        shown = self._shown(waiting[0]) if waiting else None
        return {"done": total - len(waiting), "total": total, "pair": shown}

    def _shown(self, pair: Pair) -> Json:
        sides = [pair.first, pair.second]
        left, right = sides if first_is_left(pair.id, self.seed) else reversed(sides)
        return {"id": pair.id, "asked": pair.asked, "left": left, "right": right}

    def read(self, body: bytes, key: str) -> Preference:
        """Raises: Fault 400, 404, 422."""
        value = read_object(body, ("pair", "choice"), "preference")
        pair, choice = value.get("pair"), value.get("choice")
        if not isinstance(choice, str) or choice not in SIDES:
            raise wrong("'choice' is not one of 'left', 'right', 'tie', expected one of them")
        if not isinstance(pair, str) or pair not in self.by_id:
            raise Fault(HTTPStatus.NOT_FOUND, "unknown_pair", "'pair' is not the id of a pair, expected one")
        return Preference(key, pair, SIDES[choice][0 if first_is_left(pair, self.seed) else 1])


def create_sidebyside(pairs: Sequence[Pair], path: Path, seed: int, settings: Settings | None = None) -> FastAPI:
    """The application. path: the SQLite file of the preferences; those in it count. seed: of the sides."""
    bounds = settings or Settings()
    store = Preferences(path)
    comparing = Comparing(pairs, store, seed, chosen(path))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY)
    app.state.comparing = comparing
    _add_preference(app, comparing)
    _add_state(app, comparing)
    routes = check_declared(app.routes, ROUTES)
    app.add_middleware(Middleware, access_control=AccessControl(bounds), measures=Measures(), routes=routes)
    return app


def _add_preference(app: FastAPI, comparing: Comparing) -> None:
    @app.post("/v1/preference")
    async def prefer(request: Request) -> Response:
        said = comparing.read(received(request), idempotency_key(request, is_needed=True))
        waiting = asyncio.wrap_future(comparing.store.store(said))
        try:
            is_new = await asyncio.wait_for(waiting, CONFIRM_S)
        except TimeoutError:
            raise Fault(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "log_unavailable",
                f"preference was not confirmed in {CONFIRM_S} s, expected it sooner",
                "send it again: it is stored once",
            ) from None
        if is_new or said.pair not in comparing.choices:  # not new: the first reply came too late
            comparing.choices[said.pair] = said.choice
        return Response(codec.dumps({"new": is_new, **comparing.state()}), media_type=JSON)


def _add_state(app: FastAPI, comparing: Comparing) -> None:
    content, policy = sidebyside_page(), sidebyside_policy()

    @app.get("/")
    async def home() -> Response:
        return Response(content, media_type="text/html", headers={"content-security-policy": policy})

    @app.get("/v1/pair")
    async def pair() -> Response:
        return Response(codec.dumps(comparing.state()), media_type=JSON)

    @app.get("/v1/preferences.jsonl")
    async def preferences() -> Response:
        rows = training_rows(comparing.pairs, comparing.choices)
        return Response(b"".join(codec.dumps(row) + b"\n" for row in rows), media_type="application/jsonl")

    @app.get("/health")
    async def health() -> Response:
        state = "read-only" if comparing.store.fault else "writing"
        return Response(codec.dumps({"status": "ready", "log": state}), media_type=JSON)
