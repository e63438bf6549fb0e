"""An output that the package does not know walks the whole life, from the first file to the plan."""

import json
import time

import numpy as np
import pytest

import windlass
from windlass.database.location import log_path
from windlass.database.request_log import answer_rows
from windlass.errors import GateRefused
from windlass.outputs.checks import check_output
from windlass.sources.guess import write_guess
from windlass.sources.outgoing import as_csv
from windlass.sources.prepared import read_splits
from windlass.store.files import write_text

from ..test_lifecycle import ask, running
from .colour import COLOURS, OUTPUT, installed, rows_of

PINK = {**COLOURS, "pink": (250, 150, 190), "brown": (110, 70, 30)}


@pytest.fixture(scope="module", autouse=True)
def tables():
    with installed():
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paint")
    rows = [{"thing": thing, "paint": colour} for thing, colour in rows_of(400)]
    write_text(folder / "paints.csv", as_csv(["thing", "paint"], rows))
    guessed, target = write_guess(folder / "paints.csv", folder, "paint")
    assert (guessed.inputs, guessed.output_kind) == ({"thing": "text"}, "colour")
    said = "minutes: 1\nkeep_inputs: true\nimprove: {rows: 20}\nwatch: {window: 1h, rows: 50}\n"
    write_text(target, target.read_text().replace("minutes: 10\n", said))
    made = windlass.Project(folder)
    made.run()
    return made


def test_it_is_learned_measured_and_reported(project):
    """A named colour is at most 12 off in each number: .95 of 1 and more is close; the mean colour is not."""
    board = project.board
    assert board.headline == "closeness"
    assert board.candidate("words").metrics["closeness"].low > 0.95
    assert board.candidate("words").worthless == ""
    page = project.report.read_text()
    assert "The furthest colours" in page
    assert "Look at the furthest colours" in page
    assert "levels of brightness" in project.explain().read_text()


def test_it_is_released_served_corrected_watched_and_improved(project):
    """The whole loop over HTTP: colours that training did not know are corrected by two callers, and learned."""
    release = project.release()
    row = {"thing": "a red coat"}
    wanted = release.predict([row])[0].value
    assert all(abs(one - other) < 12 for one, other in zip(wanted, COLOURS["red"], strict=True))
    assert "a red coat" not in json.dumps(release.explain([row])[0].as_json()["label"])
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": row})["answers"][0]
        assert answer["value"] == wanted
        right = ask(url, "/v1/feedback", {"id": answer["id"], "correct": [wanted[0] + 2, *wanted[1:]]})
        assert (right["right"], right["correct"]) == (True, [wanted[0] + 2, *wanted[1:]])
        wrong = ask(url, "/v1/feedback", {"id": answer["id"], "correct": "#0000ff"})
        assert (wrong["right"], wrong["correct"], wrong["teaches"]) == (False, [0, 0, 255], True)
        for thing, colour in rows_of(160, 9, {name: PINK[name] for name in ("pink", "brown")}):
            told = ask(url, "/v1/predict", {"row": {"thing": thing}})["answers"][0]
            ask(url, "/v1/feedback", {"id": told["id"], "correct": colour})
    health = project.watch(now=time.time() + 7_200)
    assert (health.answers, health.feedback) == (161, 161), "of two words on the first answer the last counts"
    made = project.improve()
    assert made.verdict == "promoted", made.why
    pink = project.champion.predict([{"thing": "a pink coat"}])[0].value
    assert all(abs(one - other) < 15 for one, other in zip(pink, PINK["pink"], strict=True))


def test_the_plan_says_what_it_does_not_tell_of_such_answers(project):
    roadmap = project.plan()
    assert any("answers are colours here" in each["command"] for each in roadmap.missing)


def test_its_log_keeps_json_and_its_page_and_description_know_the_schema(project):
    values = [row["value"] for row in answer_rows(log_path(project.store))]
    assert values
    assert all(len(json.loads(value)) == 3 for value in values)


def test_the_checks_hold(project):
    check_output(OUTPUT, project.spec, read_splits(project.spec, project.store), project.champion.predictor)


def test_a_release_that_is_no_better_than_the_mean_is_refused(tmp_path):
    """Control: colours that nothing tells."""
    random = np.random.default_rng(1)
    paints = random.integers(0, 256, (200, 3)).astype(np.uint8)
    rows = [{"thing": f"some thing of number {n}", "paint": "#" + bytes(paint.tolist()).hex()}
            for n, paint in enumerate(paints)]  # fmt: skip
    write_text(tmp_path / "paints.csv", as_csv(["thing", "paint"], rows))
    write_guess(tmp_path / "paints.csv", tmp_path, "paint")
    project = windlass.Project(tmp_path)
    project.run()
    with pytest.raises(GateRefused, match="always answering the mean colour"):
        project.release()
