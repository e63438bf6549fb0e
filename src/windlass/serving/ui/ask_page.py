"""The page of a release: ask it, see why, say what would have been right; how good it is, and its model card.

What was asked is kept in the tab alone; what people say of an answer goes to `/v1/feedback`.
"""

import json
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from windlass.kinds import table as kinds
from windlass.outputs import table as outputs
from windlass.pages.html.owner import BAR_STYLE, OVERVIEW_STYLE
from windlass.pages.text.doubling import doubled
from windlass.pages.text.words import interval, metric_name
from windlass.records import Json, Manifest, Release
from windlass.registry.model_cards import ModelCards
from windlass.serving.api.tutor import fits
from windlass.serving.contract.page_look import PageLook
from windlass.serving.ui import page
from windlass.serving.ui.ask_board import board_html, cards_html
from windlass.serving.ui.ask_fields import field

SCRIPTS = (
    "keyed.js", "events.js", "words.js", "element.js", "fields.js", "forecast.js", "cited.js", "boxes.js", "masks.js",
    "items.js", "answer.js", "verdict.js", "why.js", "queue.js", "page.js",
)  # fmt: skip
PLAIN = PageLook()


class OwnerPart(NamedTuple):
    """What the owner sees beside the product, as HTML. button: to sign in or out; empty where no key is asked for."""

    bar: str = ""
    overview: str = ""
    button: str = ""


VISITOR = OwnerPart()
AT_ONCE = frozenset({"linear", "trees"})
"""Predictors whose reasons are exact and take no longer than the answer: they are shown without being asked for."""
BLANK = '<p class="note" data-word="{}"></p>'


def ask_page(
    release: Release,
    manifest: Manifest,
    model_cards: ModelCards,
    has_chat: bool = False,
    look: PageLook = PLAIN,
    owner: OwnerPart = VISITOR,
) -> bytes:
    """The page as HTML: first the product and its form, what it was made from at its foot. has_chat: there is a page
    to talk to it, too."""
    name, units = escape(look.name or release.product), model_cards.board.units if model_cards.board else {}
    score = escape(interval(release.score, units.get(release.headline, "")))
    body = f"""<main data-facts="{escape(json.dumps(_facts(release, manifest, has_chat), ensure_ascii=False))}">
{page.head(name, look, owner.button)}
{owner.bar}{owner.overview}
<div class="bar-of-tabs">
<div role="tablist" data-label="tabs">{_tab("ask", True)}{_tab("board")}{_tab("card")}</div>
{_links(manifest, has_chat)}
</div>
{_asking(manifest, has_chat)}
<section id="board" class="card" role="tabpanel" aria-labelledby="tab-board" hidden>
{BLANK.format("boardNote") + doubled(board_html(model_cards.board)) if model_cards.board else BLANK.format("noBoard")}
</section>
<section id="card" class="card prose" role="tabpanel" aria-labelledby="tab-card" hidden>
{cards_html(model_cards.card, model_cards.card_zh) if model_cards.card else BLANK.format("noCard")}
</section>
<footer class="about"><b>{escape(metric_name(release.headline))} {score}</b> &middot;
<span data-word="released"></span> <time datetime="{escape(release.created)}">{escape(release.created[:10])}</time>
&middot; <span data-word="release"></span> {escape(release.id)} &middot; {escape(release.candidate)}</footer>
<div id="spoken" role="status" aria-live="polite"></div>
</main>"""
    return page.document(name, body, ask_style(look), page.asset(*SCRIPTS))


def ask_frame(release: Release, manifest: Manifest, look: PageLook, has_chat: bool = False) -> bytes:
    """The form and its answer alone, to stand in a frame on somebody else's page."""
    name = escape(look.name or release.product)
    facts = escape(json.dumps(_facts(release, manifest, has_chat), ensure_ascii=False))
    body = f"""<main class="framed" data-facts="{facts}">
{page.head(name, look)}
{_asking(manifest, has_chat)}
<div id="spoken" role="status" aria-live="polite"></div>
</main>"""
    return page.document(name, body, ask_style(look), page.asset(*SCRIPTS))


def ask_style(look: PageLook) -> str:
    return page.asset("page.css") + BAR_STYLE + OVERVIEW_STYLE + look.colours


def ask_policy(look: PageLook = PLAIN, framed_by: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of the page, the same for every release. framed_by: as of `page.policy`."""
    return page.policy(ask_style(look), page.asset(*SCRIPTS), framed_by)


def _facts(release: Release, manifest: Manifest, has_chat: bool) -> Json:
    """What the script knows of the release."""
    output = outputs.get(manifest.output.kind)
    explains = "at once" if manifest.predictor in AT_ONCE else "asked"
    return {
        "product": release.product,
        "release": release.id,
        "output": manifest.output.name,
        **output.widget(manifest),
        "streams": has_chat,
        "queued": output.is_queued,
        "explains": "" if output.explains_live else explains,
        "pictures": [column.name for column in manifest.inputs if kinds.get(column.kind).is_picture],
    }


def _links(manifest: Manifest, has_chat: bool) -> str:
    searches = outputs.get(manifest.output.kind).search is not None
    paths = {"/chat": "talk"} if has_chat else {"/search": "search", "/refusals": "refusals"} if searches else {}
    paths |= {"/learn": "learn"} if fits(manifest) else {}
    links = [f'href="{path}" data-word="{word}"' for path, word in {**paths, "/openapi.json": "programs"}.items()]
    first, *others = links
    return "\n".join([f'<a class="push" {first}></a>', *(f"<a {link}></a>" for link in others)])


def _tab(name: str, is_open: bool = False) -> str:
    return (
        f'<button type="button" role="tab" id="tab-{name}" aria-controls="{name}" '
        f'aria-selected="{str(is_open).lower()}"{"" if is_open else " tabindex=-1"} data-word="{name}"></button>'
    )


def _asking(manifest: Manifest, has_chat: bool) -> str:
    columns = list({column.name: column for column in manifest.inputs}.values())
    fields = "\n".join(field(column, number, len(columns) == 1) for number, column in enumerate(columns))
    verb = outputs.get(manifest.output.kind).widget(manifest)["verb"]
    return f"""<section id="ask" class="try" role="tabpanel" aria-labelledby="tab-ask">
<form id="form" class="card" autocomplete="off" novalidate>
<div class="fields">
{fields}
</div>
<div class="actions">
<button id="find" data-word="{verb}"></button>
<button type="button" id="stop" class="second" data-word="stop" hidden></button>
<button type="button" id="example" class="second" data-word="example"></button>
<button type="button" id="clear" class="plain" data-word="clear"></button>
<span class="keys" data-word="keys"></span>
</div>
</form>
<section id="answer" class="card" data-label="answer"></section>
<svg id="drawing" hidden></svg>
<section id="recent" class="card" hidden>
<h2><span data-word="recent"></span><button type="button" id="forget" class="plain" data-word="forget"></button></h2>
<ol></ol>
<p class="note" data-word="alone"></p>
</section>
</section>"""
