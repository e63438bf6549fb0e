"""Which columns can be what a product answers: a set of names, a number, or a text; by their names and values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.kinds.contract import is_missing
from windlass.kinds.formats import tags_format
from windlass.sources.columns import is_clock, is_date, is_number, is_quantity, numbers_of, readable, word_of

MOST_LABELS, LABEL_LETTERS = 1_000, 60
WRITTEN, REPEATED = 0.95, 0.3
FEW_NUMBERS = 20
"""Different numbers that may be names of labels in a column that is not called like an answer."""
LABEL_NAMES = (
    "label",
    "labels",
    "target",
    "class",
    "category",
    "intent",
    "y",
    "outcome",
    "output",
    "result",
    "answer",
    "sentiment",
    "topic",
    "topics",
    "tags",
    "genres",
    "keywords",
    "income",
    "risk",
    "churn",
    "fraud",
    "is_fraud",
    "default",
    "diagnosis",
    "response",
    "标签",
    "话题",
    "关键词",
    "类别",
    "分类",
    "意图",
    "情感",
    "结果",
)
TEXT_NAMES = (
    "answer",
    "answers",
    "response",
    "reply",
    "output",
    "completion",
    "translation",
    "summary",
    "回答",
    "回复",
    "译文",
    "翻译",
    "摘要",
)
"""What a column that is to be written is called, the likeliest first."""
QUANTITY_NAMES = (
    "target",
    "y",
    "price",
    "sale_price",
    "saleprice",
    "cost",
    "salary",
    "sales",
    "revenue",
    "amount",
    "demand",
    "consumption",
    "价格",
    "房价",
    "总价",
    "单价",
    "成本",
    "工资",
    "薪资",
    "销量",
    "销售额",
    "收入",
    "金额",
    "需求量",
)
"""What a number that is asked for is called."""
INPUT_NUMBERS = ("score", "rating", "age", "duration", "weight", "评分", "得分", "年龄", "时长", "重量")
"""What one may be called that is as often told as asked for: where nothing else looks like an answer."""


def could_be_labels(values: Sequence[Any]) -> bool:
    """True for few different short names, each on several rows."""
    present = readable(values)
    different = len(set(present))
    mean_length = sum(map(len, present)) / max(len(present), 1)
    few = 2 <= different <= max(2, min(MOST_LABELS, len(present) // 2))
    return few and mean_length < LABEL_LETTERS and not is_quantity(values)


def could_be_tags(values: Sequence[Any]) -> bool:
    """True for lists of short names that come again in other rows, however they are written."""
    return tags_form(values) is not None and not is_quantity(values) and not is_moment(values)


def tags_form(values: Sequence[Any]) -> str | None:
    """How several tags are written: an example, '' = as lists that need none; None: these are no tags."""
    present = [value for value in values if not is_missing(value)]
    listed = [value for value in present if isinstance(value, list) or tags_format.is_listed(value)]
    if present and len(listed) > WRITTEN * len(present):
        readable_ones = [tags.read(value, None) or [] for value in listed if tags.check(value) is None]
        return "" if tags_format.is_vocabulary(readable_ones) else None
    return tags_format.guess([value for value in present if isinstance(value, str)]) or None


def could_be_written(values: Sequence[Any]) -> bool:
    """True for texts, or lists of them, that hardly repeat."""
    present = [value for value in values if not is_missing(value)]
    texts = sum(isinstance(value, str | list) and not is_number(value) and not is_date(value) for value in present)
    is_text = texts > WRITTEN * max(1, len(present)) and not is_quantity(values) and not is_moment(values)
    return is_text and len(set(map(word_of, present))) > REPEATED * len(present)


def is_moment(values: Sequence[Any]) -> bool:
    """True for dates and times of day."""
    present = [value for value in values if not is_missing(value)]
    return bool(present) and sum(is_date(value) or is_clock(value) for value in present) > WRITTEN * len(present)


def output_kind(name: str, values: Sequence[Any], reasons: list[str]) -> str:
    """The kind of an output column; what it is taken for is added to the reasons where that is not plain.

    Raises: DataError: it holds moments that are no labels.
    """
    claimed = kinds.claimed([value for value in values if not is_missing(value)])
    if claimed:
        return claimed
    different = len(set(readable(values)))
    if is_quantity(values):
        return "number"
    if different > FEW_NUMBERS and name.strip().lower() not in LABEL_NAMES and _are_numbers(values):
        reasons.append(
            f"output '{name}' is taken as a number ({different} different ones); are they names of labels, "
            f"`output: {{{name}: category}}` says so"
        )
        return "number"
    if is_moment(values):
        if different > MOST_LABELS or different * 2 > len(values):
            raise DataError(
                f"column '{name}' holds dates or times, expected a category, a number or a text",
                "make a column of what is asked of them, such as the weekday, or 'late' and 'on time'",
            )
        reasons.append(f"output '{name}' holds dates or times: each of the {different} is taken as a label")
    if could_be_tags(values):
        return "tags"
    return "category" if could_be_labels(values) else "text"


def named(columns: Mapping[str, Sequence[Any]], names: Sequence[str], fits: Callable[[str], bool]) -> str:
    """The column with the first of these names that fits; '' where none does."""
    by_name = {name.strip().lower(): name for name in columns}
    return next((by_name[name] for name in names if name in by_name and fits(by_name[name])), "")


def _are_numbers(values: Sequence[Any]) -> bool:
    present = [value for value in values if not is_missing(value)]
    return bool(present) and len(numbers_of(values)) > WRITTEN * len(present)
