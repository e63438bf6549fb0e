"""A recommender on trial is settled by the clicks on its lists, whenever one looks, or at the size computed before."""

import json

import pytest

from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.improving.experiment import Experiment
from windlass.metrics.proportions import Proportion
from windlass.outputs.items.trial import clicked


@pytest.mark.parametrize(
    ("new", "old", "verdict", "is_complete"),
    [((400, 1_000), (200, 1_000), "better", False), ((100, 1_000), (200, 1_000), "worse", False),
     ((210, 1_000), (200, 1_000), "open", False), ((1_400, 7_000), (1_400, 7_000), "open", True)],
)  # fmt: skip
def test_each_look_may_end_it_and_the_size_computed_before_does(new, old, verdict, is_complete):
    """At 20 % a gain of two points needs 6,510 lists of each (Fleiss, formula 4.14, without continuity)."""
    found = Experiment(Proportion(*new), Proportion(*old), 0.2)
    assert (found.verdict, found.is_complete) == (verdict, is_complete)
    assert 6_400 < found.needed < 6_600
    assert found.plan.endswith("lists of each are needed to tell 22.0 % clicked ones from the champion's 20.0 %")


def test_lists_of_which_nobody_spoke_count(tmp_path):
    with RequestLog(tmp_path / "log.sqlite") as log:
        rows = [Logged(f"a{n}", float(n), "r1" if n % 2 else "r2", "[]", None, 1.0, None) for n in range(10)]
        log.record(rows, 100)
        for n, weight in ((1, 1), (3, 0), (4, 1)):
            log.feedback(Feedback(f"a{n}", json.dumps({"items": ["i1"], "weights": [weight]}), None, "")).result(60)
        assert clicked(log.database, "r1") == Proportion(1, 5)
        assert clicked(log.database, "r1", 3.0) == Proportion(0, 4)
        assert clicked(log.database, "r2", until=5.0) == Proportion(1, 3)
