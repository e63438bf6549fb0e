"""What mistakes cost chooses the answer and who gives it: by hand, by Elkan's threshold, by Chow's rule."""

import numpy as np
import polars as pl
import pytest

from windlass.errors import SpecError
from windlass.learners.classic import linear
from windlass.learners.contract import Budget, Options
from windlass.metrics.costs import COST, CostTable, fault
from windlass.metrics.measures import LabelMarks, bootstrap
from windlass.outputs import table as outputs
from windlass.outputs.contract import Held
from windlass.outputs.labels import measures
from windlass.outputs.labels.costs import cost_table
from windlass.predictors import table as predictors
from windlass.records import Splits, silent
from windlass.spec import parse

LABELS = ["fraud", "honest"]
SPEC = (
    "name: a\ndata: a.csv\ninputs: {x: number}\noutput: {y: category}\n"
    "costs: {miss: 50, false_alarm: 2, review: 1, unit: EUR}\n"
)


def test_two_labels_are_parted_where_both_mistakes_are_expected_to_cost_the_same():
    """Elkan 2001: fraud from a probability of 2 / (2 + 50) on."""
    table = cost_table({"miss": 50, "false_alarm": 2}, LABELS, 0)
    edge = 2 / 52
    shares = np.array([edge - 0.001, edge + 0.001, 0.9])
    assert table.answers(np.stack([shares, 1 - shares], axis=1)).tolist() == [1, 0, 0]
    named = cost_table({"miss": 50, "false_alarm": 2, "positive": "honest"}, LABELS, 0)
    assert named.matrix == ((0.0, 2.0), (50.0, 0.0))


def test_a_person_takes_what_costs_more_than_a_look_and_the_cost_is_that_of_both():
    """By hand: at 0.03 an answer 'honest' costs 1.5, more than the look for 1; at 0.01 only 0.5."""
    table = cost_table({"miss": 50, "false_alarm": 2, "review": 1, "unit": "EUR"}, LABELS, 0)
    probabilities = np.array([[0.03, 0.97], [0.01, 0.99], [0.99, 0.01]])
    assert table.handed_over(probabilities).tolist() == [True, False, False]
    assert table.costs(np.array([0, 0, 1]), probabilities).tolist() == [1, 50, 2]
    marks = LabelMarks(np.array([0, 0, 1]), probabilities, costs=table)
    assert marks.value(COST) == pytest.approx(53 / 3)
    assert bootstrap(marks, COST).low < 53 / 3


def test_a_table_of_more_labels_takes_the_dearest_where_nothing_is_said():
    table = cost_table({"a": {"b": 3}, "b": {"a": 1, "b": 0.5}}, ["a", "b", "c"], 0)
    assert table.matrix == ((0, 3, 3), (1, 0.5, 3), (3, 3, 0))
    assert CostTable(**table.as_json()) == table
    assert fault(table.as_json(), 3) == ""
    assert fault(table.as_json(), 2)
    assert fault({"matrix": [[0, -1], [1, 0]]}, 2)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"mis": 5, "false_alarm": 1}, "'costs' has 'mis', expected"),
        ({"miss": 5, "false_alarm": 0}, "a mistake that costs 0"),
        ({"miss": -5, "false_alarm": 1}, "'miss': -5, expected a number from 0 on"),
        ({"miss": 5}, "'false_alarm': None"),
        ({"miss": 5, "false_alarm": 1, "positive": "froud"}, "'costs.positive' names 'froud'"),
        ({"froud": {"honest": 5}}, "'costs' names 'froud'"),
        ({"fraud": {"onest": 5}}, "'costs.fraud' names 'onest'"),
    ],
)
def test_what_is_not_known_is_refused_with_the_nearest(said, words):
    with pytest.raises(SpecError) as raised:
        cost_table(said, LABELS, 0)
    assert words in str(raised.value)


def test_sides_are_of_two_labels():
    with pytest.raises(SpecError, match="for 3 labels, expected two"):
        cost_table({"miss": 5, "false_alarm": 1}, ["a", "b", "c"], 0)


@pytest.fixture
def splits(tmp_path):
    def part(n_rows, seed):
        random = np.random.default_rng(seed)
        x = random.normal(size=n_rows)
        is_fraud = random.random(n_rows) < 1 / (1 + np.exp(3 - 2 * x))
        return pl.DataFrame({"x": x, "y": np.where(is_fraud, "fraud", "honest")})

    return Splits({"x": "number"}, {"y": "category"}, part(600, 1), part(400, 2), part(400, 3), tmp_path)


def test_a_product_answers_measures_and_hands_over_by_its_costs(splits, tmp_path):
    """The control: the same model where the likelier label answers costs more on the same rows."""
    spec, folder = parse(SPEC), tmp_path / "run"
    folder.mkdir()
    measures.check_rows(spec, splits)
    linear.fit(splits, Options(folder), Budget(30), silent)
    plain = predictors.load(folder / "artifact")
    reached = measures.tune_decision(folder, splits, spec, outputs.learned_metric(spec))
    deciding, rows = predictors.load(folder / "artifact"), splits.test.to_dicts()
    assert predictors.replay(deciding, folder / "artifact") < 1e-6
    found = deciding.marks(rows, splits.test["y"].to_list())
    control = LabelMarks(found.targets, plain.probabilities(rows))
    theirs = np.asarray(found.costs.matrix)[control.targets, control.answers].mean()
    assert found.value(COST) < 0.8 * theirs
    assert outputs.goal(spec).metric == COST
    answers = deciding.answer(rows)
    handed = [answer for answer in answers if answer.hand_over]
    assert 0 < len(handed) < len(answers)
    assert handed[0].as_json()["hand_over"] is True
    assert handed[0].evidence[-1].startswith("hand over: this answer is expected to cost")
    assert handed[0].evidence[-1].endswith("a person's look 1 EUR")
    assert [LABELS[place] for place in found.answers] == [answer.value for answer in answers]
    seen = measures.validated(deciding, folder, splits, Held(spec, tmp_path))
    assert seen.value(COST) == pytest.approx(reached)


def test_a_goal_of_costs_needs_some():
    with pytest.raises(SpecError, match="there are no 'costs'"):
        outputs.goal(parse(SPEC.partition("costs")[0] + "goal: cost <= 1\n"))
