"""The blueprints whose truth is known: what oracle and naive model reach, fixed before any learner was tried."""

import csv
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import nbinom

from windlass.blueprints import catalogue

TOOLS = Path(__file__).resolve().parent.parent / "tools"


def tool(name):
    sys.path.insert(0, str(TOOLS))
    try:
        return importlib.import_module(f"make_{name}")
    finally:
        sys.path.remove(str(TOOLS))


demand, machines, prices = tool("demand_forecast"), tool("machine_health"), tool("price_estimate")


def readme(name):
    return (catalogue.HOME / name / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("of", [demand, machines], ids=["demand", "machines"])
def test_the_data_is_what_its_tool_writes_and_small(of, tmp_path):
    there = of.TARGET
    of.main(tmp_path / there.name)
    for path in [there] if there.is_file() else sorted(there.iterdir()):
        made = tmp_path / there.name if there.is_file() else tmp_path / there.name / path.name
        assert made.read_bytes() == path.read_bytes(), f"{path.name} is older than its tool: run tools/make_*.py"
        assert path.stat().st_size <= 480_000


# demand-forecast ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sold():
    return demand.world()


def test_the_naive_forecast_has_at_most_sixty_percent_of_the_oracles_gain(sold):
    found = demand.scores(sold)
    assert found["oracle"] == pytest.approx(0.1771, abs=5e-5)
    assert found["seasonal_naive"] == pytest.approx(0.3193, abs=5e-5)
    assert found["store_constant"] == pytest.approx(0.2872, abs=5e-5)
    assert found["constant"] == pytest.approx(0.3688, abs=5e-5)
    assert 0 < found["naive_share_of_gain"] <= 0.6
    for name in ("oracle", "seasonal_naive", "store_constant", "constant"):
        assert f"| {found[name]:.3f} |" in readme("demand-forecast")


def test_the_true_quantiles_are_those_of_the_negative_binomial(sold):
    means = sold.mean[::101]
    size = demand.DISPERSION
    wanted = nbinom.ppf(demand.LEVELS, size, (size / (size + means))[:, None])
    assert (demand.true_quantiles(means) == wanted).all()


def test_demand_falls_below_the_true_quantiles_as_often_as_they_say():
    sold = demand.world(seed=14)
    shares = (sold.demand[::5, None] <= demand.true_quantiles(sold.mean[::5])).mean(axis=0)
    assert np.abs(shares - demand.LEVELS).max() < 0.03


def test_the_weighted_quantile_loss_is_that_of_a_hand_calculation():
    """.1 * 2 + .9 * 1 = 1.1 at the level .1, .9 * 2 + .1 * 1 = 1.9 at .9, of 10 + 5: 2 * 1.5 / 15."""
    quantiles = np.array([[8, 8], [6, 6]])
    assert demand.wql(np.array([10, 5]), quantiles, np.array([0.1, 0.9])) == pytest.approx(0.2)


def test_a_promotion_multiplies_the_mean_by_what_is_told(sold):
    """The same store with one every day and with none, and no other difference."""
    columns = {"holiday": demand.holidays("London"), "price": np.full(demand.N_DAYS, 5.0)}
    means = [
        demand.store_means("s02", {**columns, "promo": np.full(demand.N_DAYS, promo)}, np.random.default_rng(1))
        for promo in (0, 1)
    ]
    assert means[1] / means[0] == pytest.approx(np.full(demand.N_DAYS, demand.PROMO_EFFECT))
    assert 0.1 < sold.promo.mean() < 0.25


def test_sales_are_demand_but_where_the_shelf_was_empty(sold):
    out = sold.stock_out == 1
    assert (sold.sales[~out] == sold.demand[~out]).all()
    assert (sold.sales[out] < sold.demand[out]).mean() > 0.9
    assert f"{out.mean():.1%}".replace("%", " %") in readme("demand-forecast")
    assert not out[sold.is_scored].any()


def test_one_store_is_new_one_has_a_shift_and_holidays_are_those_of_the_country(sold):
    days = {name: int((sold.store == name).sum()) for name in demand.CITIES}
    assert days.pop("s12") == 150
    assert set(days.values()) == {912}
    assert str(demand.FIRST_DAY + demand.timedelta(days=demand.SHIFT_DAY)) in readme("demand-forecast")
    assert demand.holidays("上海")[(demand.date(2024, 2, 10) - demand.FIRST_DAY).days] == "spring festival"
    assert demand.holidays("London")[(demand.date(2024, 3, 29) - demand.FIRST_DAY).days] == "easter"
    assert set(sold.holiday) == set(demand.HOLIDAY_EFFECTS)


# machine-health -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plant():
    return machines.world()


def test_the_naive_threshold_has_at_most_sixty_percent_of_the_oracles_gain(plant):
    found = machines.scores(plant)
    assert found["anomaly"] == {"oracle": 1, "informed": 1, "three_sigma": pytest.approx(11 / 39), "never": 0}
    assert found["cause"] == pytest.approx({"oracle": 1, "three_sigma": 0.2536, "never": 0.2}, abs=5e-5)
    assert found["fails_soon"] == pytest.approx({"oracle": 0.8086, "three_sigma": 0.5714, "never": 0.5}, abs=5e-5)
    assert max(found["naive_share_of_gain"].values()) <= 0.6
    for task in ("cause", "fails_soon"):
        assert found["naive_share_of_gain"][task] > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_goal_can_be_met_by_who_knows_no_onset(seed):
    """At least 90 % of the faults within a day at one false alarm a month at most, on worlds that nobody tuned on."""
    plant = machines.world(seed, n_weeks=26)
    found = machines.alarm_score(plant, machines.informed(plant))
    assert found["found_within_a_day"] >= 0.95
    assert found["false_alarms_a_month"] <= 0.2


def test_alarms_are_counted_as_by_hand(plant):
    """One alarm in the first day of one fault, one too late for another, two that are false and one within a day of
    the second."""
    first, second = plant.faults[:2]
    is_alarm = machines.never(plant)
    is_alarm[first.machine, first.onset + 11] = True
    is_alarm[second.machine, second.onset + 12] = True
    for place in (machines.QUIET_DAYS * 12, second.failure + 13, second.failure + 20):
        is_alarm[first.machine, place] = True
    is_alarm[first.machine, 5] = True  # in the quiet weeks
    found = machines.alarm_score(plant, is_alarm)
    assert found["found_within_a_day"] == 1 / len(plant.faults)
    judged = plant.load.size - 8 * 21 * 12 - sum(fault.failure + 12 - fault.onset for fault in plant.faults)
    assert found["false_alarms_a_month"] == pytest.approx(2 / (judged / 12 / 30.4), rel=0.02)


def test_every_machine_is_sound_for_three_weeks_and_every_cause_is_there(plant):
    assert min(fault.onset for fault in plant.faults) >= 21 * 12
    causes = [fault.cause for fault in plant.faults]
    assert min(causes.count(cause) for cause in machines.CAUSES) >= 8
    assert len(causes) == 39
    assert "39 faults" in readme("machine-health")
    assert {fault.machine for fault in plant.faults} == set(range(8))


def test_hours_to_failure_run_down_to_the_failure(plant):
    first = plant.faults[0]
    assert plant.hours_to_failure[first.machine, first.failure - 1] == 2
    assert plant.hours_to_failure[first.machine, 0] == 2 * first.failure
    assert plant.fails_soon[first.machine, first.failure - 84]
    assert not plant.fails_soon[first.machine, first.failure - 85]


def test_a_window_is_the_day_before_and_none_sees_the_fault_before_a_repair(plant):
    seen = machines.windows(plant)
    assert seen.readings.shape == (len(seen.last), 12, 3)
    place = 100
    machine, last = seen.machine[place], seen.last[place]
    assert (seen.readings[place, :, 1] == plant.temperature[machine, last - 11 : last + 1]).all()
    for fault in plant.faults:
        of_machine = seen.last[seen.machine == fault.machine]
        assert not ((of_machine >= fault.failure) & (of_machine < fault.failure + 12)).any()


def test_much_of_what_fails_within_a_week_shows_nothing_yet(plant):
    seen = machines.windows(plant)
    share = (seen.cause[seen.fails_soon] == "none").mean()
    assert f"Of what fails within a week, {share:.0%} shows nothing yet".replace("%", " %") in readme("machine-health")


def test_the_files_hold_no_truth_that_a_user_would_not_have():
    for name in ("readings", "faults"):
        with (machines.TARGET / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert not [column for column in next(csv.reader(file)) if "healthy" in column or "mean" in column]


# price-estimate -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop():
    return prices.world()


def test_the_naive_estimates_have_at_most_sixty_percent_of_the_oracles_gain(shop):
    found = prices.scores(shop)
    wanted = {"oracle": 5.26, "item_median": 32.23, "numbers_alone": 25.71, "constant": 35.57}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=5e-3)
    assert 0 < found["item_median_share_of_gain"] < found["numbers_alone_share_of_gain"] <= 0.6
    for name in (*wanted, *(f"without_{source}" for source in prices.SOURCES)):
        assert f"| {found[name]:.1f} |" in readme("price-estimate")


def test_each_source_carries_what_no_other_tells(shop):
    """The oracle that is blind for one of them errs at least twice as much."""
    found = prices.scores(shop)
    assert min(found[f"without_{source}"] for source in prices.SOURCES) > 2 * found["oracle"]


def test_what_is_paid_is_the_fair_price_and_ten_percent_of_noise():
    shop = prices.world(seed=14, n=3000)
    noise = np.log(shop.price / shop.fair_price)
    assert abs(noise.mean()) < 0.01
    assert noise.std() == pytest.approx(prices.NOISE, abs=0.01)


def test_the_offers_and_their_photos_are_what_the_tool_writes_and_small(shop, tmp_path):
    """Pixels, not bytes: how a picture is packed is the affair of the libraries of the day."""
    prices.main(tmp_path / "data")
    assert (tmp_path / "data" / "offers.csv").read_bytes() == (prices.TARGET / "offers.csv").read_bytes()
    files = sorted((prices.TARGET / "photos").iterdir())
    assert len(files) == len(shop.price)
    for path, pixels in list(zip(files, shop.photos, strict=True))[::40]:
        with Image.open(path) as picture:
            assert (np.asarray(picture.convert("RGB")) == pixels).all()
    assert sum(path.stat().st_size for path in prices.TARGET.rglob("*") if path.is_file()) <= 400_000


def test_the_photo_shows_width_finish_and_wear():
    rng = [np.random.default_rng(1) for _ in range(4)]
    usual = prices.photograph("table", 130, "oak", 0.0, rng[0])
    assert (prices.photograph("table", 180, "oak", 0.0, rng[1]) != usual).any()
    assert (prices.photograph("table", 130, "walnut", 0.0, rng[2]) != usual).any()
    worn = prices.photograph("table", 130, "oak", 1.0, rng[3])
    reds = [((picture[..., 0] > 140) & (picture[..., 1] < 80)).sum() for picture in (usual, worn)]
    assert reds[0] == 0
    assert reds[1] > 15


def test_four_offers_in_ten_are_chinese_throughout(shop):
    is_chinese = np.array([any("\u4e00" <= letter <= "\u9fff" for letter in title) for title in shop.columns["title"]])
    assert is_chinese.mean() == pytest.approx(prices.CHINESE_SHARE, abs=0.05)
    for text in shop.columns["description"][is_chinese]:
        assert not any("a" <= letter <= "z" for letter in text.lower())
