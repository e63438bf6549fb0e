"""Three shops whose sales are known: level * shape of the week * 1.5 in a promotion, and up to 2 % by chance."""

import json

import numpy as np
import polars as pl

from windlass.records import Splits

HORIZON, N_DAYS, PROMOTION = 7, 140, 1.5
LEVELS = {"a": 50.0, "b": 80.0, "c": 200.0}
WEEK = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.4, 0.8])
HOW = {"time": "date", "value": "sales", "known": ["promo"], "past": [], "every": "", "gather": "",
       "horizon": HORIZON, "season": None}  # fmt: skip


def sales(level, promo, days, random):
    noise = 1 + random.uniform(-0.02, 0.02, len(days))
    return level * WEEK[days % 7] * np.where(promo, PROMOTION, 1.0) * noise


def question(shop, promo, values, end):
    """A row asked at day `end`: what was, and the promotions of the next seven days."""
    columns = {"sales": [*values[:end].tolist(), *[None] * HORIZON], "promo": promo[: end + HORIZON].tolist()}
    history = {"start": "2024-01-01T00:00:00", "every": "1d", "columns": columns}
    truth = values[end : end + HORIZON].tolist()
    return {"history": json.dumps(history), "shop": shop, "sales": json.dumps(truth)}


def splits(folder, least=0.0):
    """least: what is taken off all values."""
    random = np.random.default_rng(3)
    parts = {"train": [], "validation": [], "test": []}
    for shop, level in LEVELS.items():
        promo = np.repeat(random.random(N_DAYS // 7) < 0.25, 7).astype(int)
        values = sales(level, promo == 1, np.arange(N_DAYS), random) - least
        parts["train"].append(question(shop, promo, values, N_DAYS - 5 * HORIZON))
        parts["validation"] += [question(shop, promo, values, N_DAYS - back) for back in (28, 24, 21, 17)]
        parts["test"] += [question(shop, promo, values, N_DAYS - back) for back in (14, 7)]
    frames = {name: pl.DataFrame(rows) for name, rows in parts.items()}
    inputs = {"history": "series", "shop": "category"}
    return Splits(inputs, {"sales": "forecast"}, **frames, root=folder, written={"history": HOW})
