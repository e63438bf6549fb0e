"""How rows were answered with forecasts when the release was made: their level, and how near they came."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from windlass.kinds import forecast
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.forecasts.measures import steps_of
from windlass.outputs.reference_profile import answered
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Splits

WITHIN = "within"
"""Errors in halves of the interval, the mean of a forecast's steps: up to here a forecast counts as right."""
RIGHT_SHARE = 0.9
EXACTLY = 1e-6


def off(value: Any, correct: Any) -> float:
    """How far a forecast was off: the mean of its steps' errors, each in halves of its interval; of steps without an
    interval in shares of the right number. NaN where nothing came true yet."""
    found = []
    for step, right in zip(value, steps_of(correct), strict=False):
        if right is None:
            continue
        wide = (step.get("high", 0.0) - step.get("low", 0.0)) / 2
        found.append(abs(step["value"] - right) / (wide if wide > 0 else max(abs(right), EXACTLY)))
    return float(np.mean(found)) if found else float("nan")


def is_right(value: Any, correct: Any, answers: Json) -> bool:
    """It was off by no more than nine in ten forecasts of rows that were not trained on."""
    return not off(value, correct) > float(answers.get(WITHIN, EXACTLY))


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    """How far off nine in ten were, and whether each was; and the level of all."""
    output = splits.output_column
    answers = answered(predictor, [row for row, _ in rows], splits.root)
    held = [(answer.value, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    right = [forecast.read(correct, None) for _, correct in held]
    distances = np.array([off(value, correct) for (value, _), correct in zip(held, right, strict=True)])
    known: Json = {}
    if np.isfinite(distances).any():
        known[WITHIN] = float(np.nanquantile(distances, RIGHT_SHARE))
        known["right"] = [int(is_right(value, each, known)) for (value, _), each in zip(held, right, strict=True)]
    state = forecast.learn(forecast.values_of(answer) for answer in answers)
    profiles = [forecast.profile(forecast.values_of(answer), state) for answer in answers]
    return Seen(known, Column(output, splits.output[output], state), profiles)
