"""Numbers live their whole life: split, learned, measured, explained, remembered, believed or not, compared."""

import json
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

from windlass.errors import DataError, GateRefused
from windlass.improving.trust import doubt
from windlass.kinds import number
from windlass.learners.contract import Budget, Options
from windlass.learners.rows import encode, finish, with_stopping
from windlass.learners.table import LEARNERS
from windlass.metrics.measures import Estimate
from windlass.outputs import contract
from windlass.outputs.contract import Held, Why
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.numbers import (
    comparison,
    examples,
    explanation,
    measures,
    reference_profile,
    report,
    split,
    trust,
)
from windlass.outputs.numbers.output import OUTPUT
from windlass.outputs.splitting import Cleaning
from windlass.outputs.trust import Known
from windlass.pages.html.explained import explained, explanation_text
from windlass.pages.html.leaderboard import board_notes
from windlass.pages.text.terminal import board_text
from windlass.pages.text.words import to_places
from windlass.predictors import table as predictors
from windlass.records import Board, Column, Splits, silent
from windlass.sources.prepared import GROUP, SPLIT
from windlass.spec import parse

SPEC = parse("name: a\ndata: a.csv\ninputs: {size: number, town: category}\noutput: {price: number}\n")


def houses(n_rows: int, seed: int = 1) -> pl.DataFrame:
    """Price is 3 a unit of size, and 50 more in Bern, but for a little noise."""
    random = np.random.default_rng(seed)
    size, town = random.uniform(10, 200, n_rows), random.choice(["Bern", "Oslo"], n_rows)
    price = 3 * size + 50 * (town == "Bern") + random.normal(0, 5, n_rows)
    return pl.DataFrame({"size": size, "town": town, "price": price})


@pytest.fixture(scope="module")
def splits() -> Splits:
    parts = (houses(400), houses(100, 2), houses(100, 3))
    return Splits(dict(SPEC.inputs), dict(SPEC.output), *parts, Path())


@pytest.fixture(scope="module")
def fitted(splits, tmp_path_factory):
    """learner -> folder of its artifact."""
    found = {}
    for name in ("mean", "median", "linear", "trees"):
        options = Options(tmp_path_factory.mktemp(name), metric="mae")
        found[name] = LEARNERS[name].fit(splits, options, Budget(30), silent)
    return found


@pytest.fixture(scope="module")
def linear(fitted):
    return predictors.load(fitted["linear"].artifact)


# split ----------------------------------------------------------------------------------------------------------------


def divided(rows: pl.DataFrame, cleaning: Cleaning | None = None) -> dict[str, pl.DataFrame]:
    given = rows.with_columns(pl.lit("").alias(SPLIT))
    return split.split(given, SPEC, cleaning or Cleaning(), np.random.default_rng(13))


def test_each_part_has_as_many_low_and_high_numbers():
    parts = divided(houses(2_000))
    edges = np.quantile(houses(2_000)["price"], np.linspace(0, 1, 11))
    for part in parts.values():
        counts, _ = np.histogram(part["price"], edges)
        assert counts.min() > 0.7 * counts.mean()
    assert sum(map(len, parts.values())) == 2_000


def test_rows_of_a_group_stay_together():
    rows = houses(600).with_columns((pl.int_range(pl.len()) % 60).cast(pl.String).alias(GROUP))
    groups = [set(part[GROUP].to_list()) for part in divided(rows).values()]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


def test_the_same_number_everywhere_is_refused():
    with pytest.raises(DataError, match="column 'price' has 7 in every row, expected numbers that differ"):
        divided(houses(50).with_columns(pl.lit(7.0).alias("price")))


def warnings(price: list[float], size: list[float]) -> list[str]:
    cleaning = Cleaning()
    rows = pl.DataFrame({"size": size, "town": ["Bern"] * len(size), "price": price})
    split.warn(rows, SPEC, cleaning)
    return cleaning.warnings


def test_what_is_odd_about_the_numbers_is_said():
    random = np.random.default_rng(1)
    size, price = random.uniform(0, 9, 200).tolist(), random.uniform(100, 200, 200).tolist()
    assert warnings(price, size) == []
    assert "1 numbers very far from the others (90,000;" in warnings([*price[1:], 90_000.0], size)[0]
    assert "is 0 in 40 % of the train rows" in warnings([*price[:120], *[0.0] * 80], size)[0]
    assert "'size' alone tells 'price'" in warnings([3 * each for each in size], size)[0]


# learned and measured -------------------------------------------------------------------------------------------------


def test_mean_and_median_answer_always_the_same(splits, fitted):
    for name, wanted in (("mean", splits.train["price"].mean()), ("median", splits.train["price"].median())):
        answers = predictors.load(fitted[name].artifact).answer(splits.test.to_dicts())
        assert len({answer.value for answer in answers}) == 1
        assert answers[0].value == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_tiny_prices_are_answered_like_those_of_usual_size(splits, fitted, tmp_path, name):
    """The same prices in units of 1e15: each answer is the same number of them, to the digits that are kept."""
    parts = (rows.with_columns(pl.col("price") * 1e-15) for rows in (splits.train, splits.validation, splits.test))
    tiny = Splits(dict(SPEC.inputs), dict(SPEC.output), *parts, Path())
    made = LEARNERS[name].fit(tiny, Options(tmp_path / name, metric="mae"), Budget(30), silent)
    rows = splits.test.head(20).to_dicts()
    usual, small = (predictors.load(each.artifact).answer(rows) for each in (fitted[name], made))
    assert [answer.value * 1e15 for answer in small] == pytest.approx([answer.value for answer in usual], rel=1e-2)
    assert min(answer.value for answer in small) > 1e-14


def test_linear_is_as_near_as_ridge_on_the_true_features(splits, linear):
    """scikit-learn's ridge on size and town as they made the price: the noise of 5 leaves a mean error of 4."""

    def features(rows):
        return np.stack([rows["size"], rows["town"] == "Bern"], axis=1).astype(float)

    both = pl.concat([splits.train, splits.validation])
    theirs = Ridge(1e-3).fit(features(both), both["price"]).predict(features(splits.test))
    found = measures.marks(linear, splits.test.to_dicts(), Held(SPEC, Path()))
    assert found.value("mae") < 1.1 * np.abs(theirs - splits.test["price"].to_numpy()).mean()


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_answers_have_intervals_that_cover_nine_in_ten(splits, fitted, name):
    """Of 100 test rows: 90 +- 3 standard errors are 81 to 99."""
    predictor = predictors.load(fitted[name].artifact)
    answers = predictor.answer(splits.test.to_dicts())
    pairs = zip(answers, splits.test["price"], strict=True)
    inside = [each.interval[0] <= right <= each.interval[1] for each, right in pairs]
    assert 81 <= sum(inside) <= 99
    assert answers[0].as_json()["interval"] == {
        "low": answers[0].interval[0], "high": answers[0].interval[1], "share": 0.9,
    }  # fmt: skip
    assert answers[0].confidence is None


def test_golden_rows_are_held_to_a_share_of_the_deviation(fitted, tmp_path):
    """The control: an artifact whose mean is moved by a hundredth of the deviation answers otherwise."""
    folder = fitted["linear"].artifact
    assert predictors.replay(predictors.load(folder), folder) < 1e-6
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["output"]["state"]["mean"] += 0.01 * manifest["output"]["state"]["deviation"]
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(GateRefused, match=r"difference of 0.01"):
        predictors.replay(predictors.load(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deviation": 0.0}, "deviation is 0.0, expected a number above 0"),
        ({"mean": None}, "has no finite mean and deviation"),
        ({"half": -1.0}, "half of the interval is -1.0"),
    ],
)
def test_a_damaged_state_is_refused(fitted, tmp_path, change, words):
    for path in fitted["linear"].artifact.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["output"]["state"].update(change)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=words):
        predictors.load(tmp_path)


def test_the_better_of_mean_and_median_is_to_be_beaten(splits, linear):
    """By hand: of 0, 0, 0, 9 the median is off by 2.25 on average, the mean by 3.375."""
    found = measures.marks(linear, splits.test.to_dicts(), Held(SPEC, Path()))
    four = replace(found, targets=np.array([0.0, 0, 0, 9]), values=np.zeros(4))
    train = pl.DataFrame({"price": [0.0, 0, 0, 9]})
    tested = contract.Tested("mae", replace(splits, train=train), [], {"linear": four})
    assert measures.baseline(tested).value == 2.25
    assert "the median" in measures.baseline(tested).words
    assert "the mean" in measures.baseline(replace(tested, metric="rmse")).words


def test_weights_count_as_if_rows_were_repeated(splits, tmp_path):
    """The mean of 1 and 4 where the second counts twice is 3; linear follows the rows that count."""
    rows = splits.train.head(2).with_columns(pl.Series("price", [1.0, 4.0]), pl.Series("w", [1.0, 2.0]))
    weighed = replace(splits, train=rows, validation=rows.head(0), weight="w")
    fitted = LEARNERS["mean"].fit(weighed, Options(tmp_path, metric="mae"), Budget(9), silent)
    answers = predictors.load(fitted.artifact).answer(splits.test.head(1).to_dicts())
    assert answers[0].value == pytest.approx(3, abs=1e-4)


# explained ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_what_parts_add_sums_up_to_the_answer_in_its_unit(splits, fitted, name):
    predictor = predictors.load(fitted[name].artifact)
    row = splits.test.to_dicts()[0]
    found = explanation.explain(predictor, row, 0, Why())
    assert found.base + sum(part.weight for part in found.parts) == pytest.approx(found.total, rel=1e-4)
    assert found.total == pytest.approx(predictor.answer([row])[0].value, rel=1e-4)
    assert found.unit == "amounts of 'price'"
    with pytest.raises(DataError, match="a number is explained as it was answered"):
        explanation.explain(predictor, row, 0, Why(answer="1"))


def test_a_large_size_raises_the_price(linear):
    found = explanation.explain(linear, {"size": 190, "town": "Oslo"}, 0, Why())
    weights = {part.column: part for part in found.parts}
    assert weights["size"].weight == pytest.approx(3 * (190 - 105), rel=0.15)
    assert weights["size"].words.endswith("raises 'price'")
    assert weights["town"].words.endswith("lowers 'price'")


def test_the_largest_errors_each_way_are_picked(splits, linear):
    rows = [{**row, "price": row["price"] + 900 * (place == 3) - 900 * (place == 5)}
            for place, row in enumerate(splits.test.to_dicts())]  # fmt: skip
    found = examples.picked(linear, rows, splits)
    assert next(row for group, row in found if group == "too low") == rows[3]
    assert next(row for group, row in found if group == "too high") == rows[5]


def test_an_interval_of_what_was_never_negative_begins_at_zero(linear):
    """Training and service ask the same property; a product that knew numbers below 0 is not cut."""
    row, state = {"size": -20_000, "town": "Oslo"}, linear.manifest.output.state
    assert state["least"] >= 0
    assert linear.answer([row])[0].interval[:2] == (0.0, 0.0)
    assert linear.marks([row], [0.0]).inside.all()
    output = replace(linear.manifest.output, state={**state, "least": -1.0})
    signed = replace(linear, manifest=replace(linear.manifest, output=output))
    assert signed.answer([row])[0].interval[0] < 0
    assert not signed.marks([row], [0.0]).inside.any()


def test_a_number_is_told_with_the_digits_that_its_interval_deserves(linear):
    assert number.places({"deviation": 90.0, "half": 40.3}) == 0
    assert number.places({"deviation": 90_000.0, "half": 0.0}) == -2
    assert number.places({"deviation": 90.0, "half": 9.96}) == 0, "9.96 is 10 with two digits"
    assert (to_places(254.862, 0), to_places(12_345.6, -2), to_places(-0.4, 0)) == ("255", "12,300", "0")
    found = explanation.explain(linear, {"size": 190, "town": "Oslo"}, 0, Why())
    assert found.label == f"{linear.answer([{'size': 190, 'town': 'Oslo'}])[0].value:.15g}", "exact for programs"
    assert "places" not in found.as_json()
    shown = to_places(found.total, found.places)
    assert len(shown) < len(found.label)
    assert f"‘{shown}’" in explained(found)
    assert f"why '{shown}'" in explanation_text(found)


# remembered, believed, compared ---------------------------------------------------------------------------------------


def test_a_release_remembers_its_interval_and_how_often_it_held(splits, linear):
    kept = [(row, True) for row in splits.test.to_dicts()]
    seen = reference_profile.seen(linear, kept, splits)
    assert seen.answers["half"] == linear.half
    assert 0.81 <= np.mean(seen.answers["right"]) <= 0.99
    assert seen.column.kind == "number"
    assert len(seen.profiles) == 100


def test_feedback_is_right_inside_the_interval():
    assert reference_profile.is_right(100.0, 104.0, {"half": 5.0})
    assert not reference_profile.is_right(100.0, 106.0, {"half": 5.0})
    assert not reference_profile.is_right(100.0, 104.0, {})
    assert reference_profile.is_right(100.0, 100.0, {})


def taught(splits, add: float) -> list[LabelledRow]:
    return [
        LabelledRow(values={"size": row["size"], "town": row["town"]}, label=row["price"] + add, answer=str(place))
        for place, row in enumerate(splits.validation.to_dicts())
    ]


def test_honest_numbers_are_believed_and_those_far_off_doubted(splits, linear):
    rows = [(row, row["price"]) for row in splits.test.to_dicts()]
    known = Known(train=[], held=[], learned={}, tested=rows)
    honest = trust.opinion(taught(splits, 0), linear, known, SPEC)
    assert not honest.doubts.any()
    assert honest.contradicts.mean() < 0.05
    assert abs(honest.surprise.mean()) < 0.5
    lies = trust.opinion(taught(splits, 200), linear, known, SPEC)
    assert lies.doubts.all()
    assert lies.contradicts.all()
    assert lies.surprise.mean() > 5


@pytest.mark.parametrize("absurd", [1e30, -1e30, 20_000.0])
def test_an_absurd_number_is_set_aside_even_of_a_lone_caller_and_one_far_off_is_not(splits, linear, absurd):
    """Prices reach from about 30 to 650: ten times that range ends near 6,900."""
    known = Known([], [], {}, Path(), [(row, row["price"]) for row in splits.test.to_dicts()])
    rows = taught(splits, 0)
    rows[3], rows[4] = replace(rows[3], label=absurd), replace(rows[4], label=-5.0)
    thought = trust.opinion(rows, linear, known, SPEC)
    assert list(thought.impossible) == [3]
    fates = doubt(rows, thought, SPEC.inputs, [])
    assert [place for place, each in enumerate(fates) if each.fate] == [3]
    assert fates[3].reason.startswith("more than 10 times the range of the training rows (")


def sheet(splits, one, other):
    pairs = [(row, row["price"]) for row in splits.test.to_dicts()]
    return comparison.compare((one, other), pairs, "mae", Path())


def test_a_nearer_challenger_gains_and_a_farther_one_loses(splits, fitted, linear):
    median = predictors.load(fitted["median"].artifact)
    every = np.ones(100, bool)
    better = sheet(splits, median, linear).paired("all", every)
    assert better.gains(0.01)
    assert not better.loses(0.01)
    worse = sheet(splits, linear, median).paired("all", every)
    assert worse.loses(0.01)
    same = sheet(splits, linear, linear).paired("all", every)
    assert not same.gains(0.3)
    assert not same.loses(0.3)
    assert same.won == same.lost == 0


def test_who_is_nearer_does_not_depend_on_the_unit(splits, fitted, linear):
    """In 1e-15 of the unit the errors lie below any fixed tolerance."""
    usual = sheet(splits, predictors.load(fitted["median"].artifact), linear)
    tiny = copy(usual)
    tiny.truth, tiny.given = usual.truth * 1e-15, [values * 1e-15 for values in usual.given]
    tiny.losses, tiny.least = [losses * 1e-15 for losses in usual.losses], usual.least * 1e-15
    every = np.ones(100, bool)
    one, other = usual.paired("all", every), tiny.paired("all", every)
    assert one.won > 50
    assert (one.won, one.lost, one.chance) == (other.won, other.lost, other.chance)


def test_the_goals_difference_is_told_in_skill(splits, fitted, linear):
    """Murphy 1988: errors less, over that of the median of the rows that judge."""
    median = predictors.load(fitted["median"].artifact)
    before, after, more = sheet(splits, median, linear).goal("mae", np.ones(100, bool))
    price = splits.test["price"].to_numpy()
    assert more.value == pytest.approx((before - after) / np.abs(price - np.median(price)).mean())
    assert more.low < more.value < more.high


def test_numbers_are_the_same_but_for_rounding():
    assert comparison.same(312_000.0, 312_000.4)
    assert not comparison.same(312_000.0, 312_400.0)


# told -----------------------------------------------------------------------------------------------------------------


def test_the_pictures_hold_every_row(splits, linear):
    found = measures.number_marks(measures.marks(linear, splits.test.to_dicts(), Held(SPEC, Path())))
    for drawn in (report.against_truth(found), report.errors_over_answers(found)):
        assert drawn.count("<circle") == 100
        assert drawn.startswith("<svg")


def test_advice_names_where_answers_lean():
    values = np.linspace(0, 100, 500)
    noise = np.random.default_rng(1).normal(0, 1, 500)
    leaning = measures.NumberMarks(values + noise + 5 * (values > 80), values)
    assert "are too low by 5" in report.advice(leaning, misses=True)[0]
    assert report.advice(measures.NumberMarks(values + noise, values), misses=False) == []


def test_zeros_under_mape_are_counted_and_small_numbers_named():
    """Errors of 1: beside 0.001 that is 1,000, beside each of 97 tens .1: 1,000 of 1,009.7 is 99 %."""
    right = np.array([0.0, 0.0, 0.001, *[10.0] * 97])
    found = measures.NumberMarks(right, right + 1)
    (said,) = OUTPUT.remarks(found, "mape")
    assert "mape leaves out 2 of 100 test rows, whose right number is 0" in said
    assert "those whose right number is nearly 0 (1) make 99.0 % of mape" in said
    assert found.value("mape") == pytest.approx(1009.7 / 98)
    assert OUTPUT.remarks(found, "mae") == OUTPUT.remarks(measures.NumberMarks(right[3:], right[3:]), "mape") == []
    board = Board("a", "mape", "", {}, "", "", [], [], 100, "", warnings=[said])
    assert said in board_text(board, 200)
    assert "make 99.0 % of mape" in board_notes(board)


def test_a_correction_beyond_the_reach_of_training_is_refused_and_others_are_read():
    """Training saw 0 to 100: ten times its range away is the last that is believed."""
    column = Column("price", "number", {"least": 0.0, "most": 100.0, "deviation": 20.0})
    assert [OUTPUT.read_correction(column, said) for said in (12, 1_100, -1_000)] == [12, 1_100, -1_000]
    for said in (1e38, -1_001, "1101"):
        with pytest.raises(DataError, match="more than 10 times the range of the training rows"):
            OUTPUT.read_correction(column, said)


def test_what_was_not_measured_is_no_nan():
    nan = float("nan")
    assert str(Estimate(nan, nan, nan)) == "not measured"


def test_values_pass_the_log_as_they_are():
    for value in (0.1, 312_345.678, -5.0, 1e-7):
        assert OUTPUT.value_of(OUTPUT.kept_as(value)) == value


def test_a_number_has_as_many_digits_as_are_of_use():
    assert number.rounded(312_345.678912, {"deviation": 90_000.0}) == 312_345.7
    assert number.rounded(0.123456789, {"deviation": 0.02}) == 0.1234568


# intervals of what stops early ----------------------------------------------------------------------------------------


def test_rows_that_stop_a_learner_make_no_interval(splits):
    """Errors are 0 on the rows that stopped it, 1 on those between: the interval is of the latter."""
    encoded = with_stopping(encode(splits, {"number": "raw", "category": "index"}))
    assert encoded.watched.tolist() == list(range(0, 100, 2))
    few = replace(splits, validation=splits.validation.head(99))
    assert with_stopping(encode(few, {"number": "raw", "category": "index"})).watched.tolist() == list(range(99))


def test_the_interval_is_of_the_rows_that_stopped_nothing(splits, tmp_path):
    encoded = with_stopping(encode(splits, {"number": "raw", "category": "index"}))
    scores = (encoded.validation_targets + np.arange(100) % 2)[:, None]
    fitted = finish(
        Options(tmp_path, metric="mae"),
        {"predictor": "trees", "learner": "trees", "settings": {}},
        encoded, splits, scores, scores[:16],
    )  # fmt: skip
    state = json.loads((fitted.artifact / "manifest.json").read_text())["output"]["state"]
    assert state["half"] == pytest.approx(state["deviation"])
    assert fitted.validation == pytest.approx(state["deviation"] / 2)  # the score is of all of them
