"""The page on which a person compares two answers without knowing whose they are: English and Chinese, keys 1, 2, 0."""

from windlass.serving.ui import page

STYLES, SCRIPTS = ("plain.css", "sidebyside.css"), ("sidebyside.js",)
BODY = """<main>
<header>
<h1 data-word="title">Which answer is better?</h1>
<progress id="progress" max="1" value="0" aria-labelledby="count"></progress>
<output id="count"></output>
<button id="language" class="plain" type="button" data-word="other">中文</button>
</header>
<div id="notice" role="alert"></div>
<div id="pair" hidden>
<section id="request" class="card" tabindex="0" aria-labelledby="request-head">
<h2 id="request-head" data-word="request">Request</h2><p id="asked" class="said" dir="auto"></p>
</section>
<div id="answers">
<section class="card"><p id="left" class="said" dir="auto"></p>
<button type="button" data-choice="left"><kbd>1</kbd><span data-word="choose">This one</span></button></section>
<section class="card"><p id="right" class="said" dir="auto"></p>
<button type="button" data-choice="right"><kbd>2</kbd><span data-word="choose">This one</span></button></section>
</div>
<div class="choices">
<button id="back" class="plain" type="button"><kbd>⌫</kbd><span data-word="back">Back</span></button>
<button class="plain" type="button" data-choice="tie"><kbd>0</kbd><span data-word="tie">About the same</span></button>
</div>
</div>
<div id="end" class="card" hidden>
<p class="said" data-word="done">All pairs are compared. Thank you!</p>
<p><a href="/v1/preferences.jsonl" download="preferences.jsonl" data-word="download">Download the preferences</a></p>
</div>
</main>"""


def sidebyside_page() -> bytes:
    """The page as HTML; it holds no text of the product, which comes as JSON."""
    return page.document("Which answer is better?", BODY, page.asset(*STYLES), page.asset(*SCRIPTS))


def sidebyside_policy() -> str:
    """The Content-Security-Policy of the page."""
    return page.policy(page.asset(*STYLES), page.asset(*SCRIPTS))
