"""From feedback to a new champion: the same test rows, nothing lost, and a second look where it was killed."""

import shutil

import polars as pl
import pytest

from windlass import lifecycle
from windlass.errors import DataError, NotReady
from windlass.improving import attempts, cycle
from windlass.improving.cycle import ImproveRequest
from windlass.pages.html.improvements import doubts_text, history_text, improvement_text
from windlass.records import Board, silent
from windlass.registry import checkpoints as weights
from windlass.registry import releases
from windlass.sources.prepared import read_splits

from ..stages.conftest import WORDS
from .toys import say, taught


def test_feedback_becomes_a_champion_that_knows_more_and_the_test_rows_stay(project):
    first, test = project.champion.id, read_splits(project.spec, project.store).test
    say(project, taught(160))
    made = project.improve()
    assert made.verdict == "promoted", made.why
    assert made.rows["given"] == 160 == made.rows["learned"] + made.rows["judging"]
    assert (made.champion, made.challenger) == (first, project.champion.id)
    assert project.champion.predict([{"message": "the invoice is missing, please"}])[0].value == "invoice"
    entry = releases.told(project.store)[-1]
    assert (entry["event"], entry["evidence"]["improvement"]) == ("promote", made.id)
    assert [each.verdict for each in project.improvements()] == ["promoted"]
    assert "batch 0001" in (project.store.stage("improve") / "history.html").read_text()

    project.prepare()  # `windlass run` learns from the same rows, and is measured on the same ones
    splits = read_splits(project.spec, project.store)
    assert splits.test.equals(test)
    assert "invoice" in splits.train["intent"].to_list()
    assert made.rows["learned"] == len(attempts.learned(project.store))

    again = project.improve()  # what was learned is not given again
    assert (again.verdict, again.rows["given"], again.rows["learned_before"]) == ("waiting", 0, made.rows["learned"])
    assert releases.rollback(project.store) == first
    assert [each.verdict for each in project.improvements()] == ["rolled back"]
    assert attempts.learned(project.store) == []


def test_a_network_competes_with_the_champions_weights_and_from_scratch(network_project):
    """And the next attempt begins with what this one promoted. Control: without the weights there is one candidate."""
    store, first = network_project.store, network_project.champion.id
    say(network_project, taught(160))
    made = network_project.improve()
    assert made.verdict == "promoted", made.why
    board = attempts.attempts(store)[0].space.read("evaluate", Board)
    assert {candidate.name for candidate in board.candidates} == {"warm-cnn", "cnn"}
    assert [start.release for start in weights.starts(store, made.challenger, 0)] == [made.challenger]
    assert [start.release for start in weights.starts(store, first, 0)] == [first]
    shutil.rmtree(store.folder / "weights")
    say(network_project, [(f"{text} again and again", label) for text, label in taught(160, 500)], first=500)
    network_project.improve()
    board = attempts.attempts(store)[-1].space.read("evaluate", Board)
    assert {candidate.name for candidate in board.candidates} == {"cnn"}


def test_too_little_feedback_waits_and_says_how_much_is_missing(project):
    say(project, [pair for pair in taught(16) if pair[1] != "invoice"])
    made = project.improve()
    assert (made.verdict, made.rows["waiting"]) == ("waiting", {"too few new rows for a batch": 12})
    assert "12 new rows to learn from, expected at least 30: 18 are missing" in made.why
    assert attempts.attempts(project.store) == []


def test_feedback_that_is_too_old_to_be_read_is_counted_and_told(project):
    say(project, taught(12))
    access = cycle.ProjectAccess(lifecycle.memory(project.store), None, None, most_read=8)
    made = cycle.improve(project.spec, project.store, access, ImproveRequest(), silent)
    assert (made.rows["given"], made.rows["unread"]) == (8, 4)
    assert "not read        4" in improvement_text(made)


def test_a_refused_batch_waits_and_is_tried_again_only_with_something_new(project):
    say(
        project,
        [(f"{words[place % 4]} again {place * 31}", label) for label, words in WORDS.items() for place in range(15)],
    )
    made = project.improve()
    assert made.verdict == "refused"
    assert "not better beyond chance" in made.why
    assert sum(made.rows["waiting"].values()) + made.rows["set aside"]["nearly the same as another new row"] == 45
    assert project.improve().why == "nothing new since attempt 0001 was refused"


def test_rows_of_a_file_that_wait_need_not_be_given_again(project):
    path = project.folder / "new.csv"
    path.write_text("message,intent\nsomething else,refund\n")
    for file in (path, None):
        assert project.improve(file).rows["callers"] == {"file": {"waiting": 1}}


def test_rows_of_a_file_are_learned_and_those_that_cannot_be_read_are_set_aside(project, tmp_path):
    rows = [*taught(160), ("", "refund")]
    path = tmp_path / "new.csv"
    pl.DataFrame(rows, schema=["message", "intent"], orient="row").write_csv(path)
    made = project.improve(path)
    assert made.verdict == "promoted", made.why
    assert made.rows["set aside"] == {"every input is missing": 1}
    assert set(made.rows["callers"]) == {"file"}
    aside = pl.read_csv(project.store.stage("improve") / "aside.csv")
    assert [id.split("-")[0] for id in aside["id"]] == ["new.csv:162"]


def test_a_file_that_is_not_there_leaves_nothing_behind(project):
    with pytest.raises(DataError, match=r"typo\.csv does not exist"):
        project.improve("typo.csv")
    assert attempts.attempts(project.store) == []


def test_one_process_improves_at_a_time(project):
    with attempts.locked(project.store), pytest.raises(NotReady, match="being improved by another process"):
        project.improve()


def test_an_attempt_that_ends_in_any_step_goes_on_there_and_promotes_once(project, monkeypatch):
    """What the steps before gave is used again."""
    say(project, taught(160))
    note = attempts.Attempt.note
    for step in cycle.STEPS:
        monkeypatch.setattr(attempts.Attempt, "note", _ends_in(step, note))
        with pytest.raises(KeyboardInterrupt):
            project.improve()
        left = attempts.unfinished(project.store)
        assert list(left.journal["steps"]) == list(cycle.STEPS[: cycle.STEPS.index(step)])
    monkeypatch.setattr(attempts.Attempt, "note", note)
    made = project.improve()
    assert (made.id, made.verdict) == ("0001", "promoted")
    promoted = [entry for entry in releases.told(project.store) if "improvement" in entry["evidence"]]
    assert len(promoted) == 1


def _ends_in(last, note):
    def noting(self, step, facts):
        if step == last:
            raise KeyboardInterrupt
        return note(self, step, facts)

    return noting


@pytest.mark.parametrize("looks", [True, False], ids=["as it is", "control"])
def test_a_promotion_that_was_taken_back_before_it_was_written_down_stays_taken_back(project, looks, monkeypatch):
    """Killed after the pointer moved, rolled back by a person, resumed. Control: the trail is not looked at."""
    first = project.champion.id
    say(project, taught(160))
    monkeypatch.setattr(releases, "point_to", _dies_after(releases.point_to))
    with pytest.raises(KeyboardInterrupt):
        project.improve()
    monkeypatch.undo()
    releases.rollback(project.store)
    if not looks:
        monkeypatch.setattr(cycle._Cycle, "_was_promoted", lambda self, release: False)
    project.improve()
    assert (project.champion.id == first) is looks


def _dies_after(work):
    def dying(*arguments):
        work(*arguments)
        raise KeyboardInterrupt

    return dying


def test_what_was_set_aside_is_listed_and_a_person_accepts_or_refuses_it(project):
    """Every row has another label than the champion is sure of; two are accepted, two refused, the rest stays."""
    rows = [
        (
            f"{words[place % 4]} again {place * 7919 % 9973} {'abcdefgh'[place % 8] * 4}",
            {"account": "delivery", "delivery": "refund", "refund": "account"}[label],
        )
        for label, words in WORDS.items()
        for place in range(20)
    ]
    say(project, rows, callers=[f"key{place}" for place in range(9)])
    project.improve()
    listed = project.doubts()
    assert len(listed) == len({row["id"] for row in listed}) > 20
    assert set(listed[0]) == {"id", "message", "intent", "answered", "caller", "reason"}
    first, second, third, fourth = (row["id"] for row in listed[:4])
    project.decide([first, second], True)
    project.decide([third, fourth], False)
    with pytest.raises(DataError, match="row 'typo' is not set aside"):
        project.decide(["typo"], True)
    made = project.improve()
    assert made.rows["set aside"]["refused by a person"] == 2
    assert sum(made.rows["callers"]["file"].values()) == 2
    left = {row["id"] for row in project.doubts()}
    assert not left & {first, second, third, fourth}
    assert "2 accepted, 1 refused" in doubts_text(project.doubts(), [first, second], [third])
    assert "set aside now: " in history_text([made], project.doubts())
