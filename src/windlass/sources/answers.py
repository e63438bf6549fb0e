"""Which columns can be what a product answers: a set of names, a number, or a text; by their names and values."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.kinds.contract import is_missing
from windlass.kinds.formats import tags_format
from windlass.sources.columns import is_clock, is_date, is_number, is_quantity, look, numbers_of, readable, word_of

MOST_LABELS, LABEL_LETTERS = 1_000, 60
WRITTEN, REPEATED = 0.95, 0.3
TAG_PREFIX = re.compile(r"(tag|label|topic|genre|category|class)s?[_\-.: ]|(标签|类别|话题|主题)", re.IGNORECASE)
"""How columns begin that are a tag each."""
FEW_NUMBERS = 20
FEW_BROKEN = 4
"""Different numbers that may be names of labels in a column that is not called like an answer; and where some are
broken, as in ratings of half a star."""
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
QUANTITY_WORD = re.compile(
    r"(price|value|sales|cost|revenue|salary|demand|consumption)$|价格?$|价值$|金额$|销量$|销售额$", re.IGNORECASE
)
"""How the name of one often ends."""
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


def tag_columns(columns: Mapping[str, Sequence[Any]], wanted: bool = False) -> list[str]:
    """Columns of 1 and 0 that are a tag each: the last ones, called like tags or behind nothing but texts and pictures.

    wanted: a person said that there are such. Two or more, or none.
    """
    found: list[str] = []
    for name, values in reversed(list(columns.items())):
        if not _is_yes_or_no(values):
            break
        found.insert(0, name)
    named_so = [name for name in found if TAG_PREFIX.match(name)]
    if len(named_so) > 1 and not wanted:
        return named_so
    if wanted or len(found) < 2:
        return found if len(found) > 1 else []
    others = [look(name, values) for name, values in columns.items() if name not in found]
    kinds_of_others = {each.kind for each in others if each.kind}
    is_beside_text = bool(kinds_of_others) and all(
        kinds.get(kind).is_prose or kinds.get(kind).is_picture for kind in kinds_of_others
    )
    return found if is_beside_text else []


def _is_yes_or_no(values: Sequence[Any]) -> bool:
    words = {word_of(value).strip() for value in values if not is_missing(value)}
    return bool(words) and words <= {"0", "1", "0.0", "1.0"}


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
    is_scale = different > FEW_NUMBERS or (different > FEW_BROKEN and _are_broken(values))
    if is_scale and name.strip().lower() not in LABEL_NAMES and _are_numbers(values):
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


def _are_broken(values: Sequence[Any]) -> bool:
    return any(not each.is_integer() for each in numbers_of(values))
