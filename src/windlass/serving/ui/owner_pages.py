"""The owner's pages behind a login: releases and audit log, roadmap, reports, and the page on which one signs in."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from html import escape
from http import HTTPStatus

from fastapi import FastAPI, Request, Response

from windlass.errors import WindlassError
from windlass.language.chosen import spoken
from windlass.pages.html import owner
from windlass.pages.html.roadmap import roadmap_page
from windlass.pages.html.style import POLICY
from windlass.pages.text.doubling import doubled
from windlass.records import Json
from windlass.serving.api.refusals import check_owner
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.page_look import PageLook
from windlass.serving.contract.routes import ROUTES
from windlass.serving.http.sessions import Viewer, viewer
from windlass.serving.runtime.service import Service
from windlass.serving.ui import page
from windlass.serving.ui.ask_page import VISITOR, OwnerPart

REPORT_POLICY = f"{POLICY}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Of pages that stages wrote: their styles stand in elements; nothing of them runs, and nothing is loaded."""
TABLES = (("board", "/v1/board"), ("answersTable", "/v1/answers"))
"""Name of a table -> its path without its ending."""
STYLES, SCRIPTS = ("page.css",), ("keyed.js", "sign_in.js")
SIGN_IN = '<button type="button" class="plain" id="sign-in" data-word="signIn"></button>'
SIGN_OUT = '<button type="button" class="plain" id="sign-out" data-word="signOut"></button>'


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/login`, `/releases`, `/roadmap`, `/reports` and `/reports/{id}`."""

    def show(path: str, render: Callable[[owner.Around], str]) -> None:
        @app.get(path, include_in_schema=False)
        async def shown(request: Request) -> Response:
            check_owner(service, request)
            return _page(await asyncio.to_thread(render, await around(request, service)))

    show("/releases", lambda around: owner.releases_page(*_releases(service), around))
    show("/roadmap", lambda around: _roadmap(service, around))
    show("/reports", lambda around: owner.reports_page(service.files.reports(), TABLES, around))

    @app.get("/reports/{id}", include_in_schema=False)
    async def report(request: Request, id: str) -> Response:
        check_owner(service, request)
        found = await asyncio.to_thread(service.files.report, id)
        if not found:
            raise Fault(
                HTTPStatus.NOT_FOUND, "unknown_report", f"there is no report '{id[:80]}', expected one that was made"
            )
        return _page(owner.framed(found, "reports", await around(request, service)))

    content, policy = sign_in(service.look, service.release.product)

    @app.get("/login", include_in_schema=False)
    async def login() -> Response:
        return Response(content, media_type="text/html", headers={"content-security-policy": policy})


def _page(document: str) -> Response:
    return Response(document, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})


async def looks(request: Request) -> Viewer:
    """Who looks at the page."""
    return await viewer(request.app.state.server_state.sessions, dict(request.scope["headers"]))


async def around(request: Request, service: Service) -> owner.Around:
    """What stands around a page of the owner's, for who looks at it."""
    seen = await looks(request)
    name = service.look.name or service.release.product
    return owner.Around(_may_see(seen), service.look.colours, name, spoken())


def _may_see(seen: Viewer) -> list[str]:
    shown = [name for name, path in owner.PAGES.items() if seen.may(ROUTES["GET", path].scope) and name != "ask"]
    return ["ask", *shown] if shown else []


def _shown(seen: Viewer, service: Service) -> list[str]:
    """What stands in the bar of a page that visitors see, too; nothing for them."""
    return _may_see(seen) if seen.is_guarded or not service.settings.is_public else []


async def bar(request: Request, service: Service) -> str:
    """The owner's bar for a page that has no place in it; '' for a visitor."""
    shown = _shown(await looks(request), service)
    return owner.bar("", shown) if shown else ""


async def part(request: Request, service: Service) -> OwnerPart:
    """What the page of the product shows to who looks at it, beside the product."""
    seen = await looks(request)
    shown = _shown(seen, service)
    button = "" if not seen.is_guarded else SIGN_OUT if seen.key else SIGN_IN
    if not shown:
        return VISITOR._replace(button=button)
    overview = await asyncio.to_thread(_overview, service, seen)
    return OwnerPart(owner.bar("ask", shown), overview, button)


def _overview(service: Service, seen: Viewer) -> str:
    release = service.release
    score = {"value": release.score.value, "low": release.score.low, "high": release.score.high}
    served = {"id": release.id, "candidate": release.candidate, "headline": release.headline, "score": score,
              "created": release.created}  # fmt: skip
    return owner.overview(service.watched.health(), served, service.files.roadmap(), seen.may)


def _releases(service: Service) -> tuple[list[Json], list[Json]]:
    try:
        return service.releases(), service.files.trail()
    except WindlassError as error:
        raise Fault(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", error.message, error.hint) from None


def _roadmap(service: Service, around: owner.Around) -> str:
    found = service.files.roadmap()
    if found is None:
        return owner.empty_roadmap(around)
    return owner.framed(doubled(roadmap_page(replace(found, product=around.name))), "roadmap", around)


def sign_in(look: PageLook, product: str) -> tuple[bytes, str]:
    """The page on which one signs in, and its policy."""
    name, style, script = escape(look.name or product), page.asset(*STYLES) + look.colours, page.asset(*SCRIPTS)
    body = f"""<main class="sign-in">
{page.head(name, look)}
<section id="sign-in" class="card"></section>
</main>"""
    return page.document(name, body, style, script), page.policy(style, script)
