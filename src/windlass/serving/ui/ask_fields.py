"""The fields of the page: for each kind the widget that people know, with hints from what training has seen."""

import math
from collections.abc import Callable
from html import escape

from windlass.records import Column

MOST_OPTIONS = 60
"""A category with more levels is typed, with the levels as suggestions."""
N_STEPS = 20
PICTURES = "image/png,image/jpeg,image/webp,image/bmp,image/gif,image/tiff"
WIDE = frozenset({"text", "chat", "image", "series", "items"})


def field(column: Column, number: int, is_alone: bool = True) -> str:
    """The field of a column as HTML. number: its place in the form. is_alone: there are no other fields."""
    name, kind = escape(column.name), column.kind if column.kind in WIDGETS else "text"
    widget, hint = WIDGETS[kind](column, f"field-{number}", is_alone)
    label = f'<label for="field-{number}">{name} <span class="hint" data-word="{kind}"></span></label>'
    wide = " wide" if kind in WIDE else ""
    moment = column.state.get("written", {}).get("time", "")
    time = f' data-time="{escape(moment)}"' if moment else ""
    return f'<div class="field{wide}" data-column="{name}" data-kind="{escape(kind)}"{time}>{label}{widget}{hint}</div>'


def _text(column: Column, id: str, is_alone: bool) -> tuple[str, str]:
    return f'<textarea id="{id}" rows="{5 if is_alone else 2}" dir="auto"></textarea>', ""


def _series(column: Column, id: str, is_alone: bool) -> tuple[str, str]:
    return f'<textarea id="{id}" rows="8" spellcheck="false"></textarea>', ""


def _items(column: Column, id: str, is_alone: bool) -> tuple[str, str]:
    return (
        f'<input data-label="userId" maxlength="200" dir="auto"><span class="hint" data-word="userId"></span>'
        f'<textarea id="{id}" rows="3" dir="auto" '
        'spellcheck="false"></textarea>',
        "",
    )


def _number(column: Column, id: str, is_alone: bool) -> tuple[str, str]:
    """Spin steps and the usual range from the quantiles; any number may be typed."""
    low, high, middle = _range(column)
    step = _step(column, high - low)
    shown = f' placeholder="{middle:.6g}"' if math.isfinite(middle) else ""
    hint = f'<span data-word="usual"></span> {_short(low)} – {_short(high)}' if low < high else ""
    widget = f'<input id="{id}" type="number" inputmode="decimal" step="{step}"{shown}>'
    return widget, f'<span class="hint">{hint}</span>'


def _range(column: Column) -> tuple[float, float, float]:
    """5 %, 95 % and the median of the training rows; of a state without quantiles what its spread says; else NaN."""
    quantiles = column.state.get("quantiles", [])
    if quantiles:
        return quantiles[1], quantiles[-2], quantiles[len(quantiles) // 2]
    if "deviation" not in column.state:
        return math.nan, math.nan, math.nan
    mean, spread = column.state["mean"], 1.645 * column.state["deviation"]
    return mean - spread, mean + spread, column.state["median"]


def _short(value: float) -> str:
    """Three digits, and no exponent where there need be none."""
    return f"{float(f'{value:.3g}'):,.10g}"


def _step(column: Column, span: float) -> str:
    """1 for what was always whole; else the power of ten that makes about `N_STEPS` steps of the usual range."""
    quantiles = column.state.get("quantiles", [])
    if quantiles and all(float(value).is_integer() for value in quantiles):
        return "1"
    if not span > 0:
        return "any"
    return f"{10.0 ** math.floor(math.log10(span / N_STEPS)):.10g}"


def _date(column: Column, id: str, is_alone: bool) -> tuple[str, str]:
    return f'<input id="{id}" type="date">', '<span class="hint"></span>'


def _category(column: Column, id: str, is_alone: bool) -> tuple[str, str]:
    levels = [str(level) for level in column.state.get("levels", [])]
    if not levels or len(levels) > MOST_OPTIONS:
        options = "".join(f'<option value="{escape(level)}">' for level in levels)
        return f'<input id="{id}" list="{id}-levels"><datalist id="{id}-levels">{options}</datalist>', ""
    options = "".join(f"<option>{escape(level)}</option>" for level in levels)
    return (
        f'<select id="{id}"><option value="" data-word="missing"></option>{options}'
        '<option data-another data-word="another"></option></select>'
        '<input hidden data-label="another" maxlength="500">',
        '<span class="hint"></span>',
    )


def _image(column: Column, id: str, is_alone: bool) -> tuple[str, str]:
    return (
        f'<div class="drop"><img alt="{escape(column.name)}"><span class="invite"><span data-word="drop"></span> '
        f'<u data-word="choose"></u></span><input id="{id}" type="file" accept="{PICTURES}">'
        '<span class="name"></span></div>',
        '<button type="button" class="plain remove" data-word="remove"></button>',
    )


WIDGETS: dict[str, Callable[[Column, str, bool], tuple[str, str]]] = {
    "text": _text,
    "chat": _text,
    "number": _number,
    "date": _date,
    "category": _category,
    "image": _image,
    "series": _series,
    "items": _items,
}
"""kind -> its widget and the hint under it, as HTML."""
