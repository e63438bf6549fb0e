"""A long table of points becomes windows with the answer of their last point, parted by time."""

import json
from datetime import datetime, timedelta

import pytest

from windlass.errors import SpecError
from windlass.outputs import table as outputs
from windlass.outputs.splitting import Cleaning
from windlass.sources.prepared import SPLIT, read_collected
from windlass.spec import parse
from windlass.stages.collect import collect
from windlass.stages.prepare import split_rows
from windlass.store.store import Store

SPEC = """
name: pumps
data: points.csv
inputs: {readings: series, pump: category}
output: {state: category}
group: pump
series: {time: time, window: 4, stride: 2, past: [heat]}
"""
START = datetime(2026, 1, 1)
MIXED = [*["ok"] * 12, *["hot"] * 4]
"""Of an hour each; repaired at once."""


def collected(folder, states, spec=SPEC):
    """pump -> the state at each hour, '' where none is known; its heat counts the hours."""
    lines = ["time,pump,heat,state"]
    for pump, told in states.items():
        for hour, state in enumerate(told):
            lines.append(f"{START + timedelta(hours=hour)},{pump},{hour},{state}")
    (folder / "points.csv").write_text("\n".join(lines) + "\n", "utf-8")
    store, read = Store(folder), parse(spec)
    return collect(read, store), read_collected(store), read


def heats(rows):
    return [json.loads(text)["columns"]["heat"] for text in rows["readings"].to_list()]


def test_a_window_has_the_answer_of_its_last_point_and_what_stands_beside_the_series(tmp_path):
    _, rows, _ = collected(tmp_path, {"a": ["ok"] * 38 + ["hot", "hot"]})
    assert rows["state"].to_list()[-1] == "hot"
    assert heats(rows)[-1] == [36, 37, 38, 39]
    assert set(rows["pump"]) == {"a"}
    assert len({tuple(each) for each in heats(rows)}) == len(rows)


def test_no_point_is_in_two_of_train_validation_and_test_and_the_latest_are_tested(tmp_path):
    record, rows, spec = collected(tmp_path, {"a": MIXED * 4, "b": MIXED * 4},
                                   SPEC.replace("stride: 2", "stride: 1"))  # fmt: skip
    parts = split_rows(rows, spec, Cleaning())
    seen = {name: {(pump, each) for pump, points in zip(part["pump"], heats(part), strict=True) for each in points}
            for name, part in parts.items()}  # fmt: skip
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["validation"]
    assert not seen["validation"] & seen["test"]
    assert max(hour for _, hour in seen["train"]) < min(hour for _, hour in seen["test"])
    assert len(parts["test"]) >= 10
    assert any("between train, validation and test" in warning for warning in record.warnings)


def test_what_is_over_is_no_longer_looked_at_and_that_is_counted(tmp_path):
    record, rows, _ = collected(tmp_path, {"a": [*["ok"] * 30, "hot", "hot", *["ok"] * 30]})
    for points, state in zip(heats(rows), rows["state"], strict=True):
        assert (31 in points or 30 in points) == (state == "hot")
    assert any("end in 'ok' and still hold points of what was before" in warning for warning in record.warnings)


def test_points_without_an_answer_are_a_past_and_no_row(tmp_path):
    record, rows, _ = collected(tmp_path, {"a": [*["ok"] * 40, *[""] * 4, *["ok"] * 40]})
    assert not [each for each in heats(rows) if each[-1] in range(40, 44)]
    assert record.rejected == 0
    assert any("whose last point has no answer" in warning for warning in record.warnings)


def test_a_series_shorter_than_a_window_is_refused_point_by_point(tmp_path):
    record, _, _ = collected(tmp_path, {"a": MIXED * 2, "b": ["ok"] * 3})
    assert (record.rejected, record.reasons) == (3, {"a series shorter than a window": 3})


def test_files_that_are_given_as_splits_part_the_windows(tmp_path):
    for split, first in (("train", 0), ("test", 100)):
        lines = [f"{START + timedelta(hours=first + hour)},a,{hour},{each}" for hour, each in enumerate(MIXED * 2)]
        (tmp_path / f"{split}.csv").write_text("\n".join(["time,pump,heat,state", *lines]) + "\n", "utf-8")
    spec = parse(SPEC.replace("data: points.csv", "data: {train: train.csv, test: test.csv}"))
    store = Store(tmp_path)
    collect(spec, store)
    rows = read_collected(store)
    assert set(rows[SPLIT]) == {"train", "test"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("past: [heat]", "horizon: 2"), "a window of no column"),
        (("window: 4, stride: 2, ", ""), "'series' has no window"),
        (("{state: category}", "{state: forecast}"), "a forecast and 'series' has a window"),
    ],
)
def test_a_shape_that_does_not_fit_the_output_is_refused(change, words):
    with pytest.raises(SpecError) as caught:
        outputs.goal(parse(SPEC.replace(*change)))
    assert words in caught.value.message
