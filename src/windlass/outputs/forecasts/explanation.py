"""Why a forecast is as high as it is: what each covariate of the time ahead adds, and what the past says."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.number import decimals
from windlass.outputs.contract import Why
from windlass.outputs.forecasts.measures import forecast_marks, forecaster
from windlass.predictors.contract import Predictor, width
from windlass.predictors.series.forecaster import SeriesForecaster
from windlass.predictors.series.question import Question
from windlass.records import Explanation, Part, Row, Splits

N_EACH, TINY = 3, 1e-9


def picked(predictor: Predictor, rows: Sequence[Row], splits: Splits) -> list[tuple[str, Row]]:
    """(group, row): where too little was foreseen, where too much, and the nearest ones."""
    found = forecast_marks(predictor.marks(rows, [row[splits.output_column] for row in rows], splits.root))
    lean = np.nan_to_num(np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in found.residuals]))
    order = np.argsort(lean, kind="stable").tolist()
    low = [place for place in order[::-1] if lean[place] > 0][:N_EACH]
    high = [place for place in order if lean[place] < 0][:N_EACH]
    near = [place for place in np.argsort(found.row_losses, kind="stable").tolist() if place not in {*low, *high}]
    groups = {"too low": low, "too high": high, "near": near[:N_EACH]}
    return [(name, rows[place]) for name, places in groups.items() for place in places]


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Of the mean of all steps. Raises: DataError: the row cannot be read, or another answer is to be explained."""
    predictor, effort = forecaster(model), why.effort()
    effort.check()
    question = predictor.questions([row], why.root)[0]
    total = _mean(predictor, question)
    label = f"{total:.6g}"
    if why.answer and why.answer != label:
        raise DataError(f"answer is '{why.answer[:80]}', expected none: a forecast is explained as it is ({label})")
    output, asking = predictor.manifest.output, predictor.asking
    base, parts = question.level, []
    for name in asking.written.known:
        weight = total - _mean(predictor, _usual(question, predictor, name))
        parts.append(Part(name, f"{name} of the time ahead, against what is usual", weight))
    for place, column in enumerate(predictor.attribute_columns):
        weight = total - _mean(predictor, _without(question, predictor, place))
        kind = kinds.of(column)
        parts.append(Part(column.name, kind.describe(kind.read(row[column.name], why.root), column.state), weight))
    rest = total - base - sum(part.weight for part in parts)
    parts.insert(0, Part(predictor.column.name, f"the course of the last {len(question.history):,} points", rest))
    effort.n_done = 1 + len(parts)
    return Explanation(
        label=label,
        confidence=None,
        method="covariates made usual, one at a time",
        unit=f"amounts of '{output.name}' a step, on average",
        base=base,
        total=total,
        adds_up=True,
        n_evaluations=effort.n_done,
        parts=tuple(parts),
        sides=("raises it", "lowers it"),
        places=decimals(max(question.scale, TINY), 2),
    )


def _mean(predictor: SeriesForecaster, question: Question) -> float:
    return float(np.mean(predictor.engine([question])))


def _usual(question: Question, predictor: SeriesForecaster, name: str) -> Question:
    """The covariate as is usual in the time ahead."""
    asking, known = predictor.asking, question.known.copy()
    for place, label in enumerate(asking.columns(asking.written.known)):
        if label == name or label.startswith(f"{name}="):
            known[len(question.history) :, place] = asking.usual.get(label, 0.0)
    return replace(question, known=known)


def _without(question: Question, predictor: SeriesForecaster, place: int) -> Question:
    """Without one of what does not change."""
    ends = np.cumsum([0, *(width(kinds.of(each).encode([], each.state)) for each in predictor.attribute_columns)])
    found = question.attributes.copy()
    found[ends[place] : ends[place + 1]] = 0.0
    return replace(question, attributes=found)
