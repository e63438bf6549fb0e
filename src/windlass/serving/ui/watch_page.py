"""The page of `windlass watch`, shown by the service to who may read its state."""

import asyncio

from fastapi import FastAPI, Request, Response

from windlass.pages.html.health_page import PAGE_STYLE
from windlass.pages.html.owner import BAR_STYLE, framed
from windlass.serving.runtime.service import Service
from windlass.serving.ui import page
from windlass.serving.ui.owner_pages import around


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/watch`."""
    headers = {"content-security-policy": page.policy(PAGE_STYLE + BAR_STYLE + service.look.colours, "")}

    @app.get("/watch", include_in_schema=False)
    async def watch(request: Request) -> Response:
        about, has_intervals = await around(request, service), service.replica.output.has_intervals
        shown = await asyncio.get_running_loop().run_in_executor(None, service.watched.page, about.name, has_intervals)
        whole = framed(shown.decode("utf-8"), "health", about)
        return Response(whole, media_type="text/html", headers=headers)
