"""Small shops that sell by day of the week and by promotion: series that any learner of forecasts can learn."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from windlass.records import Splits

HORIZON, SEASON = 4, 7
HOW = {"time": "day", "value": "sales", "known": ["promo"], "past": [], "every": "1d", "gather": "",
       "horizon": HORIZON, "season": SEASON}  # fmt: skip
WEEK = np.array([0, 2, 4, 6, 8, 12, 10.0])


def shop(n_points: int, number: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sales and promotions of a shop, (n,) each."""
    promo = (chance.random(n_points) < 0.2).astype(float)
    days = np.arange(n_points)
    return 20 + 5 * number + WEEK[(days + number) % SEASON] + 15 * promo + chance.normal(0, 0.5, n_points), promo


def _row(sales: np.ndarray, promo: np.ndarray, end: int, number: int) -> dict[str, str]:
    """The question at `end`, with what came true; promotions are known as far as is asked."""
    first = date(2026, 1, 1)
    points = [
        {
            "day": str(first + timedelta(days=place)),
            "sales": sales[place] if place < end else None,
            "promo": promo[place],
        }
        for place in range(end + HORIZON)
    ]
    return {"history": json.dumps(points), "city": ["Ulm", "Bonn"][number % 2],
            "sales": json.dumps(sales[end : end + HORIZON].tolist())}  # fmt: skip


def splits(n_shops: int = 3, n_train: int = 80, n_validation: int = 4) -> Splits:
    """Shops up to a day, then questions a horizon apart."""
    chance = np.random.default_rng(4)
    train, validation = [], []
    for number in range(n_shops):
        sales, promo = shop(n_train + HORIZON * (n_validation + 1), number, chance)
        train.append(_row(sales, promo, n_train - HORIZON, number))
        validation += [_row(sales, promo, n_train + HORIZON * place, number) for place in range(n_validation)]
    kept = pl.DataFrame(validation, schema={"history": pl.String, "city": pl.String, "sales": pl.String})
    inputs = {"history": "series", "city": "category"}
    return Splits(
        inputs, {"sales": "forecast"}, pl.DataFrame(train), kept, kept.head(3), Path(), written={"history": HOW}
    )
