"""The blueprint demand-forecast beside its known truth: the loss of its quantiles, and what it takes a promotion to do.

Usage: python benchmarks/forecasting_demand.py [--seed 14]
Writes benchmarks/results/forecasting_demand.json and the rows of results/goals.json; another seed draws another world,
on which nothing was tuned, and writes nothing.

The product is copied and run as its README says. Test rows are those of its own split by time, the last fifth of each
store's days, each asked with what was known then; the oracle is the law itself, on the same days of the same rows.
Promotion: all test rows asked twice, with one on all 28 days and with none; the true factor is 1.5.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from goals import Goal, record

from windlass.blueprints import catalogue
from windlass.kinds import forecast
from windlass.metrics.forecasts import ForecastMarks
from windlass.project import Project
from windlass.stages.evaluate import machine

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))
import make_demand_forecast as law  # noqa: E402

TARGET = HERE / "results" / "forecasting_demand.json"
MOST_LOSS, MOST_OFF = 1.10, 0.10
REFUSED = 1
"""How a run ends whose release the gate refuses: a result, too."""
Row = dict[str, Any]


def begun(folder: Path, sold: law.World) -> Project:
    catalogue.copy("demand-forecast", folder)
    with (folder / "data" / "sales.csv").open("w", encoding="utf-8", newline="") as file:
        header = ["date", "store", "city", "promo", "holiday", "price", "stock_out", "sales"]
        csv.writer(file, lineterminator="\n").writerows([header, *law.rows(sold)])
    return Project(folder)


def first_day(row: Row) -> int:
    """The day, counted from the first of the world, that is foreseen first."""
    history = json.loads(row["history"])
    past = len(history["columns"]["sales"]) - law.HORIZON
    return (date.fromisoformat(history["start"][:10]) - law.FIRST_DAY).days + past


def oracle(sold: law.World, rows: list[Row], right: np.ndarray) -> ForecastMarks:
    """What the law itself says of the rows."""
    stores = {city: store for store, city in law.CITIES.items()}
    means = np.zeros(right.shape)
    for place, row in enumerate(rows):
        of_store = sold.store == stores[row["city"]]
        known = dict(zip(sold.day[of_store].tolist(), sold.mean[of_store].tolist(), strict=True))
        means[place] = [known[first_day(row) + step] for step in range(law.HORIZON)]
    quantiles = law.true_quantiles(means.ravel()).reshape(*means.shape, -1).transpose(0, 2, 1).astype(float)
    return ForecastMarks(right, quantiles[:, 4], np.ones(len(rows)), quantiles)


def promoted(row: Row, promo: int) -> Row:
    """The row with, or without, a promotion on all days ahead."""
    history = json.loads(row["history"])
    history["columns"]["promo"][-law.HORIZON :] = [promo] * law.HORIZON
    return {**row, "history": json.dumps(history)}


def measure(seed: int) -> dict[str, Any]:
    sold = law.world(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demand"
        project = begun(folder, sold)
        began = time.monotonic()
        ran = subprocess.run([sys.executable, "-m", "windlass", "run", "--project", folder], check=False)
        if ran.returncode == REFUSED:
            return {"seed": seed, "refused": project.board.chosen}
        ran.check_returncode()
        seconds = time.monotonic() - began
        rows = pl.read_parquet(folder / ".windlass" / "prepare" / "test.parquet").to_dicts()
        predictor = project.champion.predictor
        marks = predictor.marks(rows, [row["sales"] for row in rows])
        asked = [predictor.outlook([promoted(row, promo) for row in rows]).points for promo in (0, 1)]
        chosen = {
            "champion": project.board.chosen,
            "candidates": {each.name: round(each.metrics["wql"].value, 4) for each in project.board.candidates},
        }
    right = forecast.targets([row["sales"] for row in rows], law.HORIZON)
    best = oracle(sold, rows, right)
    last = np.array([first_day(row) >= law.N_DAYS - law.HORIZON for row in rows])
    places = np.flatnonzero(last)
    return {
        "seed": seed,
        "test rows": len(rows),
        "wql": {"windlass": round(marks.value("wql"), 4), "oracle": round(best.value("wql"), 4)},
        "wql of the last 28 days": {
            "windlass": round(marks.value("wql", places), 4),
            "oracle": round(best.value("wql", places), 4),
        },
        "coverage_90": round(marks.value("coverage_90"), 4),
        "promotion": {"windlass": round(float((asked[1] / asked[0]).mean()), 4), "true": law.PROMO_EFFECT},
        "seconds": round(seconds, 1),
        **chosen,
    }


def goals(found: dict[str, Any]) -> list[Goal]:
    if "refused" in found:
        said = f"the release was refused: the board chose {found['refused']}, which misses the goal on test rows"
        return [
            Goal("numbers", name, "within 10 %", said, False)
            for name in ("demand-forecast: WQL beside the oracle", "demand-forecast: effect of a promotion")
        ]
    loss, end, effect = found["wql"], found["wql of the last 28 days"], found["promotion"]
    ratio = loss["windlass"] / loss["oracle"]
    off = abs((effect["windlass"] - 1) / (effect["true"] - 1) - 1)
    note = (
        f"{found['test rows']} test rows of the product's own split; on the last 28 days alone {end['windlass']:.4f}, "
        f"oracle {end['oracle']:.4f}; 90 % interval covers {found['coverage_90']:.1%}; {found['seconds']:.0f} s"
    )
    return [
        Goal(
            "numbers",
            "demand-forecast: WQL beside the oracle",
            "within 10 % of the oracle",
            f"{loss['windlass']:.4f}, oracle {loss['oracle']:.4f}: {100 * (ratio - 1):.1f} % above it",
            ratio <= MOST_LOSS,
            note,
        ),
        Goal(
            "numbers",
            "demand-forecast: effect of a promotion",
            "within 10 % of the true one",
            f"+{100 * (effect['windlass'] - 1):.1f} %, true +{100 * (effect['true'] - 1):.0f} %: {100 * off:.1f} % off",
            off <= MOST_OFF,
            "the mean over all test rows and days of (asked with one on all days / asked with none)",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=law.SEED)
    seed = parser.parse_args().seed
    found = measure(seed)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    if seed == law.SEED:
        when = {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
        TARGET.write_text(json.dumps(found | when, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        record(*goals(found))


if __name__ == "__main__":
    main()
