"""Numbers walk the whole life: from a file with prices to a champion that learned from corrections."""

import json
import time
import urllib.error

import numpy as np
import pytest

import windlass
from windlass.errors import DataError, GateRefused
from windlass.outputs.checks import check_output
from windlass.outputs.numbers.output import OUTPUT
from windlass.sources.guess import write_guess
from windlass.sources.outgoing import as_csv
from windlass.sources.prepared import read_splits
from windlass.store.files import write_text

from ...test_lifecycle import ask, running

NAMES = ("面积", "城区", "价格")
"""Size, district and price: what is named in Chinese is read as any other name is."""


def rows_of(n_rows: int, seed: int, factor: float = 3.0) -> list[dict]:
    """The price grows with the size, and is 150 higher in Chaoyang; noise of 12."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(n_rows):
        size, place = round(float(random.uniform(20, 200)), 1), str(random.choice(["朝阳", "海淀"]))
        price = factor * size + 150 * (place == "朝阳") + float(random.normal(0, 12))
        made.append(dict(zip(NAMES, (size, place, round(price, 1)), strict=True)))
    return made


def begun(folder, rows: list[dict], learners: str = "[median, linear]"):
    write_text(folder / "houses.csv", as_csv(list(NAMES), rows))
    found, target = write_guess(folder / "houses.csv", folder)
    assert (found.output, found.output_kind, found.goal) == ("价格", "number", "mae")
    said = f"minutes: 1\nlearners: {learners}\nkeep_inputs: true\nimprove: {{rows: 20}}\n"
    said += "watch: {window: 1h, rows: 50}\n"
    write_text(target, target.read_text().replace("minutes: 10\n", said))
    return windlass.Project(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Of small houses alone: what large ones cost is learned in use."""
    rows = [row for row in rows_of(500, 1) if row["面积"] < 120 or row["城区"] == "朝阳"]
    made = begun(tmp_path_factory.mktemp("houses"), rows)
    made.run()
    return made


def test_it_is_measured_in_the_unit_of_the_answer(project):
    """Noise of 12 leaves a mean error of 12 * sqrt(2 / pi) = 9.6; the goal is told as it is, and the report drawn."""
    board = project.board
    assert board.chosen == "linear"
    assert 8 < board.candidate("linear").metrics["mae"].value < 14
    assert 0.8 < board.candidate("linear").metrics["coverage_90"].value <= 1
    assert board.candidate("median").worthless or board.candidate("median").metrics["mae"].value > 100
    page = project.report.read_text()
    assert "Answers against right numbers" in page
    assert "Largest errors" in page
    assert "amounts of" in project.explain().read_text()


def test_it_is_served_corrected_watched_and_improved(project):
    """Prices are 5 % higher in use than in the data: what callers say is learned, and the champion follows."""
    release = project.release()
    row = {"面积": 100, "城区": "海淀"}
    wanted = release.predict([row])[0]
    assert wanted.value == pytest.approx(300, abs=15)
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": row})["answers"][0]
        assert answer["value"] == wanted.value
        assert answer["interval"]["low"] < answer["value"] < answer["interval"]["high"]
        near = ask(url, "/v1/feedback", {"id": answer["id"], "correct": answer["value"] + 1})
        assert (near["right"], near["teaches"]) == (True, True)
        far = ask(url, "/v1/feedback", {"id": answer["id"], "correct": str(answer["interval"]["high"] + 50)})
        assert far["right"] is False
        for told in rows_of(160, 9, 3.15):
            asked = {name: told[name] for name in NAMES[:2]}
            given = ask(url, "/v1/predict", {"row": asked})["answers"][0]
            ask(url, "/v1/feedback", {"id": given["id"], "correct": told["价格"]})
    health = project.watch(now=time.time() + 7_200)
    assert (health.answers, health.feedback) == (161, 161)
    assert 0.5 < health.measured.value < 0.9
    made = project.improve()
    assert made.verdict == "promoted", made.why
    assert made.rows["learned"] > 100
    assert "better on" in made.why
    assert "mean absolute error" in made.why
    assert project.champion.predict([row])[0].value > wanted.value


def test_feedback_against_all_that_is_known_is_set_aside(project):
    """Prices ten times as high: no honest caller says so of nearly all rows."""
    with running(project) as url:
        for told in rows_of(60, 11):
            given = ask(url, "/v1/predict", {"row": {name: told[name] for name in NAMES[:2]}})["answers"][0]
            ask(url, "/v1/feedback", {"id": given["id"], "correct": 10 * told["价格"]})
    made = project.improve()
    assert made.rows["learned"] == 0
    assert any("contradicts what the champion answers" in reason for reason in made.rows["set aside"])


def test_the_checks_hold_and_the_plan_is_made(project):
    check_output(OUTPUT, project.spec, read_splits(project.spec, project.store), project.champion.predictor)
    assert project.plan().items


def refused(url, path, body):
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(url, path, body)
    return caught.value.code, json.loads(caught.value.read())["error"]


def test_numbers_of_several_forms_mean_the_same_in_files_rows_and_feedback(tmp_path):
    """Prices are a tenth of the distance; thousands are parted by a comma, by a space, or not at all."""
    forms = ["€{:,}", "{:_}", "{}"]
    rows = [
        f"{forms[n % 3].format(10 * (500 + 37 * n % 1500))};{forms[n % 3].format(500 + 37 * n % 1500)}"
        for n in range(300)
    ]
    write_text(tmp_path / "a.csv", "\n".join(["km;price", *rows]).replace("_", " "))
    _, target = write_guess(tmp_path / "a.csv", tmp_path)
    write_text(
        target,
        target.read_text().replace("minutes: 10\n", "minutes: 1\nlearners: [median, linear]\nkeep_inputs: true\n"),
    )
    project = windlass.Project(tmp_path)
    project.run()
    assert project.spec.formats == {"km": "€1,234.56", "price": "€1,234.56"}
    release = project.release()
    with pytest.raises(DataError, match="number is True, expected one that is written like"):
        release.predict([{"km": True}])
    with running(project) as url:
        said = [ask(url, "/v1/predict", {"row": {"km": km}})["answers"][0] for km in ("€12,000", "12 000", 12_000)]
        assert len({each["value"] for each in said}) == 1
        assert said[0]["value"] == pytest.approx(1_200, rel=0.05)
        assert "evidence" not in said[0]
        far = ask(url, "/v1/predict", {"row": {"km": 1e12}})["answers"][0]
        assert far["evidence"][0].startswith("'km' is 1,000,000,000,000, above all that training knew (5,")
        for correct in ("€1,205", "1 205", 1_205):
            assert ask(url, "/v1/feedback", {"id": said[0]["id"], "correct": correct})["correct"] == 1_205
        for path, body in (("predict", {"row": {"km": True}}), ("feedback", {"id": said[0]["id"], "correct": True})):
            code, error = refused(url, f"/v1/{path}", body)
            assert code == 422
            assert "number is True" in error["message"]
            assert "send 1 or 0" in error["hint"]


def test_a_release_that_is_no_better_than_the_median_is_refused(tmp_path):
    """Of prices with a long tail the mean is farther off than the median."""
    random = np.random.default_rng(1)
    rows = [{**row, "价格": round(float(random.lognormal(5, 1.5)), 1)} for row in rows_of(200, 1)]
    project = begun(tmp_path, rows, "[mean]")
    project.run()
    with pytest.raises(GateRefused, match=r"always answering [0-9.]+, the median of the training rows"):
        project.release()
