"""Projects that an older Windlass left (tests/old_projects) open, answer as they did, take feedback and improve."""

import zipfile
from pathlib import Path

import pytest
from own_process import serving

from windlass.predictors.artifact import read_golden
from windlass.predictors.table import load, replay
from windlass.project import Project

PLACE = Path(__file__).parent.parent / "old_projects"
ASKED = {
    "labels": ({"message": "refund please today 7", "amount": 90}, "refund"),
    "texts": ({"question": "refund please today 7"}, "You will get your money back."),
}


@pytest.fixture(params=ASKED)
def old(request, tmp_path):
    with zipfile.ZipFile(PLACE / f"{request.param}.zip") as file:
        file.extractall(tmp_path)
    return Project(tmp_path / request.param), *ASKED[request.param]


def test_its_champion_gives_the_answers_that_it_gave(old):
    project, row, right = old
    champion = project.champion
    assert champion.predict([row])[0].value == right
    model = next(project.store.stage("release").glob("*/model"))
    assert len(read_golden(model)[0]) >= 4
    assert replay(load(model), model) < 1e-5
    assert project.board.candidate(project.board.chosen).meets_goal


def test_it_is_served_learns_from_old_and_new_feedback_and_is_planned(old):
    project, row, right = old
    with serving(project.store, project.spec) as served:
        answer = served.client.predict({"rows": [row]}).json["answers"][0]
        assert answer["value"] == right
        kept = served.client.feedback({"id": answer["id"], "correct": right})
        assert (kept.status, kept.json["right"]) == (200, True)
    attempt = project.improve()
    assert attempt.verdict in ("refused", "promoted", "waiting")
    assert attempt.rows["given"] == 31  # thirty of then, one of now
    assert project.watch().product == project.spec.name
    assert project.plan().product == project.spec.name
