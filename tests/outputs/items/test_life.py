"""Recommendations walk the whole life: from a log of events to a champion that learned from what came of its lists."""

import json
import time
from urllib.error import HTTPError

import pytest

from windlass.kinds import table as kinds
from windlass.outputs.checks import check_output
from windlass.outputs.items.output import OUTPUT
from windlass.sources.prepared import read_splits

from ...test_lifecycle import ask, running
from .shop import begun, events


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = begun(tmp_path_factory.mktemp("shop"))
    made.run()
    return made


def test_it_is_measured_by_time_beside_what_is_popular(project):
    board = project.board
    assert (board.headline, board.chosen) == ("ndcg_at_10", "recent-popularity")
    assert board.candidate("recent-popularity").metrics["ndcg_at_10"].value > board.candidate("popularity").metrics[
        "ndcg_at_10"].value  # fmt: skip
    assert "split: by time" in board.warnings[0]
    assert "candidates: all 31 items" in board.warnings[0]
    page = project.report.read_text()
    for words in ("What was measured, and how", "For whom", "How much of the shop is shown"):
        assert words in page


def test_it_is_served_told_what_came_of_it_watched_improved_and_planned(project):
    """The whole loop over HTTP."""
    release = project.release()
    seen = [f"i{number}" for number in range(15, 20)]
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": {"history": seen}})["answers"][0]
        items = [each["item"] for each in answer["value"]]
        assert items == [each["item"] for each in release.predict([{"history": seen}])[0].value]
        assert len(items) == 10
        assert not {*items} & {*seen, "i28", "i29"}
        assert answer["value"][0]["reason"].endswith("people had it")
        assert answer["value"][0]["title"][:3] in ("Tea", "茶 2", "茶 1")
        bought = ask(url, "/v1/feedback", {"id": answer["id"], "correct": {"item": items[0], "event": "buy"}})
        assert (bought["right"], bought["teaches"]) == (True, True)
        shed = ask(url, "/v1/feedback", {"id": answer["id"], "correct": {"item": items[1], "event": "not_interested"}})
        assert (shed["right"], shed["teaches"]) == (False, True)
        with pytest.raises(HTTPError) as refused:
            ask(url, "/v1/feedback", {"id": answer["id"], "correct": {"item": "i3", "event": "steal"}})
        assert "event is 'steal', expected" in json.loads(refused.value.read())["error"]["message"]
        nobody = ask(url, "/v1/predict", {"row": {"history": {"user": "nobody", "events": ["x1"], "k": 3}}})["answers"][
            0
        ]
        assert len(nobody["value"]) == 3
        assert nobody["evidence"][:2] == ["user 'nobody' is not known", "not known, and without effect: 'x1'"]
        for number in range(24):
            asked = {"history": {"user": f"u{number}", "events": [f"i{15 + number % 15}"]}}
            given = ask(url, "/v1/predict", {"row": asked})["answers"][0]
            said = {"item": given["value"][number % 5]["item"] if number % 20 else "i30", "event": "buy"}
            ask(url, "/v1/feedback", {"id": given["id"], "correct": said})
    health = project.watch(now=time.time() + 7_200)
    assert health.answers == 26
    made = project.improve()
    assert made.verdict in ("promoted", "refused"), made.why
    assert project.plan()


def test_the_checks_hold(project):
    check_output(OUTPUT, project.spec, read_splits(project.spec, project.store), project.champion.predictor)


def test_nothing_is_learned_that_came_after_what_is_to_be_found(tmp_path):
    """Also of customers who are not tested: these come back in the end to what they had."""
    rows = events()
    latest = max(row["time"] for row in rows)
    again = [{**row, "time": latest - 60 + place} for place, row in enumerate(rows[:320:8])]
    made = begun(tmp_path, [*rows, *again])
    prepared = made.prepare()
    splits, kind = read_splits(made.spec, made.store), kinds.get("items")

    def times(frame, *columns):
        return [each for column in columns for value in frame[column] for each in kind.read(value, None).times]

    learned = [*times(splits.train, "history", "recommended"), *times(splits.validation, "history", "recommended")]
    assert max(learned) < min(times(splits.test, "recommended"))
    assert any("later events of users who are not tested are left out" in each for each in prepared.warnings)
