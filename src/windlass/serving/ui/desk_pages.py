"""The two pages beside the answers of documents: search alone, and refused questions that wait for a person."""

import json
from collections.abc import Callable
from html import escape

from fastapi import FastAPI, Response

from windlass.records import Json, Manifest, Release
from windlass.serving.runtime.service import Service
from windlass.serving.ui import page

STYLES = ("page.css", "desk.css")
SHARED = ("keyed.js", "events.js", "words.js", "desk_words.js", "element.js", "cited.js", "desk.js")
SEARCH, REFUSALS = (*SHARED, "search.js"), (*SHARED, "refusals.js")


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/search` and `/refusals`; what they show comes by routes that ask for a key."""
    if service.replica.output.search is None:
        return
    _add(app, service, "/search", search_page, SEARCH)
    _add(app, service, "/refusals", refusals_page, REFUSALS)


def _add(
    app: FastAPI, service: Service, path: str, render: Callable[[Release, Manifest], bytes], scripts: tuple[str, ...]
) -> None:
    headers = {"content-security-policy": page.policy(page.asset(*STYLES), page.asset(*scripts))}

    @app.get(path, include_in_schema=False)
    async def show() -> Response:
        shown = render(service.release, service.predictor.manifest)
        return Response(shown, media_type="text/html", headers=headers)


def search_page(release: Release, manifest: Manifest) -> bytes:
    """The page on which passages are found, without an answer."""
    body = """<form id="form" class="card" role="search" autocomplete="off">
<label for="query" data-word="searchFor"></label>
<div class="line"><input id="query" type="search" maxlength="2000" dir="auto">
<button data-word="findPassages"></button></div>
</form>
<section id="found" class="card" data-label="passages" aria-live="polite"><p class="waits" data-word="nothingYet"></p>
</section>"""
    return _page(release, manifest, "search", body, SEARCH)


def refusals_page(release: Release, manifest: Manifest) -> bytes:
    """The page on which people answer what was refused."""
    body = """<p class="note" data-word="deskNote"></p>
<section id="waiting" data-label="waiting" aria-live="polite"></section>
<section id="tests" class="card" hidden><h2 data-word="tests"></h2><p class="note" data-word="testsNote"></p><ol></ol>
</section>"""
    return _page(release, manifest, "refusals", body, REFUSALS)


def _page(release: Release, manifest: Manifest, name: str, body: str, scripts: tuple[str, ...]) -> bytes:
    product = escape(release.product)
    facts: Json = {"product": release.product, "release": release.id, "output": manifest.output.name,
                   "inputs": [column.name for column in manifest.inputs]}  # fmt: skip
    links = {"/": "askPage", "/search": "search", "/refusals": "refusals"}
    here = {name: ' aria-current="page"'}
    shown = "".join(f'<a href="{path}"{here.get(word, "")} data-word="{word}"></a>' for path, word in links.items())
    whole = f"""<main class="desk" data-facts="{escape(json.dumps(facts, ensure_ascii=False))}">
<header>
<div class="top"><h1>{product}</h1><button type="button" class="plain" id="language" data-word="other"></button></div>
</header>
<nav class="bar-of-tabs" data-label="tabs">{shown}</nav>
{body}
<div id="spoken" role="status" aria-live="polite"></div>
</main>"""
    return page.document(product, whole, page.asset(*STYLES), page.asset(*scripts))
