"""Gradient-boosted trees: what usually wins on tables.

Source: Ke et al. 2017, LightGBM. Measured choices: docs/log.md, "trees".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from windlass.kinds import number
from windlass.kinds import table as kinds
from windlass.kinds.number import HALF, RANGES
from windlass.learners.classic import quantiles, several_yes_and_no
from windlass.learners.classic.boosting import Watch
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import Encoded, encode, finish, with_stopping
from windlass.metrics import links
from windlass.metrics.costs import of_level
from windlass.metrics.intervals import LEAST_ADAPTED, by_quantiles, holds
from windlass.metrics.measures import is_better
from windlass.metrics.numbers import ABSOLUTE
from windlass.predictors.artifact import N_GOLDEN, read_manifest, write_manifest
from windlass.predictors.contract import n_scores, width
from windlass.predictors.tables.trees import FILE, HIGH, LOW, as_scores, features, order
from windlass.records import Column, Json, Manifest, Progress, Splits
from windlass.store.files import write_text

FORMS = {"text": "terms", "number": "raw", "category": "index", "date": "calendar", "series": "features"}
TERMS = {"text": {"n_terms": 2_000, "min_rows": 5}}
MAX_ROUNDS = 2_000
UNWATCHED_ROUNDS = 200
"""Where no validation rows tell when to stop."""
PATIENCE = 100
SMALL = 2_000
TRIED_SHARE, QUANTILE_SHARE = 0.5, 0.1
"""Of the budget, for finding the rounds, and at most for each end of the interval."""


Towards = tuple[Json, Json | None]
"""LightGBM's objective, and of numbers the link on whose scale it is learned; None: in deviations from the mean."""


def objectives_of_labels(encoded: Encoded, metric: str) -> list[Towards]:
    n_scores = encoded.n_scores
    return [({"objective": "binary"} if n_scores == 2 else {"objective": "multiclass", "num_class": n_scores}, None)]


def objectives_of_numbers(encoded: Encoded, metric: str) -> list[Towards]:
    """Squared errors; where absolute ones count these as well; and what the numbers themselves ask for, such as a
    logarithm of what is skewed and Poisson's loss of counts: which of them serves best, rows decide."""
    is_absolute = metric in ABSOLUTE
    usual = {"objective": "regression_l1", "metric": "l1"} if is_absolute else {"objective": "regression"}
    found: list[Towards] = [({"objective": "regression", "metric": "l1" if is_absolute else "l2"}, None)]
    if is_absolute:
        found.append((usual, None))
    numbers = number.recovered(encoded.train_targets, encoded.output.state)
    for name, loss in links.wanted(numbers, is_absolute):
        found.append(({"objective": loss, "metric": loss} if loss else usual, links.fitted(name, numbers)))
    return found


def objectives_of_tags(encoded: Encoded, metric: str) -> list[Towards]:
    """Yes or no of each tag, see `several_yes_and_no`."""
    return [({"objective": several_yes_and_no.NAME, "num_class": encoded.n_scores, "metric": "None"}, None)]


OBJECTIVES: dict[str, Callable[[Encoded, str], list[Towards]]] = {
    "category": objectives_of_labels,
    "number": objectives_of_numbers,
    "tags": objectives_of_tags,
}
"""Kind of the output -> (rows, metric) -> what is boosted towards; the best by the validation rows is taken."""


def settings(n_rows: int, objective: Json, seed: int) -> dict[str, Any]:
    """LightGBM's parameters: shallow, slow and well shaken when rows are few."""
    small = n_rows < SMALL
    return {
        **objective,
        "learning_rate": 0.02 if small else 0.05,
        "num_leaves": 7 if small else 31,
        "min_data_in_leaf": 10 if small else 20,
        "feature_fraction": 0.5 if small else 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0 if small else 1.0,
        "max_cat_to_onehot": 8,
        "cat_smooth": 20,
        "min_data_per_group": 20 if small else 100,
        "seed": seed,
        "deterministic": True,
        "num_threads": 1 if small else 0,
        "force_row_wise": True,
        "verbosity": -1,
    }


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Finds objective and rounds on the validation rows, then fits so many on all rows but the test's."""
    encoded = with_stopping(encode(splits, FORMS, TERMS))
    rows = Rows(encoded, features(encoded.train), features(encoded.validation))
    towards = OBJECTIVES[encoded.output.kind](encoded, options.metric)
    if options.monotone:  # leaves of medians are set anew afterwards, which could break the promise
        towards = [each for each in towards if each[0]["objective"] not in ("regression_l1", "quantile")]
    if options.level is not None and not options.monotone:
        towards.append((quantiles.objective(options.level), None))
    tried = []
    for place, (objective, link) in enumerate(towards if len(encoded.validation_targets) else towards[:1]):
        until = TRIED_SHARE * budget.seconds * (place + 1) / len(towards)
        parameters = settings(rows.train.shape[0], objective, options.seed) | constraints(encoded, options.monotone)
        tried.append(rows.boosted(parameters, Watch(budget, until, progress), link))
    best = tried[0]
    for other in tried[1:]:
        if is_better(options.metric, rows.score(options, other), rows.score(options, best)):
            best = other
    pair = _quantiles(rows, best, budget, progress)
    final = rows.on_all(best) if len(encoded.validation_targets) else best.booster
    options.artifact.mkdir(parents=True, exist_ok=True)
    write_text(options.artifact / FILE, final.model_to_string())
    found = {"rounds": final.num_trees(), **({"objective": best.parameters["objective"]} if len(tried) > 1 else {})}
    found |= {"scale": best.link["name"]} if best.link else {}
    fitted = finish(
        options,
        {"predictor": "trees", "learner": "trees", "settings": found},
        replace(encoded, output=rows.output(best.link)),
        splits,
        np.concatenate([rows.scores(each.booster, rows.validation) for each in (best, *pair)], axis=1),
        rows.scores(final, rows.validation[:N_GOLDEN]),
    )
    manifest = read_manifest(options.artifact)
    if n_scores(manifest) > encoded.n_scores:
        pair = _refined(rows, pair, manifest, options.artifact, budget)
        for name, side in zip((LOW, HIGH), pair, strict=True):
            write_text(options.artifact / name, side.booster.model_to_string())
    return replace(fitted, curve=best.curve)


def _quantiles(rows: "Rows", best: "Boosted", budget: Budget, progress: Progress) -> list["Boosted"]:
    """Boosters of the low and of the high quantile, of the train rows alone; none where few rows can tell them."""
    encoded = rows.encoded
    if encoded.aim.has_classes or encoded.stopping is None or (~encoded.stopping).sum() < LEAST_ADAPTED:
        return []
    found = []
    for share in quantiles.SHARES:
        watch = Watch(budget, budget.spent() + QUANTILE_SHARE * budget.seconds, progress)
        found.append(rows.boosted(quantiles.settings(best.parameters, share), watch))
    return found


def _refined(rows: "Rows", pair: list["Boosted"], manifest: Manifest, folder: Path, budget: Budget) -> list["Boosted"]:
    """The pair learned from all rows, its margins told by all of them, each row by models of the other folds; the
    manifest says so then. The pair as it is where time is short, or where validation rows contradict: rows of
    another time or group are no rows like the others."""
    encoded, started = rows.encoded, budget.spent()
    every, right = rows.every, encoded.every_target
    fold_of = np.random.default_rng(quantiles.N_FOLDS).permutation(len(right)) % quantiles.N_FOLDS
    basis = np.empty((len(right), len(pair)))
    for fold in range(quantiles.N_FOLDS):
        others = np.flatnonzero(fold_of != fold)
        for side, tried in enumerate(pair):
            basis[fold_of == fold, side] = rows.on(others, tried).predict(every[fold_of == fold])
        if budget.left() < (budget.spent() - started) / (fold + 1) * (quantiles.N_FOLDS - fold):
            return pair
    state = manifest.output.state
    unit, mean = state["deviation"], state["mean"]
    found = by_quantiles(mean + unit * right, mean + unit * basis)
    apart = ~encoded.stopping if encoded.stopping is not None else slice(None)
    given = np.stack([tried.booster.predict(rows.validation[apart]) for tried in pair], axis=1)
    if not holds(found, mean + unit * encoded.validation_targets[apart], mean + unit * given):
        return pair
    low, high = found.ends(mean + unit * given.mean(axis=1), mean + unit * given)
    state = {**state, HALF: float(np.median(high - low)) / 2, RANGES: found.as_json()}
    write_manifest(folder, replace(manifest, output=replace(manifest.output, state=state)))
    return [replace(tried, booster=rows.on(np.arange(len(right)), tried)) for tried in pair]


@dataclass(frozen=True)
class Boosted:
    """A booster as it was tried on the train rows. curve: what the validation rows lost on the way. link: of numbers,
    the scale on which they were learned."""

    parameters: dict[str, Any]
    booster: Any
    curve: list[Json]
    link: Json | None = None


@dataclass(frozen=True)
class Rows:
    """The rows as LightGBM reads them. train, validation: (n, features) float32, or scipy CSR."""

    encoded: Encoded
    train: Any
    validation: Any

    def boosted(self, parameters: dict[str, Any], watch: Watch, link: Json | None = None) -> Boosted:
        """A booster of the train rows that stops when the validation rows lose no less any more."""
        encoded = self.encoded
        data = self._data(self.train, self._scaled(encoded.train_targets, link), encoded.train_weights)
        is_watched = len(encoded.validation_targets) > 0
        places, counts = encoded.watched, encoded.validation_weights
        known = encoded.validation_targets[places]
        counts = None if counts is None else counts[places]
        labels = _labels(self._scaled(known, link))
        valid = [lightgbm.Dataset(self.validation[places], labels, data, counts)] if is_watched else []
        wanted = several_yes_and_no.aimed(parameters, encoded.train_targets, encoded.train_weights)
        judged = several_yes_and_no.judge(known, counts)
        stopping = [lightgbm.early_stopping(PATIENCE, verbose=False)] * is_watched
        rounds = MAX_ROUNDS if is_watched else UNWATCHED_ROUNDS
        booster = lightgbm.train(wanted, data, rounds, valid, feval=judged, callbacks=[watch, *stopping])
        return Boosted(parameters, booster, watch.curve, link)

    def output(self, link: Json | None) -> Column:
        """The column of the answers, of a model that learned it on the scale of the link."""
        output = self.encoded.output
        return output if link is None else replace(output, state={**output.state, number.LINK: link})

    def _scaled(self, targets: np.ndarray, link: Json | None) -> np.ndarray:
        if link is None:
            return targets
        return links.forth(number.recovered(targets, self.encoded.output.state), link)

    def on_all(self, best: Boosted) -> Any:
        """A booster like the best one, of train and validation rows."""
        return self.on(np.arange(self.every.shape[0]), best)

    @cached_property
    def every(self) -> Any:
        """Train rows, then validation rows."""
        return _stacked(self.train, self.validation)

    def on(self, places: np.ndarray, best: Boosted) -> Any:
        """A booster like the best one, of these of all rows."""
        right, counts = self.encoded.every_target[places], self.encoded.every_weight
        counts = None if counts is None else counts[places]
        data = self._data(self.every[places], self._scaled(right, best.link), counts)
        rounds = max(1, best.booster.best_iteration or best.booster.current_iteration())
        wanted = several_yes_and_no.aimed(best.parameters, right, counts)
        return lightgbm.train(wanted, data, rounds)

    def _data(self, rows: Any, targets: np.ndarray, weights: np.ndarray | None) -> lightgbm.Dataset:
        has_prose = any(kinds.get(column.kind).is_prose for column in self.encoded.inputs)
        categories = [] if has_prose else _categories(self.encoded)
        right = _labels(targets)
        return lightgbm.Dataset(rows, right, weight=weights, categorical_feature=categories, free_raw_data=False)

    def scores(self, booster: Any, rows: Any) -> np.ndarray:
        """(n, k) of these rows."""
        if not rows.shape[0]:
            return np.zeros((0, self.encoded.n_scores))
        return as_scores(np.asarray(booster.predict(rows, raw_score=True)), self.encoded.n_scores)

    def score(self, options: Options, tried: Boosted) -> float:
        """The metric on the validation rows that may be looked at to choose, or what answers cost there, where errors
        cost more on one side (less is better, as of all metrics that are learned then)."""
        encoded, places = self.encoded, self.encoded.watched
        scores = self.scores(tried.booster, self.validation[places])
        output, right = self.output(tried.link), encoded.validation_targets[places]
        if options.level is not None:
            values = number.decode(scores, output.state)
            return of_level(options.level).leaning(number.recovered(right, output.state), values)
        return encoded.aim.score(options.metric, output, right, scores)


def _labels(targets: np.ndarray) -> np.ndarray:
    """(n,) as LightGBM takes them; where a row has several targets, zeros that nobody reads."""
    return targets if targets.ndim == 1 else np.zeros(len(targets))


def _categories(encoded: Encoded) -> list[int]:
    """The columns of the feature matrix that hold level numbers."""
    starts = np.cumsum([0, *(width(batch) for batch in encoded.train)]).tolist()
    return [start for start, column in zip(starts, encoded.inputs, strict=False) if FORMS[column.kind] == "index"]


def constraints(encoded: Encoded, monotone: Mapping[str, str]) -> Json:
    """LightGBM's constraint of each feature: 1 the number rises with it, -1 falls, 0 neither is asked."""
    if not monotone:
        return {}
    signs = {"increasing": 1, "decreasing": -1}
    places = order(encoded.train)
    found = [signs.get(monotone.get(encoded.inputs[place].name, ""), 0) for place in places]
    widths = [width(encoded.train[place]) for place in places]
    return {"monotone_constraints": np.repeat(found, widths).tolist(), "monotone_constraints_method": "intermediate"}


def _stacked(first: Any, second: Any) -> Any:
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    from scipy.sparse import vstack

    return vstack([first, second], format="csr")
