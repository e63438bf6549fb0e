"""The shipped checks hold for every output of the table, and see what is broken."""

from dataclasses import replace

import pytest

from windlass.learners.contract import Budget, Options
from windlass.learners.table import LEARNERS
from windlass.outputs.checks import check_output
from windlass.outputs.contract import Uncertainty, Unsupported
from windlass.outputs.table import OUTPUTS
from windlass.pages.html.sections import Section
from windlass.predictors.table import load
from windlass.records import silent
from windlass.spec import from_values
from windlass.testing.toys import (
    anomaly_toy,
    boxes_toy,
    cited_toy,
    forecast_toy,
    items_toy,
    masks_toy,
    number_toy,
    tags_toy,
    toys,
    writing_toys,
)

MADE = {
    "category": ("linear", lambda folder: dict(toys(folder))["text"], "macro_f1"),
    "text": ("retrieve", lambda folder: dict(writing_toys(folder))["answers"], "chrf"),
    "number": ("linear", number_toy, "mae"),
    "tags": ("linear", tags_toy, "micro_f1"),
    "forecast": ("nlinear", forecast_toy, "mase"),
    "anomaly": ("deviation", anomaly_toy, "found_within_a_day"),
    "cited": ("bm25", cited_toy, "answer_accuracy"),
    "boxes": ("detector", boxes_toy, "map50"),
    "items": ("popularity", items_toy, "ndcg_at_10"),
    "masks": ("segmenter", masks_toy, "mask_dice"),
}
"""Output -> the learner that answers, its rows, and the metric."""
MORE = {
    "forecast": {"series": {"time": "day", "horizon": 7, "known": ["promo"]}},
    "anomaly": {
        "group": "machine",
        "series": {"time": "time", "window": 24, "every": "6h", "past": ["heat"], "known": ["load"]},
    },
    "cited": {"documents": "docs"},
}
"""What its specification says besides."""
STEPS = {"boxes": 12, "masks": 12}
"""Of networks: a promise is kept, or not, by who has hardly learned, too."""


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    made = {}

    def of(kind):
        if kind not in made:
            learner, rows, metric = MADE[kind]
            folder = tmp_path_factory.mktemp(kind)
            splits = rows(folder)
            fitted = LEARNERS[learner].fit(splits, Options(folder / "run", metric), Budget(20, STEPS.get(kind)), silent)
            values = {"name": "toy", "data": "toy.csv", "inputs": splits.inputs, "output": splits.output}
            made[kind] = from_values({**values, **MORE.get(kind, {})}, "toy"), splits, load(fitted.artifact)
        return made[kind]

    return of


@pytest.mark.parametrize("kind", OUTPUTS)
def test_every_output_keeps_its_promises(product, kind):
    check_output(OUTPUTS[kind](), *product(kind))


BROKEN = {
    "headline 'x' is none of its metrics": {"headline": lambda spec: "x"},
    "a refusal has no words": {"compares": Unsupported("")},
    "two splits share inputs": {
        "split": lambda rows, spec, cleaning, random: {name: rows.head(len(rows) // 3) if name != "train" else
                                                       rows.tail(len(rows) - 2 * (len(rows) // 3))
                                                       for name in ("train", "validation", "test")}
    },
    "marks": {"marks": lambda predictor, rows, held: OUTPUTS["category"]().marks(predictor, rows[1:], held)},
    "sections of one name": {"sections": lambda shown: [Section("a", "A", ""), Section("a", "A", "")]},
    "an advice is empty": {"advice": lambda marks, misses: [""]},
    "comes back as another value": {"value_of": lambda text: text + "!"},
    "is not right where it is the right one": {"is_right": lambda value, correct, answers: False},
    "has no answer or verb": {"widget": lambda manifest: {"answer": "labels"}},
    "rows are lost on the way": {"unfit": lambda rows, train, spec: list(rows)[1:]},
    "have 1 doubts": {"doubts": lambda champion, rows: [Uncertainty("a", 0.5, 0.5)]},
    "groups without a heading": {"picked": lambda predictor, rows, splits: [("odd", rows[0])]},
    "None is not of type 'string'": {"example": lambda column: None},
}  # fmt: skip


@pytest.mark.parametrize("words", BROKEN)
def test_a_broken_output_is_seen(product, words):
    """Each breaks one promise of labels."""
    with pytest.raises(Exception, match=words):
        check_output(replace(OUTPUTS["category"](), **BROKEN[words]), *product("category"))
