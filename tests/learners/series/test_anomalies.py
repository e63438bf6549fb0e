"""What watches learns from good examples alone, knows machines apart, and follows their load."""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from windlass.errors import DataError
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Options
from windlass.predictors.artifact import read_manifest
from windlass.predictors.series import deviation
from windlass.predictors.table import load, replay
from windlass.records import Splits, silent

START = datetime(2026, 1, 1)
WINDOW = 24
WRITTEN = {"readings": {"time": "time", "value": "heat", "past": [], "known": ["load"], "every": "6h", "gather": "",
                        "horizon": 0, "season": None, "window": WINDOW}}  # fmt: skip


def window(machine: str, random, shift: float = 0.0, stuck: int = 0) -> dict:
    """Heat follows the load, each machine at its own level; shift: of the last day; stuck: readings that repeat."""
    load = random.uniform(0, 1, WINDOW)
    heat = {"a": 20, "b": 50}.get(machine, 35) + 10 * load + random.normal(0, 0.5, WINDOW)
    heat[-4:] += shift
    if stuck:
        heat[-stuck:] = heat[-stuck]
    first = START + timedelta(days=int(random.integers(300)))
    columns = {"heat": heat.round(2).tolist(), "load": load.round(3).tolist()}
    readings = {"start": first.isoformat(), "every": "6h", "columns": columns}
    return {"readings": json.dumps(readings), "machine": machine, "state": "yes" if shift or stuck else "no"}


@pytest.fixture(scope="module")
def splits(tmp_path_factory) -> Splits:
    random = np.random.default_rng(1)
    train = [window(machine, random) for machine in "ab" for _ in range(60)] + [window("a", random, 5.0)] * 9
    held = [window("ab"[place % 2], random, 4.0 * (place % 5 == 0)) for place in range(60)]
    inputs = {"machine": "category", "readings": "series"}
    parts = (pl.DataFrame(train), pl.DataFrame(held), pl.DataFrame(held[:9]))
    return Splits(inputs, {"state": "anomaly"}, *parts, tmp_path_factory.mktemp("plant"), written=WRITTEN)


@pytest.fixture(scope="module")
def found(splits, tmp_path_factory):
    return {name: learners.get(name).fit(splits, Options(tmp_path_factory.mktemp(name), "found_within_a_day"),
                                         Budget(60), silent) for name in ("deviation", "distance")}  # fmt: skip


@pytest.mark.parametrize(("name", "least"), [("deviation", 0.99), ("distance", 0.8)])
def test_windows_with_a_fault_rank_above_sound_ones_and_are_served_alike(found, name, least):
    assert found[name].validation >= least
    assert replay(load(found[name].artifact), found[name].artifact) < 1e-6


def test_each_machine_has_its_own_level_and_a_new_one_is_held_to_its_own_past(found):
    """A reading of 50 is usual of b and not of a; of a machine that training did not know only a change is odd."""
    predictor, random = load(found["deviation"].artifact), np.random.default_rng(5)
    usual, odd = window("b", random), window("new", random, 6.0)
    probabilities = predictor.probabilities([usual, {**usual, "machine": "a"}, {**usual, "machine": "new"}, odd])
    assert (probabilities[:, 1] > 0.5).tolist() == [False, False, False, True]
    evidence = predictor.answer([odd])[0].evidence
    assert "training did not know" in evidence[0]


def test_a_sensor_that_says_the_same_again_and_again_is_odd(found):
    predictor, random = load(found["deviation"].artifact), np.random.default_rng(6)
    rows = [window("a", random), window("a", random, stuck=10)]
    assert (predictor.probabilities(rows)[:, 1] > 0.5).tolist() == [False, True]


def test_faulty_rows_teach_nothing(splits, found, tmp_path):
    from dataclasses import replace

    fewer = replace(splits, train=splits.train.filter(pl.col("state") == "no"))
    again = learners.get("deviation").fit(fewer, Options(tmp_path / "run", "roc_auc"), Budget(60), silent)
    assert (again.artifact / deviation.FILE).read_bytes() == (found["deviation"].artifact / deviation.FILE).read_bytes()


def test_gaps_and_a_short_past_give_an_answer(found):
    predictor, random = load(found["deviation"].artifact), np.random.default_rng(7)
    row = window("a", random)
    readings = json.loads(row["readings"])
    gaps = {**readings, "columns": {**readings["columns"], "heat": [None] * 20 + readings["columns"]["heat"][20:]}}
    short = {**readings, "columns": {name: values[:2] for name, values in readings["columns"].items()}}
    nothing = {**readings, "columns": {name: [None] * WINDOW for name in readings["columns"]}}
    rows = [{"machine": "a", "readings": each} for each in (gaps, short, nothing)]
    assert np.isfinite(predictor.probabilities(rows)).all()


def test_more_than_a_machine_beside_the_series_is_refused_and_damage_is_seen(splits, found):
    from dataclasses import replace

    more = replace(splits, inputs={**splits.inputs, "hall": "category"})
    assert "not also hall" in learners.get("deviation").refuse(more, "")
    artifact = found["distance"].artifact
    with pytest.raises(DataError, match="damaged"):
        deviation.load(artifact, read_manifest(artifact))
