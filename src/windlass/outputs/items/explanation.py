"""Why the first item of a list is recommended: what each event of the history adds to its score."""

import numpy as np

from windlass.errors import DataError
from windlass.outputs.contract import Why
from windlass.outputs.items.measures import recommender
from windlass.predictors.contract import Predictor
from windlass.predictors.recommend.recommender import Asked, Recommender
from windlass.predictors.recommend.scorer import Because
from windlass.records import Explanation, Part, Row

MOST_PARTS = 8
DIGITS = 4


def explain(predictor: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Of the item named by `why.answer`, else of the first one. Raises: DataError: it is not known."""
    found, effort = recommender(predictor), why.effort()
    effort.check()
    asked = found.asked([row], why.root)[0]
    scores = found.scores(asked)
    places = found.index.catalogue.places
    if why.answer and why.answer not in places:
        raise DataError(f"answer is '{why.answer[:80]}', expected the id of an item")
    best = found.listed(asked, scores, 1)
    if not why.answer and not len(best):
        raise DataError("nothing is recommended, expected an item to explain")
    item = places[why.answer] if why.answer else int(best[0])
    parts, base, total = _parts(found, asked, item, scores)
    effort.n_done = 1
    return Explanation(
        label=found.index.catalogue.ids[item],
        confidence=None,
        method="what each event of the history adds",
        unit="points of the score",
        base=base,
        total=total,
        adds_up=True,
        n_evaluations=1,
        parts=parts,
        sides=("speaks for it", "speaks against it"),
        places=DIGITS,
    )


def _parts(found: Recommender, asked: Asked, item: int, scores: np.ndarray) -> tuple[tuple[Part, ...], float, float]:
    """The events that add most, and what is left of the score as its base: how popular it is."""
    total = float(scores[item]) if np.isfinite(scores[item]) else 0.0
    known, name = asked.known, found.column.name
    if not isinstance(found.scorer, Because) or not len(known):
        return (Part(name, f"chosen by {int(found.index.people[item]):,} people", total),), 0.0, total
    adds = np.asarray(found.scorer.because(known.items, known.weights, known.times, np.array([item]))[0], np.float64)
    order = np.argsort(-np.abs(adds), kind="stable")[:MOST_PARTS].tolist()
    catalogue = found.index.catalogue
    parts = tuple(
        Part(name, catalogue.title(catalogue.ids[int(known.items[place])]), float(adds[place]))
        for place in order if adds[place]
    )  # fmt: skip
    return parts, total - sum(part.weight for part in parts), total
