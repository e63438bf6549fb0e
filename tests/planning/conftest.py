"""A setting built by hand: evidence of 400 test rows, of which what a test says is otherwise."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from windlass.metrics.measures import Estimate, LabelMarks
from windlass.outputs.contract import Scored
from windlass.planning.context import Setting
from windlass.planning.evidence.gathering import Evidence
from windlass.planning.product import Product, load_prices
from windlass.records import Board, Candidate, Prepared, Splits
from windlass.spec import Spec

LABELS = ("account", "refund")
ROWS = pl.DataFrame({"message": [f"message {number}" for number in range(400)], "intent": [*LABELS] * 200})


def candidate(name="cnn", **values):
    given = {
        "learner": "cnn", "metrics": {"accuracy": Estimate(0.9, 0.87, 0.93), "macro_f1": Estimate(0.9, 0.87, 0.93)},
        "validation": 0.9, "calibration_error": 0.01, "latency_p50_ms": 8.0, "latency_p95_ms": 12.0,
        "answers_per_second": 100.0, "size_mb": 90.0, "seconds": 60.0, "meets_goal": True, "misses": [],
    }  # fmt: skip
    return Candidate(name=name, **given | values)


def marks(n_wrong=40):
    """400 sure answers, the first of which are wrong."""
    targets = np.array([0, 1] * 200)
    said = np.where(np.arange(400) < n_wrong, 1 - targets, targets)
    probabilities = np.full((400, 2), 0.1)
    probabilities[np.arange(400), said] = 0.9
    return LabelMarks(targets, probabilities, 1, LABELS)


@pytest.fixture
def setting():
    """Makes a setting; `product`, `prices`: what is said; `limits`, `candidates`: of the board; the rest: evidence."""

    def made(product=None, prices=None, limits=None, candidates=None, **evidence):
        spec = Spec(name="desk", data="data.csv", inputs={"message": "text"}, output={"intent": "category"},
                    goal="macro_f1 >= 0.8")  # fmt: skip
        board = Board("desk", "macro_f1", "macro_f1 >= 0.8", limits or {}, "cnn", "", candidates or [candidate()], [],
                      400, "a machine")  # fmt: skip
        counts = {"account": 700, "refund": 700}
        prepared = Prepared("", {"train": 1_400, "validation": 400, "test": 400}, {}, {"train": counts}, [], [])
        scored = evidence.get("scored") or Scored("macro_f1", evidence.get("marks") or marks())
        given = {
            "spec": spec, "goal": scored.bound(0.8), "board": board, "prepared": prepared,
            "marks": marks(), "released": None, "scored": scored,
            "splits": Splits(dict(spec.inputs), dict(spec.output), ROWS, ROWS, ROWS, Path()), "health": None,
            "improvements": [], "feedback": {"count": 0, "wrong": 0, "unused": 0, "unused_wrong": 0, "by_answer": {}},
            "points": [], "learner": "linear", "curve": None, "doubts": {}, "columns": [], "request_s": 0.01,
            "validation": {"labels": list(LABELS), "counts": {"account": 200, "refund": 200}, "targets": []},
            "others": {},
        }  # fmt: skip
        plain, _ = load_prices(Product(), Path())
        return Setting(Evidence(**given | evidence), Product(**product or {}), plain.model_copy(update=prices or {}))

    return made
