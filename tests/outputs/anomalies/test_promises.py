"""The shipped checks hold for anomalies: what watches a toy plant."""

import numpy as np
import polars as pl
import pytest

from tests.learners.series.test_anomalies import WRITTEN, window
from windlass.errors import SpecError
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Options
from windlass.outputs import table as outputs
from windlass.outputs.anomalies.output import OUTPUT
from windlass.outputs.checks import check_output
from windlass.predictors.table import load
from windlass.records import Splits, silent
from windlass.spec import from_values

SPEC = {
    "name": "toy", "data": "toy.csv", "inputs": {"machine": "category", "readings": "series"}, "group": "machine",
    "output": {"state": "anomaly"},
    "series": {"time": "time", "window": 24, "every": "6h", "past": ["heat"], "known": ["load"]},
}  # fmt: skip


def test_every_promise_is_kept(tmp_path):
    random = np.random.default_rng(2)
    rows = [window("ab"[place % 2], random, 4.0 * (place % 4 == 0)) for place in range(200)]
    parts = (pl.DataFrame(rows[:120]), pl.DataFrame(rows[120:160]), pl.DataFrame(rows[160:]))
    splits = Splits(SPEC["inputs"], SPEC["output"], *parts, tmp_path, written=WRITTEN)
    fitted = learners.get("deviation").fit(splits, Options(tmp_path / "run", "roc_auc"), Budget(20), silent)
    check_output(OUTPUT, from_values(SPEC, "toy"), splits, load(fitted.artifact))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"series": {"window": 24, "past": ["heat"]}}, "'series' has no time"),
        ({"inputs": {"readings": "series"}}, "'group' is no input"),
        ({"goal": "macro_f1 >= 0.9"}, "macro_f1"),
    ],
)
def test_a_spec_that_cannot_be_judged_is_refused(change, words):
    with pytest.raises(SpecError) as caught:
        outputs.goal(from_values({**SPEC, **change}, "toy"))
    assert words in caught.value.message


def test_false_alarms_are_limited_of_anomalies_alone():
    with pytest.raises(SpecError, match="'false_alarms_a_month' is limited, expected an output that is an anomaly"):
        from_values({**SPEC, "output": {"state": "category"}, "limits": {"false_alarms_a_month": 1}}, "toy")
