"""What all pages share: how they look, one document without anything from elsewhere, and the policy that guards it.

Style sheets and scripts are files in `assets/`, so that editors know what they are.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from windlass.pages.text.bilingual import both
from windlass.serving.contract.page_look import PageLook

ASSETS = Path(__file__).with_name("assets")


@cache
def asset(*names: str) -> str:
    """The files of `assets/`, one after the other."""
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


def head(name: str, look: PageLook, buttons: str = "") -> str:
    """What a page begins with: logo, name and one line of the product, and the buttons of the page. name: HTML."""
    logo = f'<img class="logo" src="{look.logo}" alt="">' if look.logo else ""
    said = tagline(look)
    line = f'<p class="tagline" dir="auto">{said}</p>' if said else ""
    return f"""<header>
<div class="top">{logo}<h1>{name}</h1>
<span class="tools">{buttons}<button type="button" class="plain" id="language" data-word="other"></button></span></div>
{line}</header>"""


def tagline(look: PageLook) -> str:
    """The line below the name as HTML, in both languages where there are two."""
    if not look.tagline or not look.tagline_zh:
        return escape(look.tagline or look.tagline_zh)
    return both(look.tagline, look.tagline_zh)


def document(title: str, body: str, style: str, script: str) -> bytes:
    """An HTML document with nothing from elsewhere. title, body: HTML."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
""".encode()


def policy(style: str, script: str, framed_by: Sequence[str] = ()) -> str:
    """The Content-Security-Policy under which only this style and this script run. framed_by: origins of pages that
    may show it in a frame."""
    ancestors = " ".join(framed_by) or "'none'"
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors {ancestors}"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
