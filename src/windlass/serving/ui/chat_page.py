"""The page on which a person talks to a product that writes. One file, no network but its own server.

What was said is kept in the browser alone; what people think of an answer goes to `/v1/feedback`.
"""

from html import escape

from windlass.kinds import table as kinds
from windlass.predictors.writer import Writer
from windlass.records import Manifest, Release
from windlass.serving.ui import page

STYLES, SCRIPTS = ("plain.css", "chat.css"), ("keyed.js", "events.js", "chat.js")


def fits(manifest: Manifest) -> bool:
    """True when all that it reads is a conversation, or a single text."""
    return len(manifest.inputs) == 1 and kinds.get(manifest.inputs[0].kind).is_language


def chat_page(release: Release, writer: Writer) -> bytes:
    """The page as HTML."""
    is_talk = kinds.get(writer.manifest.inputs[0].kind).turns is not None
    name, reads, how = escape(release.product), "conversation" if is_talk else "prompt", writer.writing
    system = '<label><span data-word="system"></span><textarea name="system" rows="2"></textarea></label>'
    alone = '<span data-word="alone"></span>'
    body = f"""<main data-product="{name}" data-reads="{reads}">
<header>
<h1>{name}</h1>
<p class="about">{escape(release.id)} &middot; {escape(release.headline)} {escape(str(release.score))}</p>
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
</div></details>
<div class="row"><textarea id="box" rows="2" dir="auto"></textarea>
<button id="send" data-word="send"></button><button id="stop" type="button" hidden data-word="stop"></button></div>
<p class="note"><span data-word="keys"></span>{"" if is_talk else alone}</p>
</form>
</main>"""
    return page.document(name, body, page.asset(*STYLES), page.asset(*SCRIPTS))


def chat_policy() -> str:
    """The Content-Security-Policy of the page, the same for every release."""
    return page.policy(page.asset(*STYLES), page.asset(*SCRIPTS))
