"""Gradient-boosted trees on lags, windows, calendar and covariates, one model for all series and all steps.

First effects of covariates and a base, level and shape of the season, are fitted; trees learn what the base is off by.
Whether series are looked at as they are or as logarithms, and which base, validation rows decide.
Source: Makridakis et al. 2022, IJF 38(4) (M5: global LightGBM on such features); Ke et al. 2017, LightGBM.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import lightgbm
import numpy as np

from windlass.learners.classic.boosting import Watch
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.series import questions as rows
from windlass.learners.series.effects import with_effects
from windlass.learners.series.questions import Questions
from windlass.metrics.measures import is_better
from windlass.predictors.series import trees
from windlass.predictors.series.lag_features import LOG, PHASES, PLAIN, Base, Recipe, Track, asked
from windlass.predictors.series.question import Question
from windlass.predictors.tables.trees import FILE
from windlass.records import Json, Progress, Splits
from windlass.store.files import write_text

MOST_ROWS, LEAST_ROWS, ROWS_A_SECOND = 400_000, 20_000, 10_000
MAX_ROUNDS, PATIENCE, UNWATCHED_ROUNDS = 1_000, 30, 100
TRIED_SHARE = 0.6
SMALL = 50_000
"""Rows below which threads wait for each other more than they help."""
DRIFTS = (0.0, 0.5, 1.0)
SQUARED = frozenset({"mse", "rmse"})


@dataclass
class Tried:
    """A recipe with its trees. booster: None: the base is better alone. points: (n, h) of the validation rows."""

    recipe: Recipe
    booster: Any
    points: np.ndarray
    score: float
    seconds: float
    curve: list[Json] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        return 0 if self.booster is None else self.booster.best_iteration or self.booster.current_iteration()


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The better of the modes on validation rows, then fitted on all rows."""
    questions = rows.read(splits)
    modes = [PLAIN, LOG] if questions.output.state["least"] >= 0 else [PLAIN]
    best: Tried | None = None
    for number, mode in enumerate(modes):
        until = TRIED_SHARE * budget.seconds * (number + 1) / len(modes)
        tried = Boosting(questions, options, budget, progress).tried(mode, until)
        if best is None or is_better(options.metric, tried.score, best.score):
            best = tried
    assert best is not None  # there is always one mode
    recipe, booster = _on_all(best, questions, options, budget)
    engine = trees.engine(booster, recipe)
    options.artifact.mkdir(parents=True, exist_ok=True)
    if booster is not None:
        write_text(options.artifact / FILE, booster.model_to_string())
    settings = {
        "rounds": best.rounds,
        "features": booster.num_feature() if booster is not None else 0,
        "recipe": recipe.as_json(),
    }
    manifest = {"predictor": "lag-trees", "learner": "lag-trees", "settings": settings}
    return replace(rows.finish(options, manifest, questions, splits, best.points, engine), curve=best.curve)


def _on_all(best: Tried, questions: Questions, options: Options, budget: Budget) -> tuple[Recipe, Any]:
    """The same recipe and as many rounds on all rows, where the budget has room for it (one of steps always has)."""
    if not questions.validation or (budget.steps is None and budget.left() < best.seconds):
        return best.recipe, best.booster
    recipe = with_effects(best.recipe, questions.every, questions.first_new, questions.horizon)
    if best.booster is None:
        return recipe, None
    table, targets = windows(questions.every, recipe, questions.first_new, _most(budget), options.seed)
    data = lightgbm.Dataset(table, targets, free_raw_data=True)
    return recipe, lightgbm.train(parameters(len(table), options), data, best.rounds)


def parameters(n_rows: int, options: Options) -> Json:
    return {
        "objective": "regression",
        "metric": "l2" if options.metric in SQUARED else "l1",
        "learning_rate": 0.04,
        "num_leaves": 15 if n_rows < 50_000 else 31,
        "min_data_in_leaf": max(20, n_rows // 1_000),
        "feature_fraction": 0.5,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "seed": options.seed,
        "deterministic": True,
        "num_threads": 1 if n_rows < SMALL else 0,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _most(budget: Budget) -> int:
    return int(min(MOST_ROWS, max(LEAST_ROWS, ROWS_A_SECOND * budget.seconds)))


def windows(
    series: Sequence[Question], recipe: Recipe, first_new: int, most: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(m, d) features and (m,) what the base is off by, of windows at chance; of the series from `first_new` on only
    those that end with them."""
    random = np.random.default_rng(seed)
    horizon = recipe.horizon
    places = [np.arange(min(recipe.unit, max(1, len(each.history) - horizon)), len(each.history) - horizon + 1)
              if number < first_new else np.array([max(1, len(each.history) - horizon)])
              for number, each in enumerate(series)]  # fmt: skip
    share = min(1.0, most / max(1, horizon * sum(map(len, places))))
    tables, targets = [], []
    for each, origins in zip(series, places, strict=True):
        chosen = origins[random.random(len(origins)) < share]
        if not len(chosen):
            continue
        track = Track(each, recipe)
        right = track.at(chosen[:, None] + np.arange(horizon)[None, :]) - track.base(chosen, recipe.base)
        told = np.isfinite(right)
        tables.append(track.features(chosen)[told])
        targets.append(right[told])
    if not tables:
        return np.zeros((0, 0), np.float32), np.zeros(0)
    return np.concatenate(tables), np.concatenate(targets)


@dataclass(frozen=True)
class Boosting:
    """One mode after the other, on the rows of train, watched on those of validation."""

    questions: Questions
    options: Options
    budget: Budget
    progress: Progress

    def tried(self, mode: str, until: float) -> Tried:
        """until: seconds of the budget at which boosting stops."""
        started, questions = self.budget.spent(), self.questions
        state = questions.output.state
        shift = 0.0 if state["least"] > 0 or mode == PLAIN else _shift(questions.train)
        recipe = replace(Recipe.of(questions.asking), mode=mode, shift=shift)
        recipe = with_effects(recipe, questions.train, len(questions.train), questions.horizon)
        recipe = replace(recipe, base=self.best_base(recipe))
        base, table = asked(questions.validation, recipe)
        alone = self._tried(recipe, None, base, started)
        given, targets = windows(questions.train, recipe, len(questions.train), _most(self.budget), self.options.seed)
        if len(given) < 2 * len(state) or not len(np.unique(targets)) > 1:
            return alone
        right = self._told(recipe, questions.truth) - base if len(base) else np.zeros((0, 0))
        told = np.isfinite(right)
        watch = Watch(self.budget, until, self.progress)
        data = lightgbm.Dataset(given, targets, free_raw_data=True)
        valid = [lightgbm.Dataset(table[told], right[told], reference=data)] if told.any() else []
        stopping = [lightgbm.early_stopping(PATIENCE, verbose=False)] * len(valid)
        rounds = self.budget.steps or (MAX_ROUNDS if valid else UNWATCHED_ROUNDS)
        settings = parameters(len(given), self.options)
        booster = lightgbm.train(settings, data, rounds, valid, callbacks=[watch, *stopping])
        if not len(base):
            return Tried(recipe, booster, alone.points, float("nan"), self.budget.spent() - started, watch.curve)
        off = np.asarray(booster.predict(table.reshape(-1, table.shape[2]))).reshape(base.shape)
        boosted = self._tried(recipe, booster, base + off, started)
        boosted.curve = watch.curve
        return boosted if is_better(self.options.metric, boosted.score, alone.score) else alone

    def _told(self, recipe: Recipe, truth: np.ndarray) -> np.ndarray:
        scale = np.array([each.scale for each in self.questions.validation])[:, None]
        return np.asarray(recipe.told(truth, scale))  # type: ignore[arg-type]

    def _tried(self, recipe: Recipe, booster: Any, found: np.ndarray, started: float) -> Tried:
        questions = self.questions
        scale = np.array([each.scale for each in questions.validation])[:, None]
        points = recipe.untold(found, scale) if len(found) else np.zeros((0, questions.horizon))
        points = np.where(np.isfinite(points), points, questions.output.state["level"])
        score = questions.score(self.options.metric, points)
        return Tried(recipe, booster, points, score, self.budget.spent() - started)

    def best_base(self, recipe: Recipe) -> Base:
        """The base that is off by the least on validation rows, in the unit that is looked at."""
        questions = self.questions
        tracks = [Track(each, recipe) for each in questions.validation]
        if not tracks:
            return Base(recipe.unit, recipe.unit if recipe.unit > 1 else 0, 4)
        ends = [np.array([len(each.history)]) for each in questions.validation]
        right = self._told(recipe, questions.truth)
        right = right - np.array([track.ahead(end)[0] for track, end in zip(tracks, ends, strict=True)])

        def part(function: str, *arguments: int) -> np.ndarray:
            found = [getattr(track, function)(end, *arguments)[0] for track, end in zip(tracks, ends, strict=True)]
            return np.array(found)

        levels = {length: part("level", length)[:, None] for length in recipe.windows}
        shapes: dict[tuple[int, int], Any] = {(0, 1): 0.0}
        for season, seasons in product(recipe.seasons if recipe.unit > 1 else (), PHASES):
            shapes[season, seasons] = np.nan_to_num(part("shape", season, seasons))
        drift = sum((np.nan_to_num(part("drift", season)) for season in recipe.long), np.zeros(1))
        power = 2 if self.options.metric in SQUARED else 1
        errors: dict[Base, float] = {}
        for (length, level), ((season, seasons), shape) in product(levels.items(), shapes.items()):
            for share in DRIFTS if recipe.long else (0.0,):
                off = np.abs(right - level - shape - share * drift) ** power
                errors[Base(length, season, seasons, share)] = float(np.nanmean(off))
        return min(errors, key=lambda each: errors[each])


def _shift(series: Sequence[Question]) -> float:
    """Half the smallest value above 0: what a logarithm is taken of is never 0."""
    values = np.concatenate([np.zeros(0), *(each.history for each in series)])
    above = values[values > 0]
    return float(above.min()) / 2 if len(above) else 1.0
