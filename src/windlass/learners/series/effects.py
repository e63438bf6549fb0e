"""What known covariates do to all series alike, fitted before the series are looked at: by how much a promotion raises.

Series and covariates are freed of their level and of the shape of their season in the same way, then a ridge regression
tells the effects: so the level around a promotion is not what it is compared with by mistake.
Source: Frisch & Waugh 1933, Econometrica 1(4): what is taken out of both sides does not change the slope.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from windlass.predictors.series.lag_features import LOG, TINY, Recipe
from windlass.predictors.series.question import Question

AROUND = 26
"""Seasons around a point whose mean is its level: with four of them, a price that moves twice a year had an effect of
-0.6 on demand-forecast, with 12 of -0.9, with 26 of -1.3 (true: -1.2)."""
LEAST_AROUND = 9
STRENGTH = 2.0
"""Of the penalty: so many points' worth of belief that a covariate does nothing, be it on or off, or moves as usual."""
NEW_WEIGHT = 0.25
"""Of the points that validation rows end with: a point is the end of about so many of them."""


def with_effects(recipe: Recipe, series: Sequence[Question], first_new: int, horizon: int) -> Recipe:
    """The recipe with effects as the series show them; of those from `first_new` on only what they end with counts."""
    n_columns = series[0].known.shape[1] if series else 0
    if not n_columns:
        return recipe
    logged = _logged(series, n_columns) if recipe.mode == LOG else (False,) * n_columns
    bare = replace(recipe, logged=logged, effects=())
    square, mixed = np.zeros((n_columns, n_columns)), np.zeros(n_columns)
    usual = np.zeros(n_columns)
    for number, each in enumerate(series):
        values = bare.told(each.history, each.scale)
        acting = bare.acting(each.known[: len(values)])
        there = np.isfinite(values)
        table = np.where(there[:, None], np.column_stack([values, acting]), np.nan)
        table = without_level(table, recipe.unit)
        counts = there & np.isfinite(table).all(axis=1)
        if number >= first_new:
            counts[: max(0, len(values) - horizon)] = False
        rows = table[counts] * (NEW_WEIGHT**0.5 if number >= first_new else 1.0)
        square += rows[:, 1:].T @ rows[:, 1:]
        mixed += rows[:, 1:].T @ rows[:, 0]
        usual += np.where(_is_switch(acting), 1.0, acting.var(axis=0)) if len(acting) else 0.0
    moves = np.diag(square) > TINY
    penalty = np.where(moves, STRENGTH * usual / len(series), 1.0)
    found = np.where(moves, np.linalg.solve(square + np.diag(np.maximum(penalty, TINY)), mixed), 0.0)
    return replace(bare, effects=tuple(float(each) for each in found))


def _is_switch(acting: np.ndarray) -> np.ndarray:
    """(k,) True where all values are 0 or 1."""
    return np.asarray(((acting == 0) | (acting == 1)).all(axis=0))


def _logged(series: Sequence[Question], n_columns: int) -> tuple[bool, ...]:
    """Columns that are always above 0 act by their logarithm: a price."""
    least = np.full(n_columns, np.inf)
    for each in series:
        if len(each.known):
            least = np.minimum(least, each.known.min(axis=0))
    return tuple(bool(each > 0 and np.isfinite(each)) for each in least)


def without_level(table: np.ndarray, unit: int) -> np.ndarray:
    """Columns (n, k), each less its mean around, then less the mean of its phase; NaN where one is not known."""
    reach = max(LEAST_AROUND, AROUND * unit) // 2
    found = table - _around(table, reach)
    if unit < 2 or len(table) < 2 * unit:
        return found
    phases = np.arange(len(found)) % unit
    there = np.isfinite(found)
    sums, counts = np.zeros((unit, found.shape[1])), np.zeros((unit, found.shape[1]))
    np.add.at(sums, phases, np.where(there, found, 0.0))
    np.add.at(counts, phases, there)
    return found - (sums / np.maximum(counts, 1))[phases]


def _around(table: np.ndarray, reach: int) -> np.ndarray:
    """The mean of the known from `reach` before to `reach` after each place."""
    there = np.isfinite(table)
    empty = np.zeros((1, table.shape[1]))
    sums = np.concatenate([empty, np.cumsum(np.where(there, table, 0.0), axis=0)])
    counts = np.concatenate([empty, np.cumsum(there, axis=0)])
    places = np.arange(len(table))
    last, first = np.minimum(places + reach + 1, len(table)), np.maximum(places - reach, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((sums[last] - sums[first]) / (counts[last] - counts[first]))
