"""What an alarm says, as a sentence, from what was measured."""

from typing import Any

from windlass.pages.text.words import number, percent, plain
from windlass.records import Json

SURE_P = 1e-4


def sentence(evidence: Json) -> str:
    """What was seen: `'message': new words 2.0 % → 14.1 % (p < 0.0001)`."""
    words = f"{_what(evidence)}{_change(evidence)}"
    p = number(evidence.get("p"))
    return words if not p else f"{words} ({p_words(p)})"


def p_words(p: float) -> str:
    """`p < 0.0001` or `p = 0.012`."""
    return f"p < {SURE_P:.4f}" if p < SURE_P else f"p = {p:.2g}"


def _what(evidence: Json) -> str:
    name, subject, trait = (str(evidence.get(key, "")) for key in ("name", "subject", "trait"))
    if name == "latency":
        return "latency, 95th percentile: "
    if name == "traffic":
        return "nobody asks any more, answers a day: "
    if name == "refusals":
        return "answers refused: "
    if name == "documents":
        return "documents past their date, or changed since they were read: "
    if not subject and name in ("errors", "data"):
        return f"{trait}: "
    if name == "concept":
        return f"right answers by feedback, in order ({trait}): "
    if name == "quality":
        source = {"estimated": "estimated from confidence", "measured": "measured by feedback"}
        return f"right answers, {source.get(subject, 'as tested and by feedback')}: "
    return f"'{plain(subject, 40)}', {trait}: "


def _change(evidence: Json) -> str:
    before, now, unit = evidence.get("before"), evidence.get("now"), evidence.get("unit")
    if number(before) is None or number(now) is None:
        effect, limit = (float(evidence[key]) for key in ("effect", "limit"))
        return f"other than in training (distance {effect:.3g}, limit {limit:.3g})"
    if unit == "share":
        return f"{percent(before)} → {percent(now)}"
    if unit == "count":
        return f"{_short(before)} → {_short(now)}"
    if unit == "ms":
        return f"{_short(before)} ms → {_short(now)} ms"
    if before == now:
        return f"spread otherwise (index {float(evidence['effect']):.2f}, limit {float(evidence['limit']):.2f})"
    return f"median {_short(before)} → {_short(now)}"


def _short(value: Any) -> str:
    return f"{float(value):.4g}"
