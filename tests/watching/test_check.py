"""A product is watched through its log alone: what changed is told, what did not is not, nothing is read twice."""

import json

import pytest

from tests.watching.replay import DAY, Replay, Source
from windlass.database.connection import read
from windlass.database.request_log import Feedback
from windlass.watching import judgement, state
from windlass.watching.windows import Part, Window


@pytest.fixture
def replay(tmp_path):
    return Replay(tmp_path)


def _names(health):
    return {(alarm.name, alarm.subject) for alarm in health.alarms}


def test_steady_traffic_raises_nothing_and_is_described(replay):
    source = Source()
    for _ in range(6):
        replay.day(source)
    health = replay.health()
    assert health.alarms == []
    assert (health.product, health.release, health.answers) == ("desk", "toy-1", 300)
    assert len(health.windows) == 6
    assert 1.0 <= health.latency_p50_ms <= 1.6 < health.latency_p95_ms <= 2.1
    assert health.confidence == pytest.approx(0.8, abs=0.03)
    assert health.estimated.low < 0.8 < health.estimated.high + 0.03
    assert set(health.mix) == {"card", "refund", "address"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (Source(2, new_words=0.5), ("drift", "message")),
        (Source(2, shift=1.0), ("drift", "amount")),
        (Source(2, missing=0.2), ("data", "amount")),
    ],
    ids=["new words", "higher amounts", "missing amounts"],
)
def test_what_changed_is_named_within_two_days_and_nothing_else_is(replay, changed, expected):
    source = Source()
    for _ in range(3):
        replay.day(source)
    assert replay.health().alarms == []
    for _ in range(2):
        replay.day(changed)
    assert expected in _names(replay.health())
    assert {subject for _, subject in _names(replay.health())} == {expected[1]}


def test_an_alarm_ends_when_it_is_clearly_over(replay):
    for source, days in ((Source(), 2), (Source(2, shift=1.0), 3)):
        for _ in range(days):
            replay.day(source)
    assert _names(replay.health()) >= {("drift", "amount")}
    replay.day(Source(3))
    assert _names(replay.health()) >= {("drift", "amount")}, "one clear day may be chance"
    replay.day(Source(4))
    replay.day(Source(5))
    assert _names(replay.health()) == set()


def test_unsure_answers_lower_the_estimated_quality(replay):
    replay.day(Source())
    for _ in range(2):
        replay.day(Source(2), confidence=0.5)
    health = replay.health()
    assert ("quality", "estimated") in _names(health)
    assert health.handed_over == 1.0


def test_feedback_that_turns_wrong_is_a_change_of_concept(replay):
    """Answers are as sure as ever and inputs the same: only people can tell."""
    for day in range(3):
        replay.day(Source(day), told=0.5)
    health = replay.health()
    assert health.alarms == []
    assert health.measured.low < 0.8 < health.measured.high
    for day in range(2):
        replay.day(Source(day + 10, wrong=0.4), told=0.5)
    assert _names(replay.health()) == {("concept", ""), ("quality", "measured"), ("quality", "tested")}


@pytest.mark.parametrize(("wrong", "told", "raised"), [(0.4, 1.0, True), (0.0, 1.0, False), (0.04, 1.0, False)])
def test_feedback_far_below_the_test_is_told_at_once_and_a_little_below_is_not(replay, wrong, told, raised):
    """By hand: tested .8 of 1,000 (at least .774); live .4, .8 and .76 of 60, each on the very first look."""
    replay.day(Source(4, wrong=wrong), rows=60, told=told)
    health = replay.health()
    assert (("quality", "tested") in _names(health)) == raised
    if raised:
        assert health.alarms[0].words.startswith("right answers, as tested and by feedback: 8")
        assert replay.health().alarms == health.alarms
        for day in range(12):
            replay.day(Source(20 + day), told=0.5)
            replay.health()
        assert replay.health().alarms == [], "right as often as tested, again and again"


def test_complaints_alone_are_no_share_of_right_answers(replay):
    """Of 300 answers a fifth is wrong, as tested, only wrong ones are spoken of; control: half are wrong."""
    for wrong, names in ((0.0, set()), (0.5, {("quality", "tested")})):
        twin = Replay(replay.store.project / f"wrong-{wrong}")
        twin.day(Source(5, wrong=wrong), told=1.0, only_wrong=True)
        assert _names(twin.health()) == names


def test_a_slow_service_is_told_against_its_own_past(replay):
    for day in range(6):
        replay.day(Source(day))
    replay.day(Source(9), latency_ms=400.0)
    assert _names(replay.health()) == {("latency", "")}


def test_failed_and_refused_requests_are_told(replay):
    for day, counted in enumerate([(300, 2, 0), (300, 3, 0), (200, 3, 40)]):
        replay.day(Source(day))
        replay.count(*counted)
    assert _names(replay.health()) == {("errors", "")}
    replay.day(Source(4))
    replay.count(200, refused=150)
    assert _names(replay.health()) == {("errors", ""), ("data", "")}


def test_silence_where_many_asked_is_told_and_ends_with_the_next_answers(replay):
    for day in range(6):
        replay.day(Source(day))
    assert replay.health().alarms == []
    replay.now += 3 * DAY
    assert _names(replay.health()) == {("traffic", "")}
    replay.day(Source(7))
    replay.health()
    assert replay.health().alarms == []


def test_each_answer_is_read_once_however_often_one_looks(replay):
    """Looking after every day gives the same windows as looking once; control: two days differ."""
    twin = Replay(replay.store.project / "twin")
    for day in range(3):
        replay.day(Source(day))
        replay.health()
        replay.health()
        twin.day(Source(day))
    often, once = replay.health().windows, twin.health().windows
    assert often == once
    assert often[0]["latency_p95_ms"] != often[1]["latency_p95_ms"] or often[0]["mix"] != often[1]["mix"]


def test_few_answers_are_joined_to_a_window_that_can_be_judged(replay):
    for day in range(5):
        replay.day(Source(day), rows=100)
    windows = replay.health().windows
    assert [window["until"] - window["since"] for window in windows] == [3 * DAY, 3 * DAY]
    assert [window["open"] for window in windows] == [False, True]


def test_strong_evidence_in_few_answers_is_told_before_there_are_many(replay):
    """60 answers a day would make a window of five days; control: without a change nobody is told."""
    for day in range(5):
        replay.day(Source(day), rows=60)
    assert replay.health().alarms == []
    replay.day(Source(20, shift=2.0), rows=60)
    assert ("drift", "amount") in _names(replay.health())


def test_what_watch_remembers_holds_no_text(replay):
    """Control: names of answers are found by the same search."""
    replay.day(Source())
    replay.health()
    content = "".join(path.read_text() for path in (replay.store.folder / "watch").glob("*.json"))
    assert "stolen" not in content
    assert "refund" in content


def test_a_writers_answers_are_texts_and_are_not_kept(replay):
    replay.spec = replay.spec.model_copy(update={"output": {"intent": "text"}})
    replay.day(Source(), value="a secret text that was written")
    health = replay.health()
    assert health.answers == 300
    content = "".join(path.read_text() for path in (replay.store.folder / "watch").glob("*.json"))
    assert "secret" not in content


def test_a_release_without_reference_is_watched_for_what_is_left(replay):
    from windlass.registry import releases

    (releases.folder(replay.store, "toy-1") / "reference.json").unlink()
    replay.day(Source())
    health = replay.health()
    assert health.answers == 300
    assert health.drift == []
    assert any("reference.json" in words for words in health.warnings)


def test_nothing_was_ever_asked(replay):
    health = replay.health()
    assert (health.answers, health.alarms, health.windows) == (0, [], [])


def test_an_answer_that_was_told_of_twice_counts_once_by_its_last_word(replay):
    """Eight answers, one corrected twice between two looks and one after them: eight are told, seven of them right."""
    replay.day(Source(), rows=8, told=1.0)
    replay.write([], [Feedback("answer-1", "", None, "", True), Feedback("answer-1", "", None, "", True)])
    replay.health()
    replay.write(
        [],
        [
            Feedback("answer-2", "", None, "", True),
            *[Feedback(f"answer-{n}", "", None, "", True) for n in (3, 4, 5, 6, 7)],
        ],
    )
    replay.write([], [Feedback("answer-8", "", None, "", False)])
    replay.health()
    told = state.load(replay.store).told
    assert len(told) == 8
    assert sum(right for _, _, right, _ in told) == 7


def test_feedback_that_an_older_version_remembers_is_kept(replay):
    """It has no id: it counts beside what comes."""
    replay.day(Source(), rows=4, told=1.0)
    replay.health()
    path = replay.store.folder / "watch" / state.FILE
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "told": [each[:3] for each in kept["told"]]}))
    replay.write([], [Feedback("answer-1", "", None, "", right) for right in (False, True)])
    replay.health()
    assert len(state.load(replay.store).told) == 5  # of the two only the last


def test_what_it_remembers_is_bounded(replay):
    """The windows of years: the oldest leave, and the new ones are there."""
    path = replay.store.folder / "watch" / state.FILE
    for day in range(3):
        replay.day(Source(day))
    replay.health()
    kept = json.loads(path.read_text())
    (*_, last) = kept["ended"]
    path.write_text(json.dumps({**kept, "ended": [last] * state.MOST_WINDOWS}))
    for day in range(3, 6):
        replay.day(Source(day))
    replay.health()
    ended = json.loads(path.read_text())["ended"]
    assert len(ended) == state.MOST_WINDOWS
    assert ended[0] == last != ended[-1]


def test_the_log_has_a_profile_of_each_answer(replay):
    from windlass.database.request_log import TABLES

    replay.day(Source(), rows=10)
    rows = list(read(replay.place, TABLES, "select profile from answers"))
    assert len(rows) == 10
    assert all(len(json.loads(row["profile"])) == 3 for row in rows)


def test_one_answer_a_day_is_enough_to_find_a_shift_within_two_months(replay):
    """Two windows of a month together hold rows enough; control: without a change nobody is told."""
    steady, shifted = Source(1), Source(2, shift=2.0)
    for _ in range(65):
        replay.day(steady, rows=1)
    assert replay.health().alarms == []
    for _ in range(60):
        replay.day(shifted, rows=1)
    assert ("drift", "amount") in _names(replay.health())


def test_what_is_hard_every_winter_is_no_alarm_in_the_second_winter():
    """Feedback of the same time of the year is compared, where there was some; control: a year that was never hard."""
    year, day = 365.25 * DAY, 40
    for hard, usual in ((0.5, 50), (0.9, 90)):
        window = Window(2 * year, 2 * year + 30 * DAY)
        window.parts["r"] = Part(1)
        kept = state.Memory(told=[(year + place * DAY / 4, "r", place % 10 < 10 * hard, "") for place in range(100)])
        kept.told += [(1.5 * year + place * DAY, "r", True, "") for place in range(day)]
        told = judgement._same_season(kept, window)
        assert (told.right, told.n) == (usual, 100)
