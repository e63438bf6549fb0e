"""Models of one series each, fitted when they are asked: here only measured on validation rows, as many as time allows.

Croston's method alone has something to choose, on these rows: how it weighs orders, and which of its corrections.
"""

from itertools import product

import numpy as np

from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.series import questions as rows
from windlass.learners.series.questions import Questions
from windlass.metrics.measures import is_better
from windlass.predictors.series import local, smoothing
from windlass.records import Json, Progress, Splits

BATCH = 64
ROOM = 0.8
"""Share of the time left that rows may take; the rest is for golden rows."""
ALPHAS = (0.05, 0.1, 0.2, 0.3)
MANY_ZEROS, N_LOOKED_AT = 0.3, 200


def fit_ets(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Exponential smoothing."""
    return _fit({"method": "ets"}, rows.read(splits), (splits, options), budget, progress)


def fit_theta(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Simple smoothing with half of the trend."""
    return _fit({"method": "theta"}, rows.read(splits), (splits, options), budget, progress)


def fit_arima(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Autoregression, differences and moving averages."""
    return _fit({"method": "arima"}, rows.read(splits), (splits, options), budget, progress)


def fit_croston(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Sizes of orders by the steps between them; how they are smoothed is what validation rows like best."""
    questions = rows.read(splits)
    best, best_score = {"method": "croston", "alpha": ALPHAS[1], "sort": smoothing.SORTS[1]}, float("nan")
    tried = list(product(ALPHAS, smoothing.SORTS)) if questions.validation else []
    for number, (alpha, sort) in enumerate(tried):
        if budget.spent() > 0.5 * budget.seconds:
            break
        progress("settings", number, len(tried), f"{sort}, {alpha:g}")
        settings: Json = {"method": "croston", "alpha": alpha, "sort": sort}
        points = local.engine(settings, questions.season)(questions.validation)
        score = questions.score(options.metric, points)
        if np.isnan(best_score) or is_better(options.metric, score, best_score):
            best, best_score = settings, score
    return _fit(best, questions, (splits, options), budget, progress)


def _fit(settings: Json, questions: Questions, given: tuple[Splits, Options], budget: Budget,
         progress: Progress) -> Fitted:  # fmt: skip
    splits, options = given
    engine = local.engine(settings, questions.season)
    n_rows, room = len(questions.validation), budget.spent() + ROOM * budget.left()
    points, failed, reached = np.full((n_rows, questions.horizon), np.nan), 0, 0
    order = np.random.default_rng(options.seed).permutation(n_rows)  # what time allows stands for all
    while reached < n_rows and (not reached or budget.spent() < room):
        some = order[reached : reached + BATCH]
        points[some], notes = engine.told([questions.validation[place] for place in some])
        failed += sum(map(bool, notes))
        reached += len(some)
        progress("rows", reached, n_rows, "validation rows")
    described = {**settings, "rows_reached": reached, "rows_not_followed": failed}
    manifest = {
        "predictor": "arima" if settings["method"] == "arima" else "local",
        "learner": settings["method"],
        "settings": described,
    }
    return rows.finish(options, manifest, questions, splits, points, engine)


def few_zeros(splits: Splits, variant: str) -> str:
    """Why Croston's method is not for these series; '' where many points are 0."""
    name = next(name for name, kind in splits.inputs.items() if kinds.get(kind).has_points)
    how = splits.written[name]
    kind = kinds.reading(splits.inputs[name], how)
    found = [kind.read(value, None).numbers(how["value"]) for value in splits.train[name].head(N_LOOKED_AT).to_list()]
    points = np.concatenate([np.zeros(0), *found])
    points = points[np.isfinite(points)]
    if len(points) and points.min() < 0:
        return "some points are below 0, expected orders or none"
    share = float((points == 0).mean()) if len(points) else 0.0
    return "" if share >= MANY_ZEROS else f"{share:.0%} of the points are 0, expected at least {MANY_ZEROS:.0%}"
