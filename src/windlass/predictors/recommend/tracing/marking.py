"""Whether what a learner wrote is the answer that the content file tells."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation

OTHERS = "|"
"""Stands between answers that are all right."""
MOST = 200
"""Characters of what a learner writes."""
SIGNS = str.maketrans({"−": "-", "–": "-", "，": ",", "．": ".", "／": "/", "：": ":"})


def is_right(written: str, answer: str) -> bool:
    """Apart from spaces, capitals, forms of signs, and zeros behind a decimal point."""
    found = _plain(written)
    return bool(found) and any(_same(found, _plain(each)) for each in answer.split(OTHERS))


def _plain(text: str) -> str:
    told = unicodedata.normalize("NFKC", text).translate(SIGNS).casefold()
    return re.sub(r"\s+", "", told).rstrip(".。!！")


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = _number(one), _number(other)
    return first is not None and first == second


def _number(text: str) -> Decimal | None:
    """Of digits, with commas between thousands or a decimal point; None of anything else, such as 1/2, which is not 2/4
    where one is to simplify."""
    if not re.fullmatch(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?", text) or not text.strip("+-"):
        return None
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
