"""The blueprint tutor on a tenth of its log: released, asked by row, and by `windlass tutor` of one and of all."""

import json

import pytest
from typer.testing import CliRunner

from windlass.blueprints import catalogue
from windlass.cli import app
from windlass.learners.recommend.tracing import growth
from windlass.project import Project

N_LEARNERS, N_TRIES = 14, 40


@pytest.fixture(scope="module")
def tutored(tmp_path_factory):
    folder = catalogue.copy("tutor", tmp_path_factory.mktemp("tutor") / "mine")
    log = folder / "data" / "attempts.csv"
    head, *rows = log.read_text(encoding="utf-8").splitlines()
    by_learner = {}
    for row in rows:
        by_learner.setdefault(row.partition(",")[0], []).append(row)
    kept = [row for each in list(by_learner.values())[:N_LEARNERS] for row in each[:N_TRIES]]
    log.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growth, "SWEEPS", 1)
        patch.setattr(growth, "EVALUATIONS", 9)
        project = Project(folder)
        project.run()
        release = project.release(anyway=True)
        if release.predictor.manifest.learner != "growth":
            text = (folder / "windlass.yaml").read_text(encoding="utf-8")
            (folder / "windlass.yaml").write_text(text.replace("[exercise-share, growth]", "[growth]"), "utf-8")
            project = Project(folder)
            project.run()
            project.release(anyway=True)
    return folder


def asked(*words):
    result = CliRunner().invoke(app, ["tutor", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_learner_is_told_what_is_known_and_what_comes_next(tutored):
    found = json.loads(asked("n003", "--project", str(tutored), "--json"))["learners"][0]
    assert found["tried"] == N_TRIES
    assert len(found["skills"]) == 12
    assert all(0 <= each["low"] <= each["share"] <= each["high"] <= 1 for each in found["skills"])
    assert len(found["suggestions"]) == 3
    assert found["suggestions"][0]["hint"]["zh"]


def test_the_class_has_pages_and_a_replay_claims_no_cause(tutored, tmp_path):
    said = asked("--project", str(tutored), "--replay", "--out", str(tmp_path))
    assert "no causal claim" in said
    assert len(list(tmp_path.glob("learner-*.html"))) == N_LEARNERS
    assert "不作因果断言" in (tmp_path / "class.html").read_text(encoding="utf-8")


def test_an_unknown_learner_is_told_with_the_nearest_name(tutored):
    result = CliRunner().invoke(app, ["tutor", "n03", "--project", str(tutored)])
    assert result.exit_code != 0
    assert "learner is 'n03'" in str(result.exception)


def test_the_release_answers_a_row_of_a_stranger(tutored):
    row = {
        "history": [{"exercise": "addition-1", "right": "yes", "time": "2026-03-01T16:00"}],
        "exercise": "addition-2",
    }
    answer = Project(tutored).champion.predict([row])[0]
    assert answer.value in ("yes", "no")
