"""The route that lists the releases of the product: what they scored and which one serves; no path, no host."""

import asyncio
from http import HTTPStatus

from fastapi import FastAPI, Response
from pydantic import Field

from windlass.errors import WindlassError
from windlass.records import Json
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.schema import responses
from windlass.serving.runtime.service import Service
from windlass.strict_yaml import Exact

JSON = "application/json"


class ListedRelease(Exact):
    id: str
    metric: str = Field(description="what the score is, such as macro_f1")
    score: float
    low: float = Field(description="lower end of the score's 95 % interval")
    high: float
    created: str = Field(description="ISO 8601, UTC")
    champion: bool = Field(description="true for the one that the store has as its champion")
    serving: bool = Field(description="true for the one that answers now")


class Releases(Exact):
    releases: list[ListedRelease] = Field(description="newest first")


class Planned(Exact):
    roadmap: Json = Field(description="as `windlass plan --json` gives it; empty: none was made yet")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `GET /v1/releases` and `GET /v1/plan`."""

    @app.get("/v1/plan", summary="What to do next, as `windlass plan` said last", responses=responses(Planned, 503))
    async def plan() -> Response:
        return Response(codec.dumps({"roadmap": await asyncio.to_thread(service.roadmap)}), media_type=JSON)

    @app.get("/v1/releases", summary="The releases, and which one serves", responses=responses(Releases, 503))
    async def releases() -> Response:
        serving = service.release.id
        try:
            found = await asyncio.to_thread(service.releases)
        except WindlassError as error:
            raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", error.message, error.hint) from None
        listed = [
            {
                "id": each["id"],
                "metric": each["headline"],
                "score": each["score"]["value"],
                "low": each["score"]["low"],
                "high": each["score"]["high"],
                "created": each["created"],
                "champion": each["champion"],
                "serving": each["id"] == serving,
            }
            for each in found
        ]
        return Response(codec.dumps({"releases": listed}), media_type=JSON)
