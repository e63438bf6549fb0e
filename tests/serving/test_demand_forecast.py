"""The blueprint demand-forecast: from a new folder to an answer of 28 days, which a promotion raises."""

import csv
import json
import re

import numpy as np
import pytest

import windlass
from windlass.blueprints import catalogue

STORES = ("s01", "s03", "s06")
FIRST, LAST = "2023-07-01", "2024-05-01"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Three stores, ten months, so that it takes seconds; without its goal, which is for all of them (the README
    tells the figures of a whole run)."""
    folder = catalogue.copy("demand-forecast", tmp_path_factory.mktemp("shops") / "my-demand")
    table = folder / "data" / "sales.csv"
    with table.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    kept = [row for row in rows if row[1] in STORES and FIRST <= row[0] < LAST]
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *kept])
    words = (folder / "windlass.yaml").read_text(encoding="utf-8")
    words = re.sub(r"goal: .*", "goal: wql", words) + "learners: [seasonal-naive, lag-trees]\n"
    (folder / "windlass.yaml").write_text(words, encoding="utf-8")
    made = windlass.Project(folder)
    made.run()
    return made


@pytest.fixture(scope="module")
def client(project, server_for, tmp_path_factory):
    project.release()
    with server_for(project.store, tmp_path_factory.mktemp("log")) as client:
        yield client


def sent(promo, price=5.0):
    """Ten weeks of a store that sells 70 a day and 90 on Saturdays, and what is planned for the four ahead."""
    sales = [90 if day % 7 == 5 else 70 for day in range(70)]
    points = [{"date": str(np.datetime64("2024-03-04") + day), "sales": sales[day] if day < 70 else None,
               "promo": promo if day >= 70 else 0, "holiday": "no", "price": price if day >= 70 else 5.0}
              for day in range(98)]  # fmt: skip
    return {"history": json.dumps(points), "city": "Bristol"}


def foreseen(client, row):
    return [step["value"] for step in client.predict({"row": row}).json["answers"][0]["value"]]


def test_a_part_of_the_stores_is_foreseen_better_than_by_the_last_week(project):
    board = project.run()
    losses = {name: board.candidate(name).metrics["wql"].value for name in ("lag-trees", "seasonal-naive")}
    assert losses["lag-trees"] < 0.8 * losses["seasonal-naive"]


def test_each_of_the_28_days_has_its_moment_its_value_and_its_range(client):
    steps = client.predict({"row": sent(0)}).json["answers"][0]["value"]
    assert [step["time"] for step in steps] == [str(np.datetime64("2024-05-13") + day) for day in range(28)]
    assert all(0 <= step["low"] <= step["value"] <= step["high"] for step in steps)
    assert 60 < np.mean([step["value"] for step in steps]) < 90


def test_a_promotion_sells_half_as_much_again_and_a_dearer_day_less(client):
    plain, promoted, dear = (np.array(foreseen(client, row)) for row in (sent(0), sent(1), sent(0, price=5.5)))
    assert (promoted / plain).mean() == pytest.approx(1.5, rel=0.1)
    assert dear.mean() < plain.mean()


def test_the_page_asks_for_a_past_and_a_city(client):
    page = client.ask("GET", "/").content.decode()
    for column in ("history", "city"):
        assert f'"{column}"' in page, column


def test_the_readme_says_how_to_run_and_replace_it_and_what_the_goal_is():
    readme = (catalogue.HOME / "demand-forecast" / "README.md").read_text(encoding="utf-8")
    assert "windlass new demand-forecast " in readme
    assert "## Make it yours" in readme
    assert f"`{windlass.spec.load(catalogue.HOME / 'demand-forecast').goal}`" in readme


def test_a_forecast_is_told_right_and_what_came_true_must_fit_its_steps(client):
    answer = client.predict({"row": sent(0)}).json["answers"][0]
    assert client.feedback({"id": answer["id"], "right": True}).json["right"]
    reply = client.feedback({"id": answer["id"], "correct": [70] * 29})
    assert (reply.status, reply.json["error"]["kind"]) == (422, "data_error")
    assert "told 29 steps, expected at most 28" in reply.json["error"]["message"]
    came = client.feedback({"id": answer["id"], "correct": [{"time": "2024-05-14", "value": 70}]}).json["correct"]
    assert came == [None, 70.0]
