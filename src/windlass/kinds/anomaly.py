"""Whether something is as it should be: 'no', or 'yes' where it is not, whatever the cause is called.

A column of causes is read as it is: what says that nothing is wrong is 'no', every other name is 'yes'.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from windlass.errors import DataError
from windlass.kinds import category
from windlass.kinds.contract import Kind, is_missing
from windlass.records import Json

NO, YES = "no", "yes"
IN_ENGLISH = (NO, "none", "normal", "ok", "okay", "good", "healthy", "sound", "fine", "false", "0")
CHINESE_SOUND = ("无", "没有", "正常", "否", "好")
SOUND = frozenset((*IN_ENGLISH, "无", "没有", "正常", "否", "好"))
"""Words, in small letters, that say that nothing is wrong."""


def check(value: Any) -> str | None:
    found = category.check(value)
    return None if found is None else found.replace("expected a name", "expected 'no', or what is wrong")


def read(value: Any, root: Path | None, how: Json | None = None) -> str:
    """'no', 'yes', or '' where nothing is known. Raises: DataError."""
    if fault := check(value):
        raise DataError(f"anomaly {fault}")
    word = "" if is_missing(value) else category.read(value, root)
    word = (how or {}).get("merge", {}).get(word, word)
    if not word:
        return ""
    return NO if word.casefold() in SOUND else YES


def fit(values: Iterable[str], form: str, options: Json) -> Json:
    """Both answers, also where only good examples are known."""
    counts = Counter(values)
    return {"form": form, "labels": [NO, YES], "counts": [max(counts[NO], counts[YES] + 1), counts[YES]]}


def as_written(how: Json) -> Kind:
    """`how["merge"]`: what is found -> what it is called; '' -> 'none' where empty says that nothing is wrong."""
    reading = partial(read, how=how)
    return replace(KIND, read=reading, portable=reading)


KIND = replace(
    category.KIND,
    name="anomaly",
    forms=("label",),
    check=check,
    read=read,
    fit=fit,
    portable=lambda value, root: read(value, root),
    as_written=as_written,
)
