"""The page on which a learner works through exercises, and the teacher's: the class, and each learner of it."""

import asyncio
import json
import time
from html import escape
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response

from windlass.pages.html.owner import framed
from windlass.pages.html.tutor_page import class_page, learner_page
from windlass.records import Release
from windlass.records.tutoring import ClassState
from windlass.serving.api.refusals import check_owner
from windlass.serving.api.tutor import Desk, fits
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.page_look import PageLook
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.service import Service
from windlass.serving.ui import page
from windlass.serving.ui.owner_pages import REPORT_POLICY, around

STYLES = ("page.css", "learn.css")
SCRIPTS = ("keyed.js", "words.js", "learn_words.js", "element.js", "desk.js", "learn.js")
PLAIN = PageLook()


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/learn` and `/class`, where the release says what to try next."""
    if not fits(service.predictor.manifest):
        return
    desk: Desk = app.state.desk
    headers = {"content-security-policy": page.policy(_style(service.look), page.asset(*SCRIPTS))}

    @app.get("/learn", include_in_schema=False)
    async def learn() -> Response:
        return Response(learn_page(service.release, service.look), media_type="text/html", headers=headers)

    @app.get("/class", include_in_schema=False)
    async def teach(request: Request) -> Response:
        check_owner(service, request)
        learner, replica = request.query_params.get("learner", ""), service.replica
        with replica:
            document = await asyncio.to_thread(_taught, desk, replica, learner)
        whole = framed(document, "class", await around(request, service))
        return Response(whole, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})


def _taught(desk: Desk, replica: Replica, learner: str) -> str:
    """The page of the class, or of one learner, as they stand now. Raises: Fault 404: there is no such learner."""
    histories = desk.histories(replica)
    if learner and learner not in histories:
        raise Fault(
            HTTPStatus.NOT_FOUND, "unknown_learner", f"there is no learner '{learner[:80]}', expected one who tried"
        )
    chosen = {learner: histories[learner]} if learner else dict(sorted(histories.items()))
    states = desk.tutor(replica).states(chosen, time.time())
    if learner:
        return learner_page(states[0])
    links = tuple(f"/class?{urlencode({'learner': each.learner})}" for each in states)
    return class_page(ClassState(replica.release.product, tuple(states), links=links))


def learn_page(release: Release, look: PageLook = PLAIN) -> bytes:
    """The page as HTML; what it shows of a learner comes by a route that may ask for a key."""
    name = escape(look.name or release.product)
    facts = escape(json.dumps({"product": release.product, "release": release.id}, ensure_ascii=False))
    body = f"""<main class="learn" data-facts="{facts}">
{page.head(name, look)}
<nav class="bar-of-tabs" data-label="tabs"><a href="/learn" aria-current="page" data-word="learnPage"></a>
<a href="/class" data-word="classPage"></a><a href="/" data-word="askPage"></a></nav>
<section id="who" class="card" hidden>
<form autocomplete="off"><label for="learner" data-word="yourName"></label>
<div class="line"><input id="learner" maxlength="200" dir="auto" required><button data-word="begin"></button></div>
<p class="note" data-word="nameNote"></p></form></section>
<section id="verdict" class="card" aria-live="polite" hidden></section>
<section id="exercise" class="card" data-label="exercise"></section>
<section id="skills" class="card" hidden></section>
<div id="spoken" role="status" aria-live="polite"></div>
</main>"""
    return page.document(name, body, _style(look), page.asset(*SCRIPTS))


def _style(look: PageLook) -> str:
    return page.asset(*STYLES) + look.colours
