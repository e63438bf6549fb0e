"""The page on which a person talks to a product that writes. One file, no network but its own server.

What was said is kept in the browser alone; what people think of an answer goes to `/v1/feedback`.
"""

from collections.abc import Sequence
from html import escape

from fastapi import FastAPI, Request, Response

from windlass.kinds import table as kinds
from windlass.pages.html.owner import BAR_STYLE
from windlass.predictors.writer import Writer
from windlass.records import Manifest, Release
from windlass.serving.contract.page_look import PageLook
from windlass.serving.runtime.service import Service
from windlass.serving.ui import owner_pages, page

PLAIN = PageLook()
STYLES, SCRIPTS = ("plain.css", "chat.css"), ("keyed.js", "events.js", "chat.js")


def fits(manifest: Manifest) -> bool:
    """True when all that it reads is a conversation, or a single text."""
    return len(manifest.inputs) == 1 and kinds.get(manifest.inputs[0].kind).is_language


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds `/chat`, where there is somebody to talk to."""
    headers = {"content-security-policy": chat_policy(service.look)}

    @app.get("/chat", include_in_schema=False)
    async def chat(request: Request) -> Response:
        replica, bar = service.replica, await owner_pages.bar(request, service)
        assert replica.writer is not None
        content = chat_page(replica.release, replica.writer, service.look, bar=bar)
        return Response(content, media_type="text/html", headers=headers)


def chat_page(
    release: Release, writer: Writer, look: PageLook = PLAIN, is_framed: bool = False, bar: str = ""
) -> bytes:
    """The page as HTML. is_framed: it stands in a frame on somebody else's page, without what was said before. bar: of
    the owner, as HTML."""
    is_talk = kinds.get(writer.manifest.inputs[0].kind).turns is not None
    name, reads, how = escape(look.name or release.product), "conversation" if is_talk else "prompt", writer.writing
    system = '<label><span data-word="system"></span><textarea name="system" rows="2"></textarea></label>'
    alone = '<span data-word="alone"></span>'
    made_from = f"{escape(release.headline)} {escape(str(release.score))} &middot; {escape(release.id)}"
    logo = f'<img class="logo" src="{look.logo}" alt="">' if look.logo else ""
    framed = ' class="framed"' if is_framed else ""
    body = f"""{bar}<main{framed} data-product="{escape(release.product)}" data-name="{name}" data-reads="{reads}">
<header>
{logo}<h1>{name}</h1>
<p class="about" dir="auto">{page.tagline(look)}</p>
<button class="plain" id="language" type="button" data-word="other"></button>
</header>
<nav>
<button id="fresh" type="button" data-word="fresh"></button>
<h2 data-word="earlier"></h2>
<ul></ul>
</nav>
<div id="log" role="log" aria-live="polite"></div>
<form id="composer" autocomplete="off">
<details><summary class="note" data-word="options"></summary><div>
{system if is_talk else '<input type="hidden" name="system">'}
<label><span data-word="chance"></span>
<input type="number" name="temperature" min="0" max="2" step="0.1" placeholder="{how.temperature:g}"></label>
<label><span data-word="longest"></span>
<input type="number" name="longest" min="1" max="4096" step="1" placeholder="{how.max_tokens}"></label>
<p class="note">{made_from}</p>
</div></details>
<div class="row"><textarea id="box" rows="2" dir="auto"></textarea>
<button id="send" data-word="send"></button><button id="stop" type="button" hidden data-word="stop"></button></div>
<p class="note"><span data-word="keys"></span>{"" if is_talk else alone}</p>
</form>
</main>"""
    return page.document(name, body, _style(look), page.asset(*SCRIPTS))


def _style(look: PageLook) -> str:
    return page.asset(*STYLES) + BAR_STYLE + look.colours


def chat_policy(look: PageLook = PLAIN, framed_by: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of the page, the same for every release. framed_by: as of `page.policy`."""
    return page.policy(_style(look), page.asset(*SCRIPTS), framed_by)
