"""What came of a list: an event with one of its items, or with another one; several on one list add up."""

import math
import time
from collections.abc import Sequence
from typing import Any

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_missing
from windlass.kinds.items import History
from windlass.outputs.items.measures import recommender
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json

MOST_SAID = 100
NOT_WANTED = "not_interested"
"""An event that every product understands: it weighs nothing, and the item is not recommended again."""


def read_correction(column: Column, said: Any) -> Json | None:
    """`{"item": "i5", "event": "buy"}`, an id, or a list of these; None: nothing was said. Raises: DataError."""
    if is_missing(said):
        return None
    events = said if isinstance(said, list) else [said]
    kind = kinds.of(column)
    told = [{**each, "weight": 0} if isinstance(each, dict) and each.get("event") == NOT_WANTED and "weight" not in each
            else each for each in events]  # fmt: skip
    found: History = kind.read(told, None)
    if not len(found):
        raise DataError("feedback names no item, expected what came of the list", '{"item": "i5", "event": "buy"}')
    if len(found) > MOST_SAID:
        raise DataError(f"feedback names {len(found):,} items, expected at most {MOST_SAID}")
    now = time.time()
    times = tuple(now if math.isnan(each) else min(each, now) for each in found.times)
    return History(found.items, times, found.weights).as_json()


def check_correction(predictor: Predictor, said: Any) -> None:
    """Any item may be named: one that the release does not know becomes known."""
    recommender(predictor)


def together(said: Sequence[str]) -> str:
    """All that came of one list, as a row keeps it; the same event counts once."""
    found: dict[tuple[str, float, float], None] = {}
    for text in said:
        each: History = kinds.get("items").read(text, None)
        found.update(dict.fromkeys(zip(each.items, each.times, each.weights, strict=True)))
    items, times, weights = zip(*found, strict=True) if found else ((), (), ())
    return History(items, times, weights).as_text()
