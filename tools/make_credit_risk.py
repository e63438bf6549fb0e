"""Draws the sample data of the credit-risk blueprint from a known formula, with the best AUC there is.

Source: invented for this project, Apache-2.0; no real person is in it.
"""

import csv
import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np

SEED = 13
N_ROWS = 3000
N_FOR_BEST_AUC = 400_000  # rows drawn to compute the best AUC; its standard error is then about 0.001
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/credit-risk/data/applications.csv"
PURPOSES = {
    "car": (0.32, 0.0), "furniture": (0.24, 0.1), "education": (0.1, -0.2), "business": (0.14, 0.55),
    "repairs": (0.2, 0.2),
}  # fmt: skip
HOUSINGS = {"rent": (0.46, 0.0), "own": (0.41, -0.35), "with family": (0.13, 0.1)}
REGIONS = {"north": (0.3, 0.0), "south": (0.28, 0.0), "east": (0.16, 0.25), "west": (0.26, 0.0)}
FIRST_DAY, N_DAYS = date(2023, 1, 2), 1060
BASE = -3.43  # makes about 22 % of the loans go bad
MISSING_SHARE = {"income": 0.05, "employment_years": 0.07, "housing": 0.02}

Columns = dict[str, np.ndarray]


def applicants(n: int, rng: np.random.Generator) -> Columns:
    """n applications, one array a column, before anything is missing."""
    age = np.clip(rng.gamma(5.5, 4.6, n) + 18, 18, 80).round().astype(int)
    employment = np.clip(rng.gamma(1.3, 4.2, n), 0, np.maximum(age - 18, 0)).round(1)
    income = np.exp(rng.normal(7.45, 0.42, n) + 0.018 * np.minimum(employment, 20)).round(-1)
    purpose, housing, region = (
        rng.choice(list(table), n, p=[share for share, _ in table.values()]) for table in (PURPOSES, HOUSINGS, REGIONS)
    )
    size = np.where(purpose == "business", 1.7, np.where(purpose == "furniture", 0.6, 1.0))
    loan = (np.exp(rng.normal(8.55, 0.6, n)) * size * (income / 2000) ** 0.4).round(-2).clip(500, 60_000)
    return {
        "age": age, "income": income, "employment_years": employment, "loan_amount": loan,
        "loan_purpose": purpose, "housing": housing, "existing_credits": rng.poisson(1.1, n),
        "late_payments_12m": rng.negative_binomial(0.7, 0.5, n), "applied_on": rng.integers(0, N_DAYS, n),
        "region": region,
    }  # fmt: skip


def risk(columns: Columns) -> np.ndarray:
    """The true chance that the loan goes bad, 0 to 1, by the formula that the README states."""
    burden = columns["loan_amount"] / (12 * columns["income"])
    renting = columns["housing"] == "rent"
    score = BASE + 2.0 * np.minimum(burden, 1.5) + 3.2 * burden.clip(0, 1.5) * renting
    score += 0.003 * (columns["age"] - 46) ** 2 - 0.075 * np.minimum(columns["employment_years"], 12)
    score += 1.3 * np.log1p(columns["late_payments_12m"]) + 0.15 * columns["existing_credits"]
    score += 0.4 * columns["applied_on"] / N_DAYS
    for name, table in (("loan_purpose", PURPOSES), ("housing", HOUSINGS), ("region", REGIONS)):
        score += np.vectorize({value: weight for value, (_, weight) in table.items()}.get)(columns[name])
    return 1 / (1 + np.exp(-score))


def best_auc(chance: np.ndarray) -> float:
    """The AUC of the true chance itself, in expectation over the outcomes: no model can do better on average.

    Source: a pair counts p_i (1 - p_j), i being ranked above j.
    """
    ranked = np.sort(chance)
    good_below = np.concatenate([[0.0], np.cumsum(1 - ranked)[:-1]])
    own = np.sum(ranked * (1 - ranked))  # a row is no pair with itself
    return float(np.sum(ranked * good_below) / (ranked.sum() * (1 - ranked).sum() - own))


def table(columns: Columns, is_bad: np.ndarray, rng: np.random.Generator) -> list[list[str]]:
    """The rows as text, in the order of application, with some cells left empty."""
    missing = {name: rng.random(len(is_bad)) < share for name, share in MISSING_SHARE.items()}
    rows = []
    for place in np.argsort(columns["applied_on"], kind="stable"):
        row = []
        for name, values in columns.items():
            value = values[place]
            if name == "applied_on":
                value = (FIRST_DAY + timedelta(days=int(value))).isoformat()
            elif name in ("income", "loan_amount"):
                value = int(value)
            row.append("" if name in missing and missing[name][place] else str(value))
        rows.append([*row, "bad" if is_bad[place] else "good"])
    return rows


def main(target: Path = TARGET) -> None:
    """Write the file and say what the truth behind it allows."""
    rng = np.random.default_rng(SEED)
    columns = applicants(N_ROWS, rng)
    chance = risk(columns)
    is_bad = rng.random(N_ROWS) < chance
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*columns, "outcome"], *table(columns, is_bad, rng)])
    best = best_auc(risk(applicants(N_FOR_BEST_AUC, np.random.default_rng(SEED + 1))))
    error = math.sqrt(is_bad.mean() * (1 - is_bad.mean()) / N_ROWS)
    print(f"{target}: {N_ROWS} rows, {is_bad.mean():.1%} bad (standard error {error:.1%})")
    print(f"best AUC {best:.3f} over all applicants, {best_auc(chance):.3f} over these {N_ROWS}")


if __name__ == "__main__":
    main()
