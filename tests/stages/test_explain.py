"""The stage `explain`: some test rows, right, wrong and unsure ones, explained on a page; it follows `evaluate`."""

import json

import numpy as np

from windlass import lifecycle
from windlass.lifecycle import read_board
from windlass.outputs.labels import examples
from windlass.predictors import table as predictors
from windlass.predictors.contract import Labeller
from windlass.predictors.tables import linear
from windlass.records import silent
from windlass.sources.prepared import read_splits
from windlass.stages import explain

from ..tables import with_line
from .conftest import messages


def walked(product, **changes):
    rows = messages(150)
    noisy = [(text, "password" if number % 11 == 0 else label) for number, (text, label) in enumerate(rows)]
    product.csv(noisy)
    spec = product.spec(learners=["linear"], minutes=0.2, **changes)
    told = []
    lifecycle.run(spec, product.store, silent, lambda word, skipped: told.append((word, skipped)), "explain")
    return spec, told


def test_rows_of_each_sort_are_explained_on_a_page_and_in_the_record(product):
    spec, told = walked(product)
    assert told[-2:] == [("evaluate", False), ("explain", False)]
    record = product.store.read_record("explain")
    groups = {row["group"] for row in record["rows"]}
    assert "right" in groups <= {"right", "unsure", "wrong"}
    assert all(
        (row["label"] == row["truth"]) is (row["group"] == "right")
        for row in record["rows"]
        if row["group"] != "unsure"
    )
    assert all(row["confidence"] < 2 / 3 for row in record["rows"] if row["group"] == "unsure")
    page = (product.folder / record["report"]).read_text(encoding="utf-8")
    assert page.count('class="explained"') == len(record["rows"])
    assert "<script" not in page
    json.dumps(record, allow_nan=False)

    again = []
    lifecycle.run(spec, product.store, silent, lambda word, skipped: again.append((word, skipped)), "explain")
    assert again[-1] == ("explain", True)


def test_a_time_that_is_too_short_leaves_rows_out_and_says_so(product):
    """An occluded model has to be asked often; a stage never fails for want of an explanation."""
    spec, _ = walked(product)

    def opaque(folder, manifest):
        """Known by its answers alone."""
        return Labeller(manifest, lambda batches: linear.load(folder, manifest)(batches))

    rows = read_splits(spec, product.store), read_board(product.store)
    with with_line(predictors.FORMATS, "linear", opaque):
        record = explain.explain(spec, product.store, *rows, seconds=-1.0)
    assert record["rows"] == []
    assert "took too long" in record["refusal"]
    assert "took too long" in (product.folder / record["report"]).read_text(encoding="utf-8")


def test_unsure_is_a_row_whose_two_likeliest_answers_are_about_as_likely():
    """0.96 beside 0.04 is sure; of several labels 0.3 beside 0.2 is not."""
    shares = [[0.96, 0.04, 0.0], [0.7, 0.3, 0.0], [0.6, 0.4, 0.0], [0.3, 0.2, 0.5], [0.5, 0.3, 0.2]]
    assert examples._torn(np.array(shares)).tolist() == [False, False, True, True, True]
    assert examples._torn(np.ones((2, 1))).tolist() == [False, False]
