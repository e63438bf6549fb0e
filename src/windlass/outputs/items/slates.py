"""Lists that explored, as the log has them, and what another release would have earned with them, in clicks.

A list is judged where each of its items carries the `chance` of its place (`items: {explore: ...}`) and what was asked
was kept. A click is feedback that wants an item of the list. The other way is the release's own ranking, by the same
rules, without exploration; its model of rewards is how often a place is clicked, learned from the other half of users.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.database.backend import Database
from windlass.database.request_log import answer_rows, feedback_rows
from windlass.errors import DataError
from windlass.metrics.exposure import LoggedSlates, PolicyValue, doubly_robust, ips, snips
from windlass.outputs.items.measures import recommender, wanted
from windlass.predictors.contract import Predictor
from windlass.records import Json, Row


@dataclass(frozen=True)
class Slate:
    """A list as it was shown. row: what was asked; chances, clicked: of each item at its place."""

    id: str
    row: Row
    items: tuple[str, ...]
    chances: tuple[float, ...]
    clicked: tuple[bool, ...]
    caller: str = ""


@dataclass(frozen=True)
class SlatesJudged:
    """Clicks a list: `plain`, as it was shown; the other way by its self-normalised and its doubly robust value."""

    n_slates: int
    plain: PolicyValue
    self_normalised: PolicyValue
    doubly_robust: PolicyValue

    @property
    def words(self) -> tuple[str, ...]:
        """What a person should know of the figures."""
        return tuple(dict.fromkeys([*self.self_normalised.words, *self.doubly_robust.words]))


def slates(place: Database | Path, since: float = 0.0) -> list[Slate]:
    """Lists of the log that explored and whose rows were kept, oldest first. Raises: DataError: the log."""
    told: dict[str, set[str]] = {}
    for said in feedback_rows(place):
        if said["correct"]:
            told.setdefault(said["id"], set()).update(wanted(said["correct"]).liked)
    found = []
    for answer in answer_rows(place, since):
        entries = _entries(answer)
        if entries and answer["inputs"] is not None and all("chance" in each for each in entries):
            items = tuple(str(each["item"]) for each in entries)
            clicks = told.get(answer["id"], set())
            found.append(Slate(answer["id"], answer["inputs"], items, tuple(float(each["chance"]) for each in entries),
                               tuple(item in clicks for item in items), answer.get("caller") or ""))  # fmt: skip
    return found


def _entries(answer: Json) -> list[Json]:
    try:
        value = json.loads(answer["value"])
    except (TypeError, ValueError):
        return []
    return value if isinstance(value, list) and all(isinstance(each, dict) and "item" in each for each in value) else []


def judged(shown: Sequence[Slate], predictor: Predictor) -> SlatesJudged:
    """What the release would have earned with these lists. One that has learned from them knows what was clicked, and
    leaves it out: judge it by lists since it was made.

    Raises: DataError: there are none, or none is as long as most; chances of 0 or 1.
    """
    model = recommender(predictor)
    length = int(np.median([len(each.items) for each in shown])) if shown else 0
    same = [each for each in shown if len(each.items) == length and length]
    if not same:
        raise DataError(
            "the log has no list that explored, expected some to judge by", "`items: {explore: {epsilon: 0.05}}`"
        )
    clicked = np.array([each.clicked for each in same], np.float64)
    chances = np.array([each.chances for each in same])
    groups, targets = [], np.zeros(chances.shape)
    for number, (each, asked) in enumerate(zip(same, model.asked([each.row for each in same]), strict=True)):
        groups.append(asked.history.user or each.caller or each.id)
        numbers = model.listed(asked, model.scores(asked), length)
        ids = [model.index.catalogue.ids[place] for place in numbers.tolist()]
        targets[number, : len(ids)] = [one == other for one, other in zip(each.items, ids, strict=False)]
    codes = np.unique(np.array(groups), return_inverse=True)[1]
    logged = LoggedSlates.read(clicked, chances, targets, codes)
    foretold = _rates(logged, codes)
    as_shown = LoggedSlates.read(clicked, chances, chances, codes)
    return SlatesJudged(
        len(same), ips(as_shown), snips(logged), doubly_robust(logged, foretold, foretold.sum(axis=1))
    )  # fmt: skip


def _rates(logged: LoggedSlates, codes: np.ndarray) -> np.ndarray:
    """(n, k) how often each place is clicked by the users of the other half."""
    found, half = np.zeros(logged.rewards.shape), codes % 2 == 0
    for part in (half, ~half):
        others = logged.rewards[~part] if (~part).any() else logged.rewards
        found[part] = others.mean(axis=0)
    return found
