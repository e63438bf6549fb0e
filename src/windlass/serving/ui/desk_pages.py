"""The two pages beside the answers of documents: search alone, and refused questions that wait for a person."""

import json
from collections.abc import Callable
from html import escape

from fastapi import FastAPI, Request, Response

from windlass.pages.html.owner import BAR_STYLE
from windlass.records import Json, Manifest, Release
from windlass.serving.contract.page_look import PageLook
from windlass.serving.runtime.service import Service
from windlass.serving.ui import owner_pages, page

PLAIN = PageLook()
Render = Callable[[Release, Manifest, PageLook, str], bytes]
STYLES = ("page.css", "desk.css")
SHARED = ("keyed.js", "events.js", "words.js", "desk_words.js", "element.js", "cited.js", "desk.js")
SCRIPTS = {name: (*SHARED, f"{name}.js") for name in ("search", "refusals")}


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/search` and `/refusals`; what they show comes by routes that ask for a key."""
    if service.replica.output.search is None:
        return
    _add(app, service, "search", search_page)
    _add(app, service, "refusals", refusals_page)


def _add(app: FastAPI, service: Service, name: str, render: Render) -> None:
    headers = {"content-security-policy": page.policy(_style(service.look), page.asset(*SCRIPTS[name]))}

    @app.get(f"/{name}", include_in_schema=False)
    async def show(request: Request) -> Response:
        bar = await owner_pages.bar(request, service)
        shown = render(service.release, service.predictor.manifest, service.look, bar)
        return Response(shown, media_type="text/html", headers=headers)


def _style(look: PageLook) -> str:
    return page.asset(*STYLES) + BAR_STYLE + look.colours


def search_page(release: Release, manifest: Manifest, look: PageLook = PLAIN, bar: str = "") -> bytes:
    """The page on which passages are found, without an answer. bar: of the owner, as HTML."""
    body = """<form id="form" class="card" role="search" autocomplete="off">
<label for="query" data-word="searchFor"></label>
<div class="line"><input id="query" type="search" maxlength="2000" dir="auto">
<button data-word="findPassages"></button></div>
</form>
<section id="found" class="card" data-label="passages" aria-live="polite"><p class="waits" data-word="nothingYet"></p>
</section>"""
    return _page(release, manifest, "search", body, look, bar)


def refusals_page(release: Release, manifest: Manifest, look: PageLook = PLAIN, bar: str = "") -> bytes:
    """The page on which people answer what was refused. bar: of the owner, as HTML."""
    body = """<p class="note" data-word="deskNote"></p>
<section id="waiting" data-label="waiting" aria-live="polite"></section>
<section id="tests" class="card" hidden><h2 data-word="tests"></h2><p class="note" data-word="testsNote"></p><ol></ol>
</section>"""
    return _page(release, manifest, "refusals", body, look, bar)


def _page(release: Release, manifest: Manifest, name: str, body: str, look: PageLook, bar: str) -> bytes:
    product = escape(look.name or release.product)
    facts: Json = {"product": release.product, "release": release.id, "output": manifest.output.name,
                   "inputs": [column.name for column in manifest.inputs]}  # fmt: skip
    links = {"/": "askPage", "/search": "search", "/refusals": "refusals"}
    here = {name: ' aria-current="page"'}
    tabs = "".join(f'<a href="{path}"{here.get(word, "")} data-word="{word}"></a>' for path, word in links.items())
    whole = f"""<main class="desk" data-facts="{escape(json.dumps(facts, ensure_ascii=False))}">
{page.head(product, look)}
{bar}
<nav class="bar-of-tabs" data-label="tabs">{tabs}</nav>
{body}
<div id="spoken" role="status" aria-live="polite"></div>
</main>"""
    return page.document(product, whole, _style(look), page.asset(*SCRIPTS[name]))
