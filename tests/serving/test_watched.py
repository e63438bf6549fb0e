"""What `watch` found is shown by the service: to who may read, without a script, and never in the way of an answer."""

import json
import re
from pathlib import Path

import pytest

from windlass.database.connection import read
from windlass.database.request_log import TABLES, answer_rows
from windlass.kinds.sketch import place_of
from windlass.records import Alarm, Answer, Health, as_json
from windlass.registry import reference, releases
from windlass.serving.telemetry.profiles import MOST_SAVED_S, Profiler
from windlass.serving.telemetry.watch_status import Watched
from windlass.store.json_files import write_json

ANSWER = Answer("card", 0.9)
FINDING = {
    "name": "drift", "subject": "message", "trait": "new words", "effect": 0.4, "limit": 0.1, "p": 1e-7,
    "before": 0.1, "now": 0.4, "unit": "median", "large": True,
}  # fmt: skip
WINDOW = {
    "since": 0.0, "until": 86_400.0, "release": "toy-1", "answers": 300, "latency_p50_ms": 2.0, "latency_p95_ms": 5.0,
    "confidence": 0.8, "handed_over": None, "feedback": 0, "requests": [9, 0, 0], "drift": [FINDING], "open": False,
    "estimated": None,
    "measured": None, "mix": {"card": 1.0},
}  # fmt: skip
HEALTH = Health(
    "desk", "toy-1", 0.0, 86_400.0, 300, 2.0, 5.0, 0.8, None, None, None, 0, {"card": 1.0}, [FINDING],
    [Alarm("drift", "message", 86_400.0, "new words", FINDING)], [WINDOW],
)  # fmt: skip


def test_the_page_and_the_gauges_follow_the_record(client, tmp_path):
    service = client.app.state.service
    service.watched = Watched(tmp_path / "watch.json")
    assert b"Nothing was answered yet" in client.ask("GET", "/watch").content
    assert b"windlass_drift" not in client.ask("GET", "/metrics").content
    write_json(tmp_path / "watch.json", as_json(HEALTH))
    reply = client.ask("GET", "/watch")
    assert reply.status == 200
    assert b"new words" in reply.content
    assert "script-src 'sha256-" in reply.headers["content-security-policy"]
    text = client.ask("GET", "/metrics").content.decode()
    assert 'windlass_drift{column="message"} 4' in text
    assert 'windlass_alarms{name="drift"} 1' in text


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"product": 1}', "\x00"])
def test_a_damaged_record_shows_nothing_and_breaks_nothing(client, tmp_path, content):
    (tmp_path / "watch.json").write_text(content)
    client.app.state.service.watched = Watched(tmp_path / "watch.json")
    assert client.ask("GET", "/watch").status == 200
    assert client.ask("GET", "/metrics").status == 200


def with_reference(service, folder: Path):
    """One that knows a few texts."""
    column = service.predictor.manifest.inputs[0]
    sketch = reference.sketch_of(column)
    texts = ["my card is lost", "where is my refund", "change my address"] * 40
    state = sketch.learn(iter(texts))
    profiles = [sketch.profile(text, state) for text in texts]
    reference.write(
        folder,
        {
            "format": 1,
            "columns": [{"name": column.name, "kind": "text", "state": state, "profiles": profiles}],
            "answers": {},
        },
    )
    return reference.read(folder)


def test_each_answer_is_logged_with_a_profile_that_holds_no_text(text_store, tmp_path, server_for):
    with server_for(text_store, tmp_path) as client:
        service = client.app.state.service
        service.replica.reference = with_reference(service, tmp_path)
        replies = [client.predict({"row": {"message": "the secret of card 4711"}}) for _ in range(3)]
        assert [reply.status for reply in replies] == [200] * 3
    rows = list(answer_rows(tmp_path / "requests.sqlite"))
    assert [len(json.loads(row["profile"])) for row in rows] == [1, 1, 1]
    assert all(re.fullmatch(r"[-0-9,\[\]]+", row["profile"]) for row in rows)


def test_without_a_reference_answers_have_no_profile(text_store, tmp_path, server_for):
    with server_for(text_store, tmp_path) as client:
        client.predict({"row": {"message": "hello"}})
    assert [row["profile"] for row in answer_rows(tmp_path / "requests.sqlite")] == [None]


class _Clock:
    """Both clocks of a profiler: wall time that the test moves, and processor time of 10 ms a profile."""

    def __init__(self) -> None:
        self.wall = self.spent = 0.0

    def profile(self, row, answer):
        self.spent += 0.01
        return "[]"


def test_profiles_take_a_bounded_share_of_the_time():
    """Control: what was saved up is spent first, and none is left without rest."""
    clock = _Clock()
    profiler = Profiler(lambda: clock.wall, lambda: clock.spent)
    assert len(made(profiler, clock, 200)) == pytest.approx(MOST_SAVED_S / 0.01, abs=1)
    assert made(profiler, clock, 1) == []
    clock.wall += 1.0
    assert len(made(profiler, clock, 200)) == pytest.approx(5, abs=1)


def made(profiler, clock, n_rows, first=0):
    """The ids that get a profile."""
    ids = [f"answer-{place}" for place in range(first, first + n_rows)]
    found = profiler.profiles(clock, ids, [{}] * n_rows, [ANSWER] * n_rows)
    return [id for id, profile in zip(ids, found, strict=True) if profile is not None]


def test_of_much_traffic_the_rows_that_a_window_would_keep_have_profiles(tmp_path):
    """40,000 rows an hour and time enough: about a tenth; all of the thousand that `watch` keeps of them are among
    these. Control: as long as little is asked, each row has one."""
    clock = _Clock()
    profiler = Profiler(lambda: clock.wall, lambda: 0.0)
    assert len(made(profiler, clock, 100, 10**6)) == 100
    found = [id for hour in range(6) for minute in range(60) for id in _minute(profiler, clock, 60 * hour + minute)]
    last = [f"answer-{place}" for place in range(5 * 60 * 667, 6 * 60 * 667)]
    assert set(sorted(last, key=place_of)[:1_000]) <= set(found)
    assert len(set(last) & set(found)) == pytest.approx(4_000, rel=0.1)


def _minute(profiler, clock, number):
    clock.wall += 60.0
    return made(profiler, clock, 667, 667 * number)


def test_a_row_that_cannot_be_profiled_is_answered_and_logged():
    class Broken:
        def profile(self, row, answer):
            raise RuntimeError("a state that nobody foresaw")

    assert Profiler().profiles(Broken(), ["a"], [{}], [ANSWER]) == [None]


def test_a_release_of_before_has_no_reference_and_nobody_complains(own_store):
    assert reference.opened(releases.folder(own_store, "toy-1"), print) is None


def test_requests_are_counted_in_the_log_when_the_service_ends(text_store, tmp_path, server_for):
    """Answered, refused by the client's fault, and not counted at all: a look at the health."""
    with server_for(text_store, tmp_path) as client:
        for body in ({"row": {"message": "hello"}}, {"row": {"message": "again"}}, {"row": {"wrong": "column"}}):
            client.predict(body)
        client.ask("GET", "/health")
    rows = list(read(tmp_path / "requests.sqlite", TABLES, "select answered, refused, failed from requests"))
    assert [tuple(row.values()) for row in rows] == [(2, 1, 0)]
