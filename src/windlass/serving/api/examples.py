"""The route that gives rows to try the release with: golden ones, which it was proven on."""

from typing import Any

from fastapi import FastAPI, Response
from pydantic import Field

from windlass.serving.contract import codec
from windlass.serving.contract.schema import responses
from windlass.serving.runtime.service import Service
from windlass.strict_yaml import Exact


class Examples(Exact):
    release: str
    rows: list[dict[str, Any]] = Field(description="rows as `/v1/predict` takes them; none where the release has none")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `GET /v1/examples`. Its rows come from the data that the release was tested on: not for every stranger."""

    @app.get("/v1/examples", summary="Rows to try the release with", responses=responses(Examples))
    async def examples() -> Response:
        release = service.release.id
        rows = service.model_cards(release).examples
        return Response(codec.dumps({"release": release, "rows": list(rows)}), media_type="application/json")
