"""From runs to an immutable release: the leaderboard, the gate, parity and rollback."""

import json

import numpy as np
import pytest

from windlass.errors import DataError, GateRefused, NotReady
from windlass.project import Project
from windlass.registry import releases

from .conftest import messages


def project(product, **changes):
    product.csv(messages(150))
    product.spec(**changes)
    return Project(product.folder)


def test_the_leaderboard_scores_what_the_served_artifact_answers(product):
    opened = project(product, goal="macro_f1 >= 0.5")
    board = opened.run()
    release = opened.release()
    rows = opened.store.stage("prepare") / "test.parquet"
    import polars as pl

    test = pl.read_parquet(rows)
    answers = [answer.value for answer in release.predict(test.select("message").to_dicts())]
    accuracy = np.mean([answer == label for answer, label in zip(answers, test["intent"].to_list(), strict=True)])
    assert board.candidate(release.record.candidate).metrics["accuracy"].value == pytest.approx(accuracy)
    assert board.chosen == "linear"


def test_a_goal_that_is_not_met_refuses_the_release_with_numbers(product):
    rows = [(f"words {number * 7919 % 100}", "abc"[number % 3]) for number in range(90)]
    product.csv(rows)
    product.spec(goal="accuracy >= 0.99")
    with pytest.raises(GateRefused, match=r"release refused: accuracy is 0\.\d+ \[.*\], expected at least 0.99"):
        Project(product.folder).release()
    with pytest.raises(NotReady):
        releases.champion_id(product.store)


def test_a_size_limit_refuses_the_release(product):
    with pytest.raises(GateRefused, match=r"expected at most 0.001 MB"):
        project(product, limits={"size_mb": 0.001}).release()


def test_an_artifact_that_answers_otherwise_than_it_was_trained_is_refused(product):
    opened = project(product)
    opened.run()
    golden = opened.store.run_folder("linear") / "artifact" / "golden.json"
    values = json.loads(golden.read_text())
    values["answers"] = np.roll(values["answers"], 1, axis=1).tolist()
    golden.write_text(json.dumps(values))
    with pytest.raises(GateRefused, match="golden rows"):
        opened.release()


def test_the_same_model_is_released_once_and_another_makes_the_first_one_history(product):
    opened = project(product)
    first = opened.release()
    assert opened.release().id == first.id
    second = opened.release("majority", anyway=True)
    assert second.id != first.id
    assert (releases.champion_id(opened.store), releases.history(opened.store)) == (second.id, [first.id])
    assert releases.rollback(opened.store) == first.id
    assert opened.champion.id == first.id
    with pytest.raises(NotReady, match="no older release"):
        releases.rollback(opened.store)


def test_a_release_that_was_changed_on_disk_is_never_opened(product):
    opened = project(product)
    release = opened.release()
    path = release.folder / "model" / "manifest.json"
    path.write_text(path.read_text().replace('"temperature": ', '"temperature": 1'))
    with pytest.raises(DataError, match=r"manifest.json"):
        _ = opened.champion


def test_stages_that_are_up_to_date_are_skipped_and_a_change_runs_what_follows(product):
    opened = project(product)
    told = []
    opened.walk("release", lambda word, skipped: told.append((word, skipped)))
    walked = ["collect", "prepare", "train", "compress", "evaluate", "explain", "release"]
    assert told == [(word, False) for word in walked]
    told.clear()
    opened.walk("release", lambda word, skipped: told.append((word, skipped)))
    assert told == [(word, True) for word in walked]
    told.clear()
    product.spec(goal="accuracy")
    Project(product.folder).walk("evaluate", lambda word, skipped: told.append((word, skipped)))
    assert told[:2] == [("collect", True), ("prepare", True)]
    assert told[2:] == [("train", False), ("compress", False), ("evaluate", False)]


def test_the_report_and_the_cards_stand_alone(product):
    opened = project(product)
    release = opened.release()
    page = opened.report.read_text(encoding="utf-8")
    assert "linear" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "# desk" in (release.folder / "card.md").read_text(encoding="utf-8")
    assert "## 模型详情" in (release.folder / "card.zh.md").read_text(encoding="utf-8")


def test_what_beats_no_baseline_is_refused_in_words_unless_the_user_insists(product):
    """Labels by lot: nothing can be learnt. The words say by how much, the trail and both cards who insisted."""
    random = np.random.default_rng(1)
    texts, labels = [text for text, _ in messages(150)], random.choice(["a", "b"], 150, p=[0.8, 0.2])
    product.csv([(text, str(label)) for text, label in zip(texts, labels, strict=True)])
    product.spec(learners=["majority"], goal="accuracy")
    opened = Project(product.folder)
    with pytest.raises(GateRefused, match=r"no better than 0.* of always answering 'a', expected more") as caught:
        opened.release()
    assert "windlass release --anyway" in caught.value.hint
    assert not releases.listing(opened.store)
    made = opened.release(anyway=True)
    entry = releases.told(opened.store)[-1]
    assert entry["command"] == "windlass release --anyway"
    assert "no better than" in entry["reason"]
    assert made.record.insisted == [entry["evidence"]["insisted"]]
    for name, words in (("card.md", "Released at the user's insistence"), ("card.zh.md", "应用户坚持而发布")):
        assert words in (made.folder / name).read_text(encoding="utf-8")


def test_a_product_that_learnt_something_needs_no_insistence(product):
    """The control of the test above."""
    opened = project(product)
    made = opened.release()
    assert made.record.insisted == []
    assert releases.told(opened.store)[-1]["command"] == "windlass release"
