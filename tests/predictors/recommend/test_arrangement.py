"""Lists by the rules of a product: places for new items, margins, not ten of a kind."""

from pathlib import Path

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.predictors.recommend import arrangement
from windlass.predictors.recommend.arrangement import Arrangement, Rules
from windlass.predictors.recommend.content import Content

SCORES = np.array([9.0, 8, 7, 1, 0, 0])
IS_NEW = np.array([False] * 4 + [True] * 2)
KINDS = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0], [0, 1]], np.float32)
HISTORY, WEIGHTS = np.array([3]), np.ones(1, np.float32)


def made(rules: Rules, margins: np.ndarray | None = None) -> Arrangement:
    content = Content(KINDS, np.zeros(6, np.float32)) if rules.need_content else None
    return Arrangement(rules, content, IS_NEW, np.full(6, np.nan) if margins is None else margins)


def test_the_new_item_nearest_to_the_history_gets_the_place() -> None:
    assert made(Rules(new=0.5)).arranged(SCORES, HISTORY, WEIGHTS, 2).tolist() == [0, 5]
    hidden = np.where(np.arange(6) == 5, -np.inf, SCORES)
    assert made(Rules(new=0.5)).arranged(hidden, HISTORY, WEIGHTS, 2).tolist() == [0, 4]


def test_a_list_of_different_kinds_and_one_by_margin() -> None:
    assert made(Rules(diverse=0.5)).arranged(SCORES, HISTORY, WEIGHTS, 2).tolist() == [0, 2]
    margins = np.array([0.0, 0, 50, 0, 0, 0])
    assert made(Rules(margin=1.0), margins).arranged(SCORES, HISTORY, WEIGHTS, 2).tolist() == [2, 0]


def test_rules_stand_in_the_output_and_are_read_with_the_artifact(tmp_path: Path) -> None:
    rules = Rules.of({"written": {"new": 0.1, "item": "film"}})
    assert rules == Rules(new=0.1)
    assert Rules.of({}).as_json() == {}
    made(Rules(new=0.5)).save(tmp_path)
    found = arrangement.load(tmp_path, Rules(new=0.5), IS_NEW, np.full(6, np.nan))
    assert found.arranged(SCORES, HISTORY, WEIGHTS, 2).tolist() == [0, 5]
    with pytest.raises(DataError, match="tells of 6 items, expected 2"):
        arrangement.load(tmp_path, Rules(new=0.5), IS_NEW[:2], np.zeros(2))
    with pytest.raises(DataError, match="rules of a list"):
        Rules.of({"written": {"new": "much"}})
