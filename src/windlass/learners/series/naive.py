"""What costs no training: the last value, the last season, a straight line; what every other candidate must beat."""

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.series import questions as rows
from windlass.predictors.series import naive
from windlass.records import Progress, Splits


def _fit(method: str, splits: Splits, options: Options) -> Fitted:
    questions = rows.read(splits)
    engine = naive.engine(method, questions.season)
    manifest = {"predictor": "naive", "learner": method, "settings": {"method": method}}
    return rows.finish(options, manifest, questions, splits, engine(questions.validation), engine)


def fit_naive(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The last value, again and again."""
    return _fit("naive", splits, options)


def fit_seasonal(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The last season, again and again."""
    return _fit("seasonal-naive", splits, options)


def fit_drift(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """On from the last value by the mean step."""
    return _fit("drift", splits, options)
