"""How values read: numbers with their unit, and text from outside made safe to show."""

import html
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from windlass.goals import parse_goal
from windlass.metrics.measures import LOWER, Estimate, told

NOTHING = "–"
METRIC_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "chrf": "chrF",
    "bleu": "BLEU",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "exact_match": "exact match",
    "token_f1": "token F1",
    "bits_per_byte": "bits per byte",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R²",
    "medae": "median absolute error",
    "mase": "scaled error (MASE)",
    "wql": "weighted quantile loss",
    "smape": "sMAPE",
    "mse": "mean squared error",
    "bias": "bias",
    "micro_f1": "micro-F1",
    "map": "mean average precision",
    "subset_accuracy": "subset accuracy",
    "hamming": "Hamming loss",
    "row_f1": "F1 of the row's tags",
    "coverage_90": "right numbers inside the 90 % intervals",
    "mape": "mean absolute percentage error",
    "pinball_90": "pinball loss of the 90 % interval",
    "width_90": "width of the 90 % interval",
    "cost": "cost of an answer",
    "found_within_a_day": "faults found within a day",
    "false_alarms_a_month": "false alarms a month",
    "delay_hours": "hours to the alarm",
    "answer_accuracy": "questions answered rightly",
    "mrr": "mean reciprocal rank",
    "ndcg_at_10": "NDCG@10",
    "recall_at_10": "recall@10",
    "hit_rate_at_10": "hit rate@10",
    "coverage": "items that are shown",
    "gini": "Gini of what is shown",
    "tail_share": "places for the tail",
    "recall_at_1": "right passage first",
    "recall_at_5": "right passage among five",
    "answer_f1": "F1 of the answer's words",
    "risk": "wrong among the given answers",
    "answered": "answered, of those with an answer",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "unsupported": "sentences written without support",
    "attack_success_rate": "planted orders that reached an answer",
    "map50": "mAP@50",
    "map50_95": "mAP@50:95",
    "box_f1": "F1 of boxes",
    "box_precision": "right among the given boxes",
    "box_recall": "boxes found",
    "count_error": "boxes too many or too few",
    "mask_dice": "Dice",
    "mask_iou": "IoU, mean of the classes",
    "instance_ap": "AP of things",
    "boundary_error": "outlines off by",
    "pass_at_1": "pass@1",
    "pass_at_5": "pass@5",
    "rules_broken": "texts against the rules",
    "distinct_2": "different word pairs",
    "repetition": "said before in the same text",
}
METRIC_MEANINGS = {
    "accuracy": "the share of right answers",
    "macro_f1": "how well labels are found, each label counting the same; 1 is perfect",
    "macro_precision": "how often an answer is right, each label counting the same; 1 is perfect",
    "macro_recall": "how often a label is found, each label counting the same; 1 is perfect",
    "roc_auc": "the chance that a case of the rarer label is ranked above one of the other; 0.5 is a coin, 1 is "
    "perfect",
    "pr_auc": "how clean the top of the ranking is; 1 is perfect",
    "mae": "how far an answer is from the right number on average, in its unit; 0 is perfect",
    "rmse": "the same, where one large error weighs more than many small ones; 0 is perfect",
    "r2": "the share of the differences between rows that the answers tell; 0 is the mean for every row, 1 is perfect",
    "skill": "the share of the error of always answering the same number that the answers spare; 1 is perfect",
    "mase": "how far forecasts are off, beside repeating the last season in the history; below 1 is better",
    "wql": "how far nine quantiles of each step are from what came true, as a share of it; 0 is perfect",
    "smape": "how far forecasts are off, as a share of the mean of forecast and truth, from 0 to 2; 0 is perfect",
    "mse": "the mean of the squared errors, in the squared unit of the answer; 0 is perfect",
    "bias": "by which share forecasts were too high or too low altogether; 0 is perfect",
    "micro_f1": "how well tags are found and kept apart, all yes and no together; 1 is perfect",
    "map": "how clean the top of the ranking is, each tag counting the same; 1 is perfect",
    "subset_accuracy": "the share of rows with all right tags and no other",
    "hamming": "the share of yes and no that is wrong; 0 is perfect",
    "found_within_a_day": "the share of faults with an alarm within 24 hours of their first row",
    "false_alarms_a_month": "alarms of a machine in a month though nothing was wrong; one that goes on is one each day",
    "delay_hours": "hours from the first row of a fault to its alarm, of those that were found",
    "answer_accuracy": "the share of questions answered rightly, or refused where no document answers",
    "mrr": "how high the first right one stands: 1 is first every time, 0.5 second",
    "ndcg_at_10": "how high what was liked stands among the first ten of all items; 1 is perfect",
    "recall_at_10": "the share of what was liked that stands among the first ten",
    "hit_rate_at_10": "the share of users who liked one of the first ten",
    "coverage": "the share of all items that stands in any list; 1: all of them",
    "gini": "how unequally places in lists are spread over the items; 0 is alike, 1 all for one",
    "tail_share": "the share of places in lists that the less popular four fifths of the items have",
    "recall_at_1": "the share of questions whose right passage is found first",
    "recall_at_5": "the share of questions whose right passage is among the first five",
    "answer_f1": "how much of the right answer's words the answer found has, and little else; 1 is perfect",
    "risk": "the share of the given answers that is wrong; questions that are refused do not count",
    "answered": "the share of questions that a document answers and that were not refused",
    "citation_precision": "how many of an answer's citations lead to the passage with the right one, on average",
    "citation_recall": "the share of questions whose answer cites the passage with the right one; refused ones do not",
    "unsupported": "the share of the sentences a language model wrote that their citations do not support: none "
    "of these is said; sentences of the documents themselves are supported by construction",
    "attack_success_rate": "the share of orders, planted into passages, that the answer repeats or obeys",
    "map50": "how surely boxes are found that overlap right ones by half, each class counting the same; 1 is perfect",
    "map50_95": "the same, the mean over overlaps from a half to 95 %; 1 is perfect",
    "box_f1": "how many of the boxes that are given are right, and of those that are there found; 1 is perfect",
    "box_precision": "the share of the given boxes that overlap a right one of their class by half",
    "box_recall": "the share of the boxes that are there and were found",
    "count_error": "by how many boxes a picture's count is off on average, the classes added up; 0 is perfect",
    "mask_dice": "how well pixels of a class and those given as such agree, mean of the pictures; 1 is perfect",
    "mask_iou": "the share of a class's pixels, there or given, that are both, mean of the classes; 1 is perfect",
    "instance_ap": "the share of things, there or given, that meet one another, mean of overlaps from a half to 95 % "
    "and of the pictures; 1 is perfect",
    "boundary_error": "pixels from an outline to the right one, on average, of classes that are found; 0 is perfect",
    "medae": "one answer in two is nearer to the right number, in its unit; 0 is perfect",
    "mape": "the error as a share of the right number, on average; rows whose right number is 0 are left out",
    "cost": "what an answer costs on average by your own prices, looks of people included; less is better",
}
"""What a metric says, for people who do not measure models."""
LIMIT_NAMES = {
    "latency_p95_ms": ("p95 latency", "ms"),
    "size_mb": ("size", "MB"),
    "rules_broken": ("texts against the rules", ""),
    "false_alarms_a_month": ("false alarms a month", ""),
    "risk": ("wrong among the given answers", ""),
    "coverage": ("items that are shown", ""),
    "tail_share": ("places for the tail", ""),
}
AT_LEAST = frozenset({"coverage", "tail_share"})
"""Limits from below."""
# Control characters (terminal escapes among them), lone surrogates and bidirectional overrides can rewrite
# what stands around them; line breaks and tabs are dealt with apart, emoji joiners stay.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\ufffe\uffff]")
_OPENING, _CLOSING = re.compile("[\u2066-\u2068]"), "\u2069"


def number(value: object) -> float | None:
    """The value as a finite float, or nothing (also for the null that NaN becomes in JSON)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        try:
            value = float(value)  # type: ignore[arg-type]  # numpy scalars say what they are only when asked
        except (TypeError, ValueError):
            return None
    return float(value) if math.isfinite(value) else None


def share(value: object) -> str:
    """A measure: a share 0-1 with three decimals, a larger one with fewer."""
    found = number(value)
    return NOTHING if found is None else told(found)


def signed(value: float, places: int = 2) -> str:
    """With its sign, and so many decimals where it is small: `+1.25`, `-12,346`."""
    return f"{value:+.{places}f}" if abs(value) < 100 else f"{value:+,.1f}" if abs(value) < 1_000 else f"{value:+,.0f}"


def to_places(value: float, places: int, sign: str = "") -> str:
    """With so many decimals, below 0 rounded to tens and hundreds: `255`, `12,300`. sign: '+' says it always."""
    return f"{round(value, places) + 0.0:{sign},.{max(places, 0)}f}"


def percent(value: object) -> str:
    """A share 0-1 as a percentage that says 100 or 0 only when it is exact."""
    found = number(value)
    if found is None:
        return NOTHING
    if found > 0.999 and found < 1:
        return "> 99.9 %"
    if 0 < found < 0.001:
        return "< 0.1 %"
    return f"{found * 100:.0f} %" if found in (0, 1) else f"{found * 100:.1f} %"


def interval(estimate: Estimate | None, unit: str = "") -> str:
    """`0.912 [0.899, 0.924]`, without brackets where there is no interval; in its unit, where it has one."""
    if unit and estimate is not None and number(estimate.value) is not None:
        return f"{interval(estimate)} {plain(unit)}"
    if estimate is None or number(estimate.value) is None:
        return NOTHING
    if number(estimate.low) is None or number(estimate.high) is None:
        return share(estimate.value)
    return f"{share(estimate.value)} [{share(estimate.low)}, {share(estimate.high)}]"


def count(value: object) -> str:
    """A whole number with thousands separators."""
    found = number(value)
    return NOTHING if found is None else f"{round(found):,}"


def rows(value: object) -> str:
    """`1 row` or `1,204 rows`."""
    return f"{count(value)} row{'' if number(value) == 1 else 's'}"


def aligned(values: Iterable[object]) -> list[str]:
    """The numbers of a column with the same count of decimals; what would read as 0.0 is `<0.1`."""
    found = [number(value) for value in values]
    largest = max((abs(value) for value in found if value is not None), default=0.0)
    places = 2 if largest < 10 else 1
    return [NOTHING if value is None else _fixed(value, places) for value in found]


def _fixed(value: float, places: int) -> str:
    smallest = 10.0**-places
    return f"<{smallest:g}" if 0 < value < smallest / 2 else f"{value:,.{places}f}"


def measure(value: object, unit: str) -> str:
    """One number with its unit, such as `0.9 ms`."""
    text = aligned([value])[0]
    return NOTHING if text == NOTHING else f"{text} {unit}"


def amount(value: float, currency: str) -> str:
    """Money: `EUR 1,234`, with cents below 100."""
    return f"{currency} {value:,.2f}" if 0 < abs(value) < 100 and value != round(value) else f"{currency} {value:,.0f}"


def duration(seconds: object) -> str:
    """`0.4 s`, `12 s`, `2.5 min` or `1.2 h`."""
    found = number(seconds)
    if found is None:
        return NOTHING
    if found < 9.95:
        return f"{found:.1f} s" if found >= 0.05 or found == 0 else "<0.1 s"
    whole = round(found)
    if whole < 60:
        return f"{whole} s"
    return f"{whole / 60:.1f} min" if whole < 3600 else f"{whole / 3600:.1f} h"


def metric_name(metric: str) -> str:
    """The field's own name of a metric."""
    return METRIC_NAMES.get(metric, metric)


def goal_value(goal: str) -> float | None:
    """The number that the goal asks for, or nothing."""
    try:
        return parse_goal(goal).bound
    except ValueError:
        return None


def goal_words(goal: str, units: Mapping[str, str] = {}) -> str:
    """The goal as a person writes it: `macro-F1 ≥ 0.9`. units: metric -> its unit, of those that have one."""
    try:
        parsed = parse_goal(goal)
    except ValueError:
        return plain(goal)
    if not parsed.metric:
        return "as good as possible"
    if parsed.bound is None:
        return f"the best {metric_name(parsed.metric)}"
    unit = plain(units.get(parsed.metric, ""))
    return f"{metric_name(parsed.metric)} {'≤' if parsed.metric in LOWER else '≥'} {parsed.bound:g} {unit}".rstrip()


def limit_words(limits: Mapping[str, object], term: Callable[[str], str] = str) -> str:
    """The limits as a person writes them: `p95 latency ≤ 20 ms, size ≤ 60 MB`; empty without limits.

    term: what a limit is called in the reader's language.
    """
    found = {name: limit for name, value in limits.items() if (limit := number(value)) is not None}
    return ", ".join(
        f"{term(LIMIT_NAMES.get(name, (plain(name), ''))[0])} {'≥' if name in AT_LEAST else '≤'} {limit:g} "
        f"{LIMIT_NAMES.get(name, ('', ''))[1]}".rstrip()
        for name, limit in found.items()
    )


def plain(value: object, limit: int = 0) -> str:
    """Text from outside on one line, without characters that act on the page or the terminal."""
    text = " ".join(block(re.sub(r"[\r\n\t]", " ", str(value))).split())
    return shortened(text, limit) if limit else text


def block(value: object) -> str:
    """Text from outside with its line breaks, without characters that act on the page or the terminal."""
    text = _UNSAFE.sub("", str(value).replace("\r\n", "\n").replace("\r", "\n"))
    if len(_OPENING.findall(text)) == text.count(_CLOSING):
        return text
    return _OPENING.sub("", text).replace(_CLOSING, "")


def shortened(text: str, limit: int) -> str:
    """At most `limit` columns of text, the last one an ellipsis where something was cut."""
    if width(text) <= limit:
        return text
    kept, used = [], 1
    for sign in text:
        used += width(sign)
        if used > limit:
            break
        kept.append(sign)
    return "".join(kept).rstrip(" \u200d") + "…"


def width(text: str) -> int:
    """How many columns of a fixed-width font the text takes."""
    return sum(_sign_width(sign) for sign in text)


def _sign_width(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def escaped(value: object, limit: int = 0) -> str:
    """Text from outside for HTML and SVG, on one line."""
    return html.escape(plain(value, limit))


def quoted(value: object, limit: int = 0) -> str:
    """A name from outside in quotes, isolated so that right-to-left text leaves its neighbours in place."""
    return f"\u2068'{plain(value, limit)}'\u2069"


def listed(counts: Mapping[str, object]) -> str:
    """Counts by name in words, the largest first: `3 empty text, 1 too long`."""
    ordered = sorted(counts.items(), key=lambda pair: -(number(pair[1]) or 0))
    return ", ".join(f"{count(value)} {plain(name)}" for name, value in ordered)


def with_code(text: str) -> str:
    """A sentence of ours as HTML, with what stands in backticks as code."""
    return re.sub(r"`([^`<>]+)`", r"<code>\1</code>", html.escape(text))
