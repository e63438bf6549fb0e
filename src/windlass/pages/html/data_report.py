"""The data report: one self-contained page of what was taken in, what was taken out and why, with rows to look at."""

from collections.abc import Sequence

from windlass.pages.html import sections
from windlass.pages.html.sections import Section
from windlass.pages.html.style import POLICY, STYLE
from windlass.pages.text.words import count, escaped
from windlass.records import Collected, Prepared


def data_report(product: str, prepared: Prepared, collected: Collected, shown: Sequence[Section]) -> str:
    """The whole page as HTML text: no script, nothing loaded, light or dark, printable. shown: rows, as their
    output shows them."""
    parts = [part for part in (*shown, Section("data", "Data card", sections.data(prepared, collected))) if part.body]
    links = "".join(f'<a href="#{part.name}">{part.title}</a>' for part in parts)
    body = "".join(f'<section id="{part.name}"><h2>{part.title}</h2>{part.body}</section>' for part in parts)
    n_warnings = len({*collected.warnings, *prepared.warnings})
    said = f"{count(sum(prepared.rows.values()))} rows of {count(collected.rows_in)} are used"
    told = (
        f"; {n_warnings} {'warning stands' if n_warnings == 1 else 'warnings stand'} in the data card"
        if n_warnings
        else ""
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(product)}: data</title><style>{STYLE}</style></head>"
        f'<body><main><header><p class="over">Windlass data report</p><h1><bdi>{escaped(product)}</bdi></h1>'
        f'<p class="lead">{said}{told}.</p></header><nav>{links}</nav>{body}</main></body></html>\n'
    )
