"""Tables of points that are not as they should be: each row with its reason, or a warning that is seen."""

import json

import numpy as np
import pytest

import windlass
from windlass.errors import DataError, SpecError
from windlass.kinds.points.reading import brief_series
from windlass.kinds.series import KIND
from windlass.sources.outgoing import as_csv
from windlass.sources.prepared import read_collected, read_splits
from windlass.store.files import write_text

FIRST = np.datetime64("2025-01-01")
SPEC = """name: sales
data: sales.csv
inputs: {history: series}
output: {sales: forecast}
series: {time: date, horizon: 4}
minutes: 1
learners: [naive, seasonal-naive, nlinear]
"""


def points(n_days: int, value=lambda day: 10 + day % 7, **more) -> list[dict]:
    return [{"date": str(FIRST + day), "sales": value(day), **{name: made(day) for name, made in more.items()}}
            for day in range(n_days)]  # fmt: skip


def begun(folder, rows, spec=SPEC):
    write_text(folder / "sales.csv", as_csv(list(rows[0]), rows))
    write_text(folder / "windlass.yaml", spec)
    return windlass.Project(folder)


def model_of(project, learner: str = "nlinear"):
    return windlass.load(project.store.run_folder(learner) / "artifact").predictor


def rejects(project) -> list[dict]:
    return [json.loads(line) for line in (project.folder / ".windlass/collect/rejects.jsonl").read_text().splitlines()]


def test_points_that_are_there_twice_or_between_or_unreadable_are_rejected_each_with_its_reason(tmp_path):
    rows = points(80)
    bad = [{**rows[5], "sales": 99}, {"date": "2025-01-09T11:00", "sales": 1}, {"date": "soon", "sales": 1},
           {"date": "", "sales": 1}, {"date": "2025-02-01", "sales": "many"}]  # fmt: skip
    project = begun(tmp_path, [*rows, *bad])
    found = project.collect()
    assert (found.rows_in, found.accepted, found.rejected) == (85, 80, 5)
    reasons = [each["reason"] for each in rejects(project)]
    said = "\n".join(reasons)
    twice = "has the moment 2025-01-06T00:00:00 twice"
    for words in (twice, "expected whole steps of 1d", "'soon'", "'date' is missing", "number is 'many'"):
        assert words in said


@pytest.mark.parametrize("far", ["9999-12-31", "0001-01-01", "2205-02-01", "1925-01-01"])
def test_a_mistyped_year_loses_that_point_and_no_other(tmp_path, far):
    project = begun(tmp_path, [*points(80), {"date": far, "sales": 5}])
    found = project.collect()
    assert (found.rows_in, found.accepted, found.rejected) == (81, 80, 1)
    assert f"the series has the moment {far}T00:00:00 far from its other points" in rejects(project)[0]["reason"]
    assert "is its year right?" in rejects(project)[0]["reason"]


def test_a_question_with_a_mistyped_year_is_refused_before_it_is_made_a_grid():
    kind = KIND.as_written({"time": "date", "value": "sales"})
    with pytest.raises(DataError, match="has the moment 4000-12-31T00:00:00 far from its other points"):
        kind.read([*points(3), {"date": "4000-12-31", "sales": 5}], None)


def test_orders_now_and_then_are_no_mistake():
    rows = [{"date": str(FIRST + day), "sales": 1} for day in (0, 1, 90, 400, 900)]
    assert len(KIND.as_written({"time": "date", "value": "sales"}).read(rows, None)) == 901


def test_a_forgotten_group_is_told_apart_from_a_few_doubles(tmp_path):
    rows = [{**row, "store": store} for store in "abc" for row in points(60)]
    with pytest.raises(DataError) as caught:
        begun(tmp_path, rows).collect()
    assert "twice" in caught.value.message
    assert "`group:`" in str(caught.value) or "group" in caught.value.message
    assert begun(tmp_path, rows, SPEC + "group: store\n").collect().rejected == 0


def test_one_point_and_a_horizon_longer_than_the_history_are_refused_with_the_lengths(tmp_path):
    for n_days in (1, 5, 15):
        with pytest.raises(DataError, match=f"the longest series has {n_days:,} points, too few to foresee 4 steps"):
            begun(tmp_path, points(n_days)).prepare()


def test_a_constant_series_is_foreseen_as_it_is_and_not_released_as_better_than_itself(tmp_path):
    project = begun(tmp_path, points(80, lambda day: 7))
    project.run()
    answer = model_of(project).answer([{"history": points(30, lambda day: 7)}])
    assert [step["value"] for step in answer[0].value] == [7, 7, 7, 7]


def test_gaps_and_nothing_at_the_end_are_no_values_and_are_not_trained_on(tmp_path):
    rows = points(120)
    for place in (30, 31, 60, *range(115, 120)):
        rows[place]["sales"] = ""
    project = begun(tmp_path, rows)
    project.prepare()
    splits = read_splits(project.spec, project.store)
    last = KIND.read(splits.test["history"][-1], None)
    truth = json.loads(splits.test["sales"][-1])
    assert len(truth) == 4
    assert truth[-1] == 10 + 114 % 7, "the last known value ends the last test row"
    assert last.columns["sales"][-1] == 10 + 110 % 7


def test_what_was_cut_by_the_stock_counts_as_unknown(tmp_path):
    rows = points(120, out=lambda day: int(day % 10 == 0))
    project = begun(tmp_path, rows, SPEC.replace("horizon: 4", "horizon: 4, censored: out"))
    found = project.collect()
    assert any("was cut in 12 points ('out')" in warning for warning in found.warnings)
    project.prepare()
    train = KIND.read(read_splits(project.spec, project.store).train["history"][0], None)
    assert train.columns["sales"][10] is None


def test_time_alone_parts_the_rows(tmp_path):
    """No value that is asked for stands in the history of the same or an earlier part; the latest are tested."""
    project = begun(tmp_path, [{**row, "store": store} for store in "ab" for row in points(150, lambda day: day)],
                    SPEC + "group: store\n")  # fmt: skip
    project.prepare()
    splits = read_splits(project.spec, project.store)
    ends = {}
    for name, part in (("train", splits.train), ("validation", splits.validation), ("test", splits.test)):
        asked = [json.loads(truth) for truth in part["sales"].to_list()]
        seen = [KIND.read(value, None).columns["sales"] for value in part["history"].to_list()]
        assert all(truth[0] == history[-1] + 1 for truth, history in zip(asked, seen, strict=True))
        ends[name] = (min(truth[0] for truth in asked), max(truth[-1] for truth in asked))
    assert ends["train"][1] < ends["validation"][0]
    assert ends["validation"][1] < ends["test"][0]
    assert ends["test"] == (120, 149)


def test_covariates_are_read_as_formats_says_and_amounts_that_are_read_as_names_are_told(tmp_path):
    rows = points(60, price=lambda day: f"{900 + day * 10:,}", load=lambda day: f"{day % 5 + 0.25} kW")
    spec = SPEC.replace("horizon: 4", "horizon: 4, known: [price], past: [load]")
    project = begun(tmp_path, rows, spec)
    load, price = sorted(project.collect().warnings)
    assert "'price' is read as a name and not as an amount in 50 points, such as '1,000'" in price
    assert "reads numbers, such as '1,234" in price
    assert "'load' is read as a name and not as an amount in 60 points, such as '0.25 kW'" in load
    assert "such as '1234.56 kW'" in load
    project = begun(tmp_path, rows, spec + "formats: {price: '1,234.56', load: 1234.56 kW}\n")
    assert not project.collect().warnings
    (row,) = read_collected(project.store)["history"]
    assert json.loads(row)["columns"]["price"][:11] == [900 + 10 * day for day in range(11)]
    assert json.loads(row)["columns"]["load"][:3] == [0.25, 1.25, 2.25]
    begun(tmp_path, [*rows[:-1], {**rows[-1], "price": "cheap"}], spec + "formats: {price: '1,234.56'}")
    assert windlass.Project(tmp_path).collect().rejected == 1


@pytest.fixture(scope="module")
def promoted(tmp_path_factory):
    rows = points(200, lambda day: 10 + day % 7, promo=lambda day: int(day % 9 == 0), kind=lambda day: "ab"[day % 2])
    project = begun(
        tmp_path_factory.mktemp("promoted"), rows, SPEC.replace("horizon: 4", "horizon: 4, known: [promo, kind]")
    )
    project.run()
    return model_of(project)


def test_missing_covariates_of_the_time_ahead_are_taken_as_usual_and_that_is_said(promoted):
    past = points(40, promo=lambda day: 0, kind=lambda day: "a")
    bare = promoted.answer([{"history": past}])[0]
    assert "'promo', 'kind' of the next 4 steps is told for 0 of them" in bare.evidence[0]
    ahead = [{"date": str(FIRST + 40 + step), "promo": 1, "kind": "b"} for step in range(4)]
    told = promoted.answer([{"history": [*past, *ahead]}])[0]
    assert told.evidence == ()
    assert [step["time"] for step in told.value] == [each["date"] for each in ahead]
    partly = promoted.answer([{"history": [*past, *ahead[:2]]}])[0]
    assert "is told for 2 of them" in partly.evidence[0]


def test_a_covariate_that_is_told_nowhere_is_named_though_another_one_is(promoted):
    days = points(44, kind=lambda day: "a")
    history = [{**row, "sales": row["sales"] if place < 40 else None} for place, row in enumerate(days)]
    (said,) = promoted.answer([{"history": history}])[0].evidence
    assert said.startswith("'promo' of the next 4 steps is told for 0 of them")


@pytest.mark.parametrize(
    ("value", "n_out"), [(-100, 7), (400, 7), (-1, 7), (0, 0), (22, 0), (13, 0)], ids=lambda each: str(each)
)
def test_a_history_unlike_training_is_said(promoted, value, n_out):
    """Training saw 10 to 16: below 0 is nothing, and above 24 is half of the largest farther out."""
    days = points(44, lambda day: value, promo=lambda day: 0, kind=lambda day: "a")
    history = [{**row, "sales": row["sales"] if place < 40 else None} for place, row in enumerate(days)]
    said = [each for each in promoted.answer([{"history": history}])[0].evidence if "unlike training" in each]
    assert len(said) == bool(n_out)
    if said:
        assert f"{n_out} of the latest 7 points are unlike training, such as {value} where it saw 10 to 16" in said[0]


def test_a_misspelt_covariate_is_named(promoted):
    days = points(44, kind=lambda day: "a", promoo=lambda day: 1)
    history = [{**row, "sales": row["sales"] if place < 40 else None} for place, row in enumerate(days)]
    said = promoted.answer([{"history": history}])[0].evidence
    assert "'promoo' is not read, as it is none of 'date', 'sales', 'promo', 'kind'" in said


def test_days_after_the_year_9999_are_whole(promoted):
    history = {"start": "9999-12-20", "every": "1d", "columns": {"sales": [10.0] * 12, "promo": [0] * 12}}
    steps = promoted.answer([{"history": history}])[0].value
    assert [step["time"] for step in steps] == ["10000-01-01", "10000-01-02", "10000-01-03", "10000-01-04"]


def test_one_series_is_not_called_constant_and_its_example_can_be_answered(promoted, tmp_path):
    prepared = begun(tmp_path, points(80)).prepare()
    assert not [each for each in prepared.warnings if "constant" in each]
    state = next(column for column in promoted.manifest.inputs if column.name == "history").state
    example = brief_series(state)
    assert example[0] == {"date": "2026-03-30T00:00:00", "sales": 1.0, "promo": 1.0, "kind": 1.0}
    assert len(promoted.answer([{"history": example}])[0].value) == 4


@pytest.mark.parametrize("history", [None, [], {"columns": {"sales": [None] * 9}}, {"columns": {"promo": [1.0]}}])
def test_a_history_without_a_value_says_that_what_is_usual_is_told(promoted, history):
    assert (
        "no point of 'sales' is known: what is usual in training is told"
        in promoted.answer([{"history": history}])[0].evidence
    )


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ({"start": "2025-01-01", "every": "1h", "columns": {"sales": [1, 2]}}, "has points 1h apart, expected 1d, as"),
        ({"start": "2025-01-01", "columns": {"sales": [1, 2]}}, "has 'every' '', expected a step such as 15min"),
        ({"start": "2025-01-01", "every": "1d", "columns": {"sales": [1, "x"]}}, "has 'sales' 'x' at point 1"),
    ],
)
def test_columns_are_read_as_strictly_as_points(promoted, history, reason):
    with pytest.raises(DataError, match=reason):
        promoted.answer([{"history": history}])


def test_a_step_may_be_written_in_another_unit(promoted):
    answer = promoted.answer([{"history": {"start": "2025-01-01", "every": "24h", "columns": {"sales": [1.0] * 9}}}])[0]
    assert answer.value[0]["time"].startswith("2025-01-10")


@pytest.mark.parametrize("n_days", [0, 1, 2, 3])
def test_a_history_that_is_nearly_nothing_is_answered(promoted, n_days):
    answer = promoted.answer([{"history": points(n_days, promo=lambda day: 0, kind=lambda day: "a")}])[0]
    assert len(answer.value) == 4
    assert all(np.isfinite([step["value"], step["low"], step["high"]]).all() for step in answer.value)


def test_outages_at_the_end_of_a_history_are_said(tmp_path):
    project = begun(tmp_path, points(100))
    project.run()
    model = model_of(project, "seasonal-naive")
    past = points(30)
    past[-1]["sales"] = past[-2]["sales"] = None
    answer = model.answer([{"history": past}])[0]
    assert answer.value[0]["time"] == "2025-01-29"
    assert answer.evidence == ("the last 2 points have no value: what comes after the last known one is told",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("time: date", "time: day"), "no column 'day'"),
        (("history: series", "history: text"), "0 inputs are series, expected one"),
        (("horizon: 4", "horizon: 0"), "horizon"),
        (("horizon: 4", "horizon: 4, every: soon"), "series.every"),
        (("horizon: 4", "horizon: 4, known: [prom]"), "no column 'prom'"),
    ],
)
def test_a_spec_that_does_not_fit_is_refused(tmp_path, change, words):
    with pytest.raises((SpecError, DataError)) as caught:
        begun(tmp_path, points(60), SPEC.replace(*change)).run()
    assert words in str(caught.value)


def test_fifty_thousand_points_are_collected_and_cut_in_seconds(tmp_path):
    hours = np.datetime64("2010-01-01T00", "s") + np.arange(50_000) * np.timedelta64(3_600, "s")
    rows = [{"date": str(hour), "sales": place % 24} for place, hour in enumerate(hours)]
    project = begun(tmp_path, rows)
    assert project.prepare().rows["test"] > 100


def test_moments_with_a_zone_are_told_in_utc_and_say_so(tmp_path):
    hours = np.datetime64("2026-03-28T00") + np.arange(120)
    rows = [{"date": f"{hour}:00+01:00", "sales": place % 24} for place, hour in enumerate(hours)]
    project = begun(tmp_path, rows, SPEC.replace("[naive, seasonal-naive, nlinear]", "[seasonal-naive]"))
    project.run()
    answer = model_of(project, "seasonal-naive").answer([{"history": rows[:48]}])[0]
    assert [(step["time"], step["value"]) for step in answer.value[:2]] == [
        ("2026-03-29T23:00:00Z", 0),
        ("2026-03-30T00:00:00Z", 1),
    ]
    wall = model_of(project, "seasonal-naive").answer(
        [{"history": [{**row, "date": row["date"][:16]} for row in rows[:48]]}]
    )
    assert wall[0].value[0]["time"] == "2026-03-30T00:00:00"
