"""How a list is made of scores by the rules of a product: margins, places for new items, not ten of a kind."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import is_finite
from windlass.kinds.table import WRITTEN
from windlass.predictors.recommend import content as contents
from windlass.predictors.recommend.content import Content
from windlass.predictors.recommend.reranking import by_margin, diverse, top, with_quota

PLACE = "arrangement"
"""Of the artifact's folder, where what is told of items lies."""
N_CANDIDATES = 5
"""Times as many items as are wanted are looked at for a list of different ones."""


@dataclass(frozen=True)
class Rules:
    """new: the share of a list's places for items of no event. diverse: from 0 = as they are wanted to 1 = as different
    as can be. margin: spreads of the scores that one spread of the margins is worth."""

    new: float = 0.0
    diverse: float = 0.0
    margin: float = 0.0

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Rules":
        """Of the output, as the product sets them. Raises: DataError: these are no rules."""
        told = state.get(WRITTEN, {})
        values = {each.name: told.get(each.name, 0.0) for each in fields(cls)}
        if not all(is_finite(each) and each >= 0 for each in values.values()):
            raise DataError(f"rules of a list are {str(values)[:100]}, expected numbers of 0 or more")
        return cls(**{name: float(value) for name, value in values.items()})

    @property
    def need_content(self) -> bool:
        return bool(self.new or self.diverse)

    def as_json(self) -> dict[str, float]:
        """What is not as usual."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Arrangement:
    """content: nearness of items by what is told of them; None where no rule needs it. is_new: (n_items,) bool.
    margins: (n_items,), NaN where none is told."""

    rules: Rules
    content: Content | None
    is_new: np.ndarray
    margins: np.ndarray

    def arranged(self, scores: np.ndarray, history: np.ndarray, weights: np.ndarray, k: int) -> np.ndarray:
        """(<= k,) numbers, the best first.

        Args: scores: (n_items,), -inf = must not be recommended. history: (m,) items, weights: (m,).
        """
        scores = by_margin(scores, self.margins, self.rules.margin)
        if self.content is None:
            return top(scores, k)
        vectors = self.content.vectors
        candidates = top(scores, N_CANDIDATES * k)
        best = diverse(candidates, scores[candidates], lambda item, others: vectors[others] @ vectors[item],
                       self.rules.diverse, k)  # fmt: skip
        liking = self.content.scores(history, weights, np.zeros(len(history)), 0.0)
        fresh = np.where(self.is_new & np.isfinite(scores), liking, -np.inf)
        return with_quota(best, top(fresh, k), self.rules.new, k)

    def save(self, folder: Path) -> None:
        if self.content is not None:
            (folder / PLACE).mkdir(parents=True, exist_ok=True)
            self.content.save(folder / PLACE)


def load(folder: Path, rules: Rules, is_new: np.ndarray, margins: np.ndarray) -> Arrangement:
    """Raises: DataError: it is damaged."""
    found = contents.load(folder / PLACE, {}) if rules.need_content else None
    if found is not None and len(found.vectors) != len(is_new):
        raise DataError(f"{folder / PLACE} tells of {len(found.vectors):,} items, expected {len(is_new):,}")
    return Arrangement(rules, found, is_new, margins)
