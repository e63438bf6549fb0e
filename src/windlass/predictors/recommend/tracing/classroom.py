"""What a release of a tutor carries beside its tracer, to be looked up and not learned from: the words of the
exercises, and what each learner had tried by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.items import History
from windlass.predictors.recommend import known_users
from windlass.predictors.recommend.known_users import Known, KnownUsers
from windlass.records import Catalogue
from windlass.store.json_files import read_json, write_json

CONTENT = "content.json"


@dataclass(frozen=True)
class Classroom:
    """content: of the exercises, None where no table tells of them. learners: their tries, as numbers of exercises."""

    content: Catalogue | None = None
    learners: KnownUsers = field(default_factory=KnownUsers)

    @classmethod
    def of(cls, content: Catalogue | None, histories: Sequence[History], places: Mapping[str, int]) -> "Classroom":
        """histories: one of each learner. places: exercise -> its number; others are left out, as no tracer knows
        them."""
        kept = [
            [
                (places[item], time, weight)
                for item, time, weight in zip(each.items, each.times, each.weights, strict=True)
                if item in places
            ]
            for each in histories
        ]
        starts = np.cumsum([0, *map(len, kept)]).astype(np.int64)
        every = np.array([event for each in kept for event in each], float).reshape(-1, 3)
        times = np.nan_to_num(every[:, 1], nan=UNTOLD)
        known = Known(every[:, 0].astype(np.int32), times, every[:, 2].astype(np.float32))
        return cls(content, KnownUsers({each.user: place for place, each in enumerate(histories)}, starts, known))

    def histories(self, exercises: Sequence[str]) -> dict[str, History]:
        """Learner -> all tries."""
        found = {}
        for learner in self.learners.places:
            known = self.learners.of(learner)
            assert known is not None
            items = tuple(exercises[number] for number in known.items.tolist())
            times = tuple(float("nan") if each == UNTOLD else each for each in known.times.tolist())
            found[learner] = History(items, times, tuple(known.weights.tolist()), learner, whole=True)
        return found

    def save(self, folder: Path) -> None:
        if self.content is not None:
            columns = {name: list(values) for name, values in self.content.columns.items()}
            write_json(folder / CONTENT, {"ids": list(self.content.ids), "columns": columns})
        self.learners.save(folder)


UNTOLD = -1.0
"""Stands for a moment that nobody told: arrays of an artifact are finite."""


def load(folder: Path, n_exercises: int) -> Classroom:
    """Nothing of an artifact that was made before there was any. Raises: DataError: it is damaged."""
    if not (folder / known_users.USERS).exists():
        return Classroom()
    learners = known_users.load(folder, n_exercises)
    if not (folder / CONTENT).exists():
        return Classroom(None, learners)
    values: Any = read_json(folder / CONTENT)
    told: dict[str, Any] = values if isinstance(values, dict) else {}
    ids, columns = told.get("ids"), told.get("columns")
    if not isinstance(ids, list) or not _is_column(ids) or not isinstance(columns, dict):
        raise DataError(f"{folder / CONTENT} is damaged, expected what is told of exercises")
    if not all(_is_column(each) and len(each) == len(ids) for each in columns.values()):
        raise DataError(f"{folder / CONTENT} is damaged, expected a text of each exercise in every column")
    return Classroom(Catalogue(tuple(ids), {str(name): tuple(each) for name, each in columns.items()}), learners)


def _is_column(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)
