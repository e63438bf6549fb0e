"""Draws the sample data of the demand-forecast blueprint from a known law of demand, with what its oracle reaches.

Source: invented for this project, Apache-2.0. Holidays: as declared by the State Council (CN) and gov.uk (England).
"""

import csv
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/demand-forecast/data/sales.csv"
FIRST_DAY, N_DAYS = date(2022, 11, 13), 912  # two and a half years, to 2025-05-12
HORIZON = 28  # days that are scored: Easter and the days of May are among them
LEVELS = np.round(np.arange(0.1, 1.0, 0.1), 1)
CITIES = {
    "s01": "上海", "s02": "London", "s03": "北京", "s04": "Leeds", "s05": "成都", "s06": "Bristol",
    "s07": "广州", "s08": "York", "s09": "杭州", "s10": "Bath", "s11": "西安", "s12": "Oxford",
}  # fmt: skip
CHINESE = frozenset(["上海", "北京", "成都", "广州", "杭州", "西安"])
NEW_STORE, N_NEW_DAYS = "s12", 150
SHIFTED_STORE, SHIFT_DAY, SHIFT = "s04", 610, -0.45  # a rival opens next door: sales fall to 64 % from that day on
PROMO_EFFECT = 1.5  # a promotion multiplies the demand of every store by this, whatever else is true of the day
ELASTICITY = -1.2  # ln demand a ln price
DISPERSION = 14.0  # counts are negative binomial: variance = mean + mean^2 / 14
PROMO_SHARE, SHORT_SHARE = 0.16, 0.05  # of the weeks, of the days
HOLIDAY_EFFECTS = {  # on ln demand
    "no": 0.0, "new year": -0.25, "spring festival": 0.5, "qingming": 0.12, "labour day": 0.4, "dragon boat": 0.22,
    "mid-autumn": 0.3, "national day": 0.45, "easter": -0.4, "bank holiday": 0.25, "christmas": -1.1,
}  # fmt: skip
HOLIDAYS_CN = (  # name, first day, days
    ("new year", "2022-12-31", 3), ("spring festival", "2023-01-21", 7), ("qingming", "2023-04-05", 1),
    ("labour day", "2023-04-29", 5), ("dragon boat", "2023-06-22", 3), ("mid-autumn", "2023-09-29", 1),
    ("national day", "2023-09-30", 7), ("new year", "2023-12-30", 3), ("spring festival", "2024-02-10", 8),
    ("qingming", "2024-04-04", 3), ("labour day", "2024-05-01", 5), ("dragon boat", "2024-06-08", 3),
    ("mid-autumn", "2024-09-15", 3), ("national day", "2024-10-01", 7), ("new year", "2025-01-01", 1),
    ("spring festival", "2025-01-28", 8), ("qingming", "2025-04-04", 3), ("labour day", "2025-05-01", 5),
)  # fmt: skip
HOLIDAYS_EN = (
    ("christmas", "2022-12-25", 2), ("bank holiday", "2022-12-27", 1), ("new year", "2023-01-01", 2),
    ("easter", "2023-04-07", 1), ("easter", "2023-04-10", 1), ("bank holiday", "2023-05-01", 1),
    ("bank holiday", "2023-05-08", 1), ("bank holiday", "2023-05-29", 1), ("bank holiday", "2023-08-28", 1),
    ("christmas", "2023-12-25", 2), ("new year", "2024-01-01", 1), ("easter", "2024-03-29", 1),
    ("easter", "2024-04-01", 1), ("bank holiday", "2024-05-06", 1), ("bank holiday", "2024-05-27", 1),
    ("bank holiday", "2024-08-26", 1), ("christmas", "2024-12-25", 2), ("new year", "2025-01-01", 1),
    ("easter", "2025-04-18", 1), ("easter", "2025-04-21", 1), ("bank holiday", "2025-05-05", 1),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Every (store, day) in the order of the file, one array a column, each (n,); `mean` and `demand` are the truth.

    `demand` is what customers wanted, `sales` what the shelf allowed: they differ where `stock_out` is 1. On the last
    `HORIZON` days every shelf is full, so that the sales that are scored are demand.
    """

    day: np.ndarray  # days since FIRST_DAY
    store: np.ndarray
    holiday: np.ndarray
    promo: np.ndarray
    price: np.ndarray
    mean: np.ndarray
    demand: np.ndarray
    sales: np.ndarray
    stock_out: np.ndarray

    @property
    def is_scored(self) -> np.ndarray:
        """(n,) True on the days that a forecast has not seen."""
        return self.day >= N_DAYS - HORIZON


def holidays(city: str) -> np.ndarray:
    """(N_DAYS,) the name of each day's holiday in the country of the city, `no` on most days."""
    names = np.full(N_DAYS, "no", dtype=object)
    for name, first, n_days in HOLIDAYS_CN if city in CHINESE else HOLIDAYS_EN:
        start = (date.fromisoformat(first) - FIRST_DAY).days
        names[start : start + n_days] = name
    return names


def promotions(rng: np.random.Generator) -> np.ndarray:
    """(N_DAYS,) 1 in the weeks, Monday to Sunday, in which the store advertises; drawn apart from all else."""
    weeks = rng.random(N_DAYS // 7 + 2) < PROMO_SHARE
    return weeks[(np.arange(N_DAYS) + FIRST_DAY.weekday()) // 7].astype(int)


def prices(rng: np.random.Generator) -> np.ndarray:
    """(N_DAYS,) EUR; a few moves of up to 12 % in two and a half years, never because of a promotion."""
    moves = np.zeros(N_DAYS)
    moves[rng.choice(np.arange(30, N_DAYS), 5, replace=False)] = rng.uniform(-0.12, 0.12, 5)
    return np.round(rng.uniform(3.0, 9.0) * np.exp(np.cumsum(moves) * 0.8), 2)


def week_shape(rng: np.random.Generator) -> np.ndarray:
    """(7,) ln demand from Monday to Sunday, with mean 0: the weekend is strong, each store in its own way."""
    shape = np.array([-0.22, -0.2, -0.12, -0.02, 0.16, 0.38, 0.02]) * rng.uniform(0.6, 1.4) + rng.normal(0, 0.06, 7)
    return shape - shape.mean()


def store_means(name: str, columns: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(N_DAYS,) the expected demand: level, trend, two seasons, holiday, promotion, price, and one level shift."""
    days = np.arange(N_DAYS)
    year = 2 * np.pi * (days + FIRST_DAY.timetuple().tm_yday) / 365.25
    log_mean = np.log(rng.uniform(40, 150)) + rng.uniform(-0.06, 0.18) * days / 365.25
    log_mean = log_mean + week_shape(rng)[(days + FIRST_DAY.weekday()) % 7]
    log_mean += rng.uniform(0.12, 0.3) * np.cos(year - rng.uniform(0, 2 * np.pi)) + 0.06 * np.cos(2 * year)
    log_mean += np.array([HOLIDAY_EFFECTS[holiday] for holiday in columns["holiday"]])
    log_mean += np.log(PROMO_EFFECT) * columns["promo"]
    log_mean += ELASTICITY * np.log(columns["price"] / columns["price"].mean())
    if name == SHIFTED_STORE:
        log_mean += SHIFT * (days >= SHIFT_DAY)
    return np.exp(log_mean)


def shelf(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N_DAYS,) pieces there are to sell; far more than wanted on most days, too few now and then."""
    is_short = rng.random(N_DAYS) < SHORT_SHARE * rng.uniform(0.3, 1.7)
    is_short[N_DAYS - HORIZON :] = False
    return np.where(is_short, (mean * rng.uniform(0.3, 1.0, N_DAYS)).astype(int), np.iinfo(int).max)


def world(seed: int = SEED) -> World:
    """The same world for the same seed."""
    parts: list[dict[str, np.ndarray]] = []
    for number, (name, city) in enumerate(CITIES.items()):
        rng = np.random.default_rng([seed, number])
        columns = {"holiday": holidays(city), "promo": promotions(rng), "price": prices(rng)}
        mean = store_means(name, columns, rng)
        demand = rng.negative_binomial(DISPERSION, DISPERSION / (DISPERSION + mean))
        stock = shelf(mean, rng)
        columns |= {
            "day": np.arange(N_DAYS), "store": np.full(N_DAYS, name), "mean": mean, "demand": demand,
            "sales": np.minimum(demand, stock), "stock_out": (demand >= stock).astype(int),
        }  # fmt: skip
        first = N_DAYS - N_NEW_DAYS if name == NEW_STORE else 0
        parts.append({column: values[first:] for column, values in columns.items()})
    return World(**{column: np.concatenate([part[column] for part in parts]) for column in parts[0]})


def true_quantiles(mean: np.ndarray, levels: np.ndarray = LEVELS) -> np.ndarray:
    """(n, k) the smallest count whose chance of not being exceeded is at least each level, for means (n,).

    Source: the negative binomial, p(x + 1) / p(x) = (x + r) / (x + 1) * mean / (mean + r).
    """
    counts = np.arange(int(mean.max() * 4) + 20)
    ratios = (counts + DISPERSION) / (counts + 1) * (mean / (mean + DISPERSION))[:, None]
    none = (DISPERSION / (DISPERSION + mean)) ** DISPERSION
    chances = none[:, None] * np.cumprod(np.column_stack([np.ones_like(mean), ratios[:, :-1]]), axis=1)
    below = np.cumsum(chances, axis=1)
    return (below[:, None, :] < levels[None, :, None]).sum(axis=2)


def wql(demand: np.ndarray, quantiles: np.ndarray, levels: np.ndarray = LEVELS) -> float:
    """Weighted quantile loss of quantiles (n, k) for demand (n,): 0 is perfect, no unit.

    Source: 2 * sum of pinball losses / sum of |demand|, mean over the levels (GluonTS's mean_wQuantileLoss).
    """
    short = demand[:, None] - quantiles
    losses = np.maximum(levels * short, (levels - 1) * short)
    return float(2 * losses.sum(axis=0).mean() / np.abs(demand).sum())


def oracle(sold: World) -> np.ndarray:
    """(m, k) the quantiles of the law itself on the scored days: no forecast does better on average."""
    return true_quantiles(sold.mean[sold.is_scored])


def seasonal_naive(sold: World) -> np.ndarray:
    """(m, k) the same weekday of the last week seen, spread as such forecasts erred before, store by store."""
    found = []
    for name in CITIES:
        sales = sold.sales[(sold.store == name) & ~sold.is_scored].astype(float)
        last = np.tile(sales[-7:], HORIZON // 7)
        gaps = np.concatenate([sales[lag:] - sales[:-lag] for lag in range(7, HORIZON + 1, 7)])
        found.append(np.maximum(last[:, None] + np.quantile(gaps, LEVELS), 0))
    return np.concatenate(found)


def constant(sold: World) -> np.ndarray:
    """(m, k) every day of every store alike: the quantiles of all that was sold so far."""
    return np.tile(np.quantile(sold.sales[~sold.is_scored], LEVELS), (int(sold.is_scored.sum()), 1))


def store_constant(sold: World) -> np.ndarray:
    """(m, k) every day of a store alike. It beats the seasonal naive one: a single week is noisy."""
    seen = [sold.sales[(sold.store == name) & ~sold.is_scored] for name in CITIES]
    return np.repeat([np.quantile(sales, LEVELS) for sales in seen], HORIZON, axis=0)


def scores(sold: World) -> dict[str, float]:
    """WQL of the last `HORIZON` days, and the share of the oracle's gain over a constant that the naive one has."""
    demand = sold.demand[sold.is_scored]
    models = (oracle, seasonal_naive, store_constant, constant)
    found = {model.__name__: wql(demand, model(sold)) for model in models}
    gain = (found["constant"] - found["seasonal_naive"]) / (found["constant"] - found["oracle"])
    return {**found, "naive_share_of_gain": gain, "promo_effect": PROMO_EFFECT}


def rows(sold: World) -> list[list[str]]:
    """The rows as text, without the truth."""
    return [
        [
            (FIRST_DAY + timedelta(days=int(sold.day[place]))).isoformat(), str(name), CITIES[name],
            str(sold.promo[place]), sold.holiday[place], f"{sold.price[place]:.2f}", str(sold.stock_out[place]),
            str(sold.sales[place]),
        ]
        for place, name in enumerate(sold.store)
    ]  # fmt: skip


def main(target: Path = TARGET) -> None:
    """Write the file and say what the truth behind it allows."""
    sold = world()
    target.parent.mkdir(parents=True, exist_ok=True)
    header = ["date", "store", "city", "promo", "holiday", "price", "stock_out", "sales"]
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows(sold)])
    print(f"{target}: {len(sold.day)} rows, {sold.stock_out.mean():.1%} sold out")
    print(json.dumps({name: round(value, 4) for name, value in scores(sold).items()}))


if __name__ == "__main__":
    main()
