"""A made-up product with records as the stages give them: six candidates, twenty labels, 602 test rows."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from windlass.metrics.measures import Estimate, LabelMarks, expected_calibration_error
from windlass.outputs.contract import Shown
from windlass.outputs.labels.report import advice, report_sections
from windlass.pages.html.notebook import Board
from windlass.pages.html.report import Details
from windlass.records import Candidate, Collected, Prepared

COUNTS = {
    "order_status": 323,
    "late_delivery": 263,
    "return_item": 215,
    "refund_status": 206,
    "product_question": 173,
    "wrong_item": 149,
    "damaged_item": 142,
    "cancel_order": 124,
    "exchange_size": 113,
    "warranty_repair": 105,
    "payment_failed": 93,
    "stock_availability": 79,
    "coupon_problem": 77,
    "change_address": 70,
    "password_reset": 64,
    "human_agent": 55,
    "invoice_request": 49,
    "double_charge": 45,
    "account_locked": 38,
    "delete_account": 34,
}
LABELS = list(COUNTS)
SPEC = """name: support-desk
data: data/tickets.csv
inputs: {message: text}
output: {intent: category}
goal: macro_f1 >= 0.90
limits: {latency_p95_ms: 20, size_mb: 60}
minutes: 10
"""
# (name, learner, macro-F1, half interval, validation, accuracy, p50, p95, answers/s, MB, s, calibration)
MADE = [
    ("linear", "linear", 0.912, 0.023, 0.918, 0.934, 0.31, 0.52, 21_400, 2.1, 3.4, 0.021),
    ("minilm-linear", "embedding", 0.921, 0.022, 0.925, 0.939, 4.1, 6.3, 1_310, 24.2, 41.0, 0.017),
    ("transformer", "transformer", 0.934, 0.020, 0.931, 0.950, 22.4, 31.8, 212, 91.4, 388.0, 0.034),
    ("cnn", "cnn", 0.887, 0.027, 0.893, 0.911, 0.92, 1.4, 6_020, 5.8, 64.0, 0.046),
    ("trees", "trees", 0.846, 0.030, 0.851, 0.883, 1.1, 1.9, 4_480, 11.3, 22.0, 0.058),
    ("baseline", "baseline", 0.009, 0.002, 0.009, 0.107, 0.02, 0.04, 310_000, 0.01, 0.01, 0.0),
]


def made_candidate(row: tuple) -> Candidate:
    name, learner, f1, half, validation, accuracy, p50, p95, rate, size, seconds, calibration = row
    misses = [] if f1 >= 0.9 else [f"macro_f1 is {f1:.3f}, expected at least 0.9"]
    misses += [f"p95 latency is {p95:g} ms, expected at most 20 ms"] if p95 > 20 else []
    misses += [f"size is {size:g} MB, expected at most 60 MB"] if size > 60 else []
    metrics = {
        "macro_f1": Estimate(f1, f1 - half, f1 + half),
        "accuracy": Estimate(accuracy, accuracy - half * 0.8, accuracy + half * 0.8),
    }
    return Candidate(
        name,
        learner,
        metrics,
        validation,
        calibration,
        p50,
        p95,
        rate,
        size,
        seconds,
        not misses,
        misses,
        as_good_as_chosen=name in {"linear", "minilm-linear"},
    )


@pytest.fixture
def board() -> Board:
    return Board(
        product="support-desk",
        headline="macro_f1",
        goal="macro_f1 >= 0.90",
        limits={"latency_p95_ms": 20, "size_mb": 60},
        chosen="linear",
        why="'linear' is the cheapest of 2 candidates that meet goal and limits, and none is better beyond chance.",
        candidates=[made_candidate(row) for row in MADE],
        not_trained=[
            {
                "name": "recurrent",
                "learner": "recurrent",
                "status": "out of time",
                "reason": "needs about 9 min, 2 min were left",
            },
            {"name": "llm", "learner": "llm", "status": "unavailable", "reason": "pip install '.[llm]'"},
        ],
        n_test=602,
        machine="Intel Xeon 2.1 GHz, 2 cores, 8 GB",
    )


def _answers() -> tuple[np.ndarray, np.ndarray]:
    """Targets (602,) and probabilities (602, 20): mostly right, a few like labels mixed up."""
    random = np.random.default_rng(7)
    weights = np.array(list(COUNTS.values()), dtype=float)
    targets = random.choice(20, 602, p=weights / weights.sum())
    logits = random.normal(0, 0.9, (602, 20))
    logits[np.arange(602), targets] += random.normal(5.2, 1.6, 602)
    for truth, like in ((0, 1), (1, 0), (2, 8), (3, 2), (17, 10), (18, 14), (5, 6)):
        rows = np.flatnonzero(targets == truth)
        logits[rows, like] += random.normal(2.2, 1.5, len(rows))
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return targets, exponents / exponents.sum(1, keepdims=True)


def _curve(steps: int, end: float) -> list[dict]:
    random = np.random.default_rng(steps)
    found = []
    for place in range(steps):
        part = (place + 1) / steps
        entry = {
            "step": (place + 1) * 40,
            "epoch": part * 6,
            "train_loss": 2.9 * np.exp(-4 * part) + 0.04,
            "score": end * (1 - np.exp(-5 * part)) + random.normal(0, 0.004),
        }
        if place % 2:
            entry["validation_loss"] = 2.7 * np.exp(-4 * part) + 0.22 + 0.1 * part**2
        found.append(entry)
    return found


@pytest.fixture
def prepared() -> Prepared:
    shares = {"train": 0.64, "validation": 0.11, "test": 0.25}
    labels = {split: {label: round(found * part) for label, found in COUNTS.items()} for split, part in shares.items()}
    columns = [
        {
            "name": "message",
            "kind": "text",
            "role": "input",
            "missing_share": 0.0,
            "distinct": 2389,
            "examples": ["cancel order #889552. need to stop the order", "the return arrived on Monday", "Hi"],
            "summary": {"mean_length": 148.3, "p95_length": 402},
        },
        {"name": "intent", "kind": "category", "role": "output", "missing_share": 0.0, "distinct": 20},
    ]
    return Prepared(
        "9f2c61d08ab4e3f7",
        {split: sum(found.values()) for split, found in labels.items()},
        {"exact duplicate": 18, "same message, other label": 5},
        labels,
        columns,
        [
            "41 rows hold an e-mail address and 63 a phone number: see `keep_inputs` before logging requests",
            "'delete_account' has 34 rows: its scores will be rough",
        ],
    )


@pytest.fixture
def collected() -> Collected:
    return Collected(
        2420,
        2417,
        3,
        {"'message' is empty": 2, "'intent' is missing": 1},
        ["data/tickets.csv"],
        {},
        ["7 messages are longer than 2,000 characters"],
    )


@pytest.fixture
def marks() -> LabelMarks:
    targets, probabilities = _answers()
    assert expected_calibration_error(targets, probabilities) < 0.2
    return LabelMarks(targets, probabilities, 1, tuple(LABELS))


@pytest.fixture
def examples(marks: LabelMarks) -> list[str]:
    texts = [
        "Where is my parcel? It said Tuesday, now nothing. Order #{n}",
        "I was charged twice for order {n}, please check the card ending 4421 and send one of them back to me",
        "تم خصم المبلغ مرتين من بطاقتي، الطلب رقم {n}",
        "鞋子尺码不对，我想换大一码，订单 {n}",
        "cannot log in since this morning 😡 ticket {n}",
        "The kettle arrived with a crack down the side. I kept the box and took photographs, as your "
        "page asks, "
        "but the form refuses files above two megabytes. What now? Reference {n}",
    ]
    return [texts[place % len(texts)].format(n=480_000 + 37 * place) for place in range(len(marks))]


def detailed(board: Board, marks: LabelMarks, examples: list[str], **facts: Any) -> Details:
    """What the report shows of labels."""
    sections = report_sections(Shown(board, marks, examples))
    return Details(answers=sections, advice=partial(advice, marks), **facts)


@pytest.fixture
def details(board: Board, marks: LabelMarks, examples: list[str], prepared: Prepared, collected: Collected) -> Details:
    curves = {
        "transformer": _curve(20, 0.93),
        "cnn": _curve(12, 0.89),
        "trees": [{"step": place * 10, "score": 0.85 - 0.5 / place} for place in range(1, 15)],
        "linear": [],
    }
    return detailed(board, marks, examples, curves=curves, prepared=prepared, collected=collected, spec_text=SPEC)
