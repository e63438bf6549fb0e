"""Forecasts walk the whole life: from a long table of sales to a champion that learned from what came true."""

import json
import time

import numpy as np
import pytest

import windlass
from windlass.errors import GateRefused, SpecError
from windlass.outputs.checks import check_output
from windlass.outputs.forecasts.output import OUTPUT
from windlass.sources.outgoing import as_csv
from windlass.sources.prepared import read_splits
from windlass.store.files import write_text

from ...test_lifecycle import ask, running

HORIZON, WEEK = 7, (1.0, 0.8, 0.9, 1.0, 1.3, 1.6, 1.4)
FIRST = np.datetime64("2025-01-06")


def sales(place: int, n_days: int, seed: int, factor: float = 1.0) -> list[dict]:
    """A week of its own shape, a level of its store, noise of 2."""
    random = np.random.default_rng(seed)
    level = (40 + 15 * place) * factor
    return [
        {"date": str(FIRST + day), "店": f"s{place}", "city": ("Kiel", "北京")[place % 2],
         "sales": round(level * WEEK[day % 7] + float(random.normal(0, 2)), 1)}
        for day in range(n_days)
    ]  # fmt: skip


SPEC = """name: sales
data: sales.csv
inputs: {history: series, city: category}
output: {sales: forecast}
group: 店
series: {time: date, horizon: 7}
minutes: 1
learners: [naive, seasonal-naive, nlinear]
keep_inputs: true
improve: {rows: 20}
watch: {window: 1h, rows: 50}
"""


def begun(folder, rows: list[dict], spec: str = SPEC):
    write_text(folder / "sales.csv", as_csv(list(rows[0]), rows))
    write_text(folder / "windlass.yaml", spec)
    return windlass.Project(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = begun(tmp_path_factory.mktemp("sales"), [row for place in range(3) for row in sales(place, 210, place)])
    made.run()
    return made


def test_it_is_measured_against_the_last_season(project):
    """Noise of 2 leaves a mean error of 2 * sqrt(2 / pi) = 1.6; the last season has its noise too: 1.6 * sqrt(2)."""
    board = project.board
    assert (board.headline, board.chosen) == ("mase", "nlinear")
    best = board.candidate("nlinear").metrics
    assert 1.5 < best["mae"].value < 2.1
    assert 0.65 < best["mase"].value < 0.9
    assert 0.8 < best["coverage_90"].value <= 1
    assert board.candidate("seasonal-naive").metrics["mae"].value == pytest.approx(2.26, abs=0.3)
    assert board.candidate("naive").metrics["mase"].value > 3
    page = project.report.read_text()
    assert "Forecasts beside what came true" in page
    assert "Errors by step" in page
    assert "came true, mean" in page
    assert "the course of the last" in project.explain().read_text()


def questions(place: int, n_days: int, seed: int, factor: float = 1.0) -> tuple[dict, list[float]]:
    """What a client sends, with what came true."""
    rows = sales(place, n_days + HORIZON, seed, factor)
    points = [{"date": row["date"], "sales": row["sales"]} for row in rows]
    return {"history": points[:n_days], "city": rows[0]["city"]}, [row["sales"] for row in rows[n_days:]]


def test_it_is_served_told_what_came_true_watched_and_improved(project):
    """The whole loop over HTTP."""
    release = project.release()
    row, truth = questions(1, 100, 7)
    wanted = release.predict([row])[0]
    assert [step["time"] for step in wanted.value] == [str(FIRST + 100 + step) for step in range(HORIZON)]
    assert [step["value"] for step in wanted.value] == pytest.approx(truth, abs=7)
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": row})["answers"][0]
        assert answer["value"] == wanted.value
        assert all(
            step["low"] < step["value"] < step["high"] and len(step["quantiles"]) == 9 for step in answer["value"]
        )
        near = ask(url, "/v1/feedback", {"id": answer["id"], "correct": truth})
        assert (near["right"], near["teaches"]) == (True, True)
        far = ask(url, "/v1/feedback", {"id": answer["id"], "correct": [0, 0, None]})
        assert (far["right"], far["correct"]) == (False, [0, 0, None])
        for number in range(120):
            row, truth = questions(number % 3, 60 + number, number)
            given = ask(url, "/v1/predict", {"row": row})["answers"][0]
            ask(url, "/v1/feedback", {"id": given["id"], "correct": truth})
    health = project.watch(now=time.time() + 7_200)
    assert (health.answers, health.feedback) == (121, 121)
    assert 0.6 < health.measured.value <= 1
    made = project.improve()
    assert made.rows["learned"] > 50, made.why


def test_the_checks_hold_and_the_plan_is_made(project):
    check_output(OUTPUT, project.spec, read_splits(project.spec, project.store), project.champion.predictor)
    assert project.plan().items


def test_a_forecast_without_a_horizon_is_refused_with_how_to_say_it(tmp_path):
    project = begun(tmp_path, sales(0, 50, 1), SPEC.replace("series: {time: date, horizon: 7}\n", ""))
    with pytest.raises(SpecError, match="'series' has no horizon"):
        project.run()


def test_a_release_that_is_no_better_than_the_last_season_is_refused(tmp_path):
    """Control: a walk at random, of which nothing but the last value tells anything, and the season less."""
    random = np.random.default_rng(1)
    rows = [{**row, "sales": round(float(random.normal(50, 9)), 2)} for row in sales(0, 200, 1)]
    project = begun(tmp_path, rows, SPEC.replace("[naive, seasonal-naive, nlinear]", "[naive]"))
    project.run()
    with pytest.raises(GateRefused, match="repeating the last season"):
        project.release()


def test_its_log_keeps_json(project):
    from windlass.database.location import log_path
    from windlass.database.request_log import answer_rows

    values = [json.loads(row["value"]) for row in answer_rows(log_path(project.store))]
    assert values
    assert all(len(value) == HORIZON for value in values)
