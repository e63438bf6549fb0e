"""Numbers have a unit, and where errors cost more on one side the answer that costs least."""

import numpy as np
import polars as pl
import pytest

import windlass
from windlass.errors import SpecError
from windlass.kinds import number
from windlass.learners.classic import number_blend
from windlass.learners.contract import Budget, Options
from windlass.learners.table import LEARNERS
from windlass.metrics.costs import SideCosts
from windlass.metrics.numbers import NumberMarks
from windlass.outputs import table as outputs
from windlass.outputs.numbers.costs import tune_decision
from windlass.outputs.numbers.output import OUTPUT
from windlass.pages.text.terminal import board_text
from windlass.predictors import table as predictors
from windlass.records import Splits, silent
from windlass.sources.guess import write_guess
from windlass.sources.prepared import read_splits
from windlass.sources.units import unit_of
from windlass.spec import dump, parse
from windlass.store.files import write_text

BASE = "name: a\ndata: d.csv\ninputs: {size: number}\n"
UNIT = "output: {sales: {kind: number, unit: kg}}\n"
COSTS = "costs: {under: 3, over: 1, unit: EUR}\n"


def sold(n_rows: int = 800) -> str:
    """Twice the size and exponential noise of .4 of it: three quarters lie below 2 + .4 * ln 4 = 2.554 of the size."""
    random = np.random.default_rng(1)
    size = random.uniform(10, 100, n_rows)
    sales = size * (2 + random.exponential(0.4, n_rows))
    return "size,sales\n" + "".join(f"{one:.2f},{two:.2f}\n" for one, two in zip(size, sales, strict=True))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    home = tmp_path_factory.mktemp("costs")
    write_text(home / "d.csv", sold())
    write_text(
        home / "windlass.yaml", BASE + UNIT + COSTS + "goal: cost <= 40 EUR\nminutes: 0.05\nlearners: [linear]\n"
    )
    made = windlass.Project(home)
    made.run()
    return made


def test_a_goal_may_name_the_stated_unit_and_no_other():
    spec = parse(BASE + UNIT + "goal: mae <= 3 kg\n")
    assert (spec.goal, spec.unit, spec.output) == ("mae <= 3", "kg", {"sales": "number"})
    assert outputs.goal(spec).words == "mae <= 3 kg"
    assert parse(BASE + UNIT + "goal: mae <= 3\n").goal == "mae <= 3"
    assert parse(dump(spec)) == spec
    with pytest.raises(SpecError, match="whose unit is 'lb', expected 'kg'"):
        parse(BASE + UNIT + "goal: mae <= 3 lb\n")
    with pytest.raises(SpecError, match="expected none"):
        parse(BASE + "output: {sales: number}\ngoal: mae <= 3 lb\n")
    with pytest.raises(SpecError, match="whose unit is 'kg', expected 'EUR'"):
        parse(BASE + UNIT + COSTS + "goal: cost <= 3 kg\n")
    with pytest.raises(SpecError, match="expected a number"):
        outputs.goal(parse(BASE + "output: {sales: {kind: category, unit: kg}}\n"))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("costs: {miss: 3}", "'costs' has 'miss' and output 'sales' is a number"),
        ("costs: {under: 3}", "'costs.over' is None, expected a number above 0"),
        ("costs: {under: 3, over: 0}", "'costs.over' is 0.0, expected a number above 0"),
        ("goal: cost <= 3", "goal asks for 'cost' and there are no 'costs'"),
    ],
)
def test_other_costs_are_refused(said, words):
    with pytest.raises(SpecError) as refused:
        outputs.goal(parse(BASE + UNIT + said + "\n"))
    assert words in refused.value.message


def test_the_cheapest_number_is_the_newsvendors_quantile():
    """Of 1 to 99 the three quarters are 75; where heavy rows lie low it is lower. Errors of 2 cost 6 and 2."""
    costs = SideCosts(3, 1)
    assert costs.best(np.arange(1.0, 100), np.ones(99)) == 75
    assert costs.best(np.arange(1.0, 100), np.where(np.arange(99) < 50, 9.0, 1.0)) < 50
    assert costs.of(np.array([5.0, 5.0]), np.array([3.0, 7.0])).tolist() == [6, 2]
    assert NumberMarks(np.array([5.0]), np.array([3.0]), costs=costs).value("cost") == 6


def test_answers_lean_as_costs_say_and_keep_their_interval(project):
    """The optimum costs 1.386 * .4 of a size of 55: 30.5; the middle alone would cost far more."""
    board = project.board
    best = board.candidate("linear")
    assert (board.headline, board.units["mae"], board.units["cost"]) == ("cost", "kg", "EUR")
    assert best.metrics["cost"].value < 36
    assert best.metrics["cost"].low < best.metrics["cost"].value
    assert 0.83 < best.metrics["coverage_90"].value < 0.96
    release = project.release()
    small, large = release.predict([{"size": 20}, {"size": 90}])
    assert 2.28 * 20 < small.value < 3.3 * 20  # above the median; one amount for all is much for a small one
    assert large.value == pytest.approx(2.554 * 90, rel=0.15)
    assert OUTPUT.widget(predictors.load(project.store.run_folder("linear") / "artifact").manifest)["unit"] == "kg"
    assert "EUR" in board_text(board, 120)
    page = project.report.read_text()
    assert "one kg too low costs 3 EUR" in page
    assert "kg of &#x27;sales&#x27;" in project.explain().read_text()


def test_other_costs_train_nothing_anew_and_none_give_the_middle_back(project):
    """The golden answers follow, and prove the artifact each time."""
    folder = project.store.run_folder("linear")
    splits, middles = read_splits(project.spec, project.store), []
    written = (folder / "artifact" / "model.safetensors").stat().st_mtime_ns
    for said in (COSTS, "costs: {under: 1, over: 4}\n", ""):
        reached = tune_decision(folder, splits, parse(BASE + UNIT + said), "mae")
        found = predictors.load(folder / "artifact")
        assert predictors.replay(found, folder / "artifact") < 1e-4
        assert (number.COSTS in found.manifest.output.state) == (reached is not None) == bool(said)
        middles.append(number_blend._middles(folder, found.manifest, folder / "artifact"))
    assert np.allclose(middles, middles[-1], rtol=1e-5)
    assert (folder / "artifact" / "model.safetensors").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("name", "example", "unit"),
    [
        ("price", "1.234,56 €", "EUR"),
        ("price", "$1,234.56", "$"),
        ("price", "CHF 1'234.56", "CHF"),
        ("rate", "1234.56 %", ""),
        ("price_eur", "", "EUR"),
        ("价格(元)", "", "CNY"),
        ("面积（㎡）", "", "㎡"),
        ("weight (g)", "", "g"),
        ("load kWh", "", "kWh"),
        ("hours_per_week", "", ""),
        ("size_m", "", ""),
        ("score (max)", "", ""),
        ("try", "", ""),
    ],
)
def test_a_unit_is_read_off_the_form_or_the_name(name, example, unit):
    assert unit_of(name, example)[0] == unit


def test_init_writes_the_unit_and_says_why(tmp_path):
    rows = "".join(f'{size % 30 + 20},"{3 * (size % 30) + size % 7},50 €"\n' for size in range(90))
    write_text(tmp_path / "d.csv", "size,price\n" + rows)
    found, target = write_guess(tmp_path / "d.csv", tmp_path)
    assert found.unit == "EUR"
    assert "unit EUR: values are written with '€'" in target.read_text()
    spec = parse(target.read_text().replace("goal: mae", f"goal: {found.gate}"))
    assert (spec.output, spec.unit, spec.goal) == ({"price": "number"}, "EUR", found.gate.removesuffix(" EUR"))


def test_trees_learn_the_quantile_itself_where_that_costs_less(tmp_path):
    """Each half has a spread of its own: one amount for all leans too far on one, and not far enough on the other."""
    random = np.random.default_rng(2)
    wide = random.integers(0, 2, 900)
    right = 50 + random.exponential(np.where(wide, 40.0, 1.0))
    frame = pl.DataFrame({"size": wide.astype(float), "sales": right})
    spec = parse(BASE + "output: {sales: number}\n")
    splits = Splits(dict(spec.inputs), dict(spec.output), frame[:600], frame[600:], frame[600:], tmp_path)
    options = Options(tmp_path / "trees", "mae", level=0.9)
    fitted = LEARNERS["trees"].fit(splits, options, Budget(20), silent)
    assert predictors.load(fitted.artifact).manifest.settings["objective"] == "quantile"
    narrow, broad = predictors.load(fitted.artifact).values([{"size": 0.0}, {"size": 1.0}])
    assert narrow == pytest.approx(50 + np.log(10), abs=2)
    assert broad == pytest.approx(50 + 40 * np.log(10), abs=25)
