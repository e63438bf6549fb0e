"""Two writers of a small product, compared by a judge and by a person, from the same command."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from windlass import lifecycle
from windlass.commands.comparison import (
    PREFERENCES,
    TRAINING,
    Comparison,
    Plan,
    by_judge,
    compare,
    open_judge,
    preferred,
    prepare,
    text,
)
from windlass.database.preferences import Preference, Preferences
from windlass.errors import NotReady, SpecError
from windlass.spec import parse
from windlass.store.store import Store

from .test_judging import loves_length
from .test_remote import completion, server

SPEC = """
name: desk
data: rows.jsonl
inputs: {question: text}
output: {answer: text}
learners: [copy, retrieve]
minutes: 0.2
"""
THINGS = ("card", "refund", "address", "parcel", "invoice", "password")
FAULTS = ("lost", "late", "wrong", "missing", "damaged")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A released product whose candidates write texts: `copy` says the question again, `retrieve` a known answer."""
    folder = tmp_path_factory.mktemp("desk")
    rows = [
        {
            "question": f"my {thing} is {fault}, number {number}",
            "answer": f"We are sorry that your {thing} is {fault}. We look into it, number {number % 7}.",
        }
        for number in range(6)
        for thing in THINGS
        for fault in FAULTS
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
    (folder / "windlass.yaml").write_text(SPEC, encoding="utf-8")
    spec, store = parse(SPEC), Store(folder)
    lifecycle.run(spec, store, lambda *told: None, lambda *told: None, "release")
    return spec, store


@pytest.fixture
def comparison(desk, tmp_path) -> Comparison:
    """Twelve pairs in a folder of their own."""
    spec, store = desk
    made = prepare(spec, store, ("retrieve", "copy"), 12)
    return Comparison(made.names, made.pairs, made.n_same, tmp_path, made.seed)


def test_both_answer_the_same_rows_and_the_answers_are_kept(desk):
    spec, store = desk
    told = []
    made = prepare(spec, store, ("retrieve", "copy"), 10, lambda *values: told.append(values))
    assert len(made.pairs) == 10
    assert made.n_same == 0
    for pair in made.pairs:
        assert pair.second == pair.asked == pair.prompt
        assert pair.first.startswith("We are sorry that your")
    assert told[-1] == ("answer", 10, 10, "copy")
    told.clear()
    assert prepare(spec, store, ("retrieve", "copy"), 10, lambda *values: told.append(values)).pairs == made.pairs
    assert told == []


def test_rows_are_spread_over_all_test_rows(desk):
    spec, store = desk
    everything = prepare(spec, store, ("retrieve", "copy"), 10_000).pairs
    some = prepare(spec, store, ("retrieve", "copy"), 7).pairs
    places = [everything.index(pair) for pair in some]
    assert len(some) == 7
    assert max(places) > len(everything) * 0.8
    assert places == sorted(places)


def test_a_release_is_the_same_as_the_candidate_it_was_made_of(desk):
    """So no pair is left to be shown, and all count as ties."""
    spec, store = desk
    made = prepare(spec, store, ("champion", "retrieve"), 10)
    assert (list(made.pairs), made.n_same) == ([], 10)
    result = by_judge(made, lambda prompt: pytest.fail("asked"), "nobody")
    assert (result["ties"], result["win_rate"]["value"]) == (10, 0.5)
    assert "10 the same text" in text(result)


def test_a_judge_through_http_gives_rate_interval_and_bias(desk, monkeypatch):
    spec, store = desk

    def answer(handler, number):
        return completion(loves_length(log[number - 1][2]["messages"][0]["content"]))

    with server(answer) as (url, log):
        result = compare(spec, store, Plan(("retrieve", "copy"), 11, (url, "toy")))
        assert len(log) == 22
        assert compare(spec, store, Plan(("retrieve", "copy"), 11, (url, "toy"))) == result
        assert len(log) == 22, "what was judged is not asked again"
    assert (result["pairs"], result["first"], result["position_bias"]) == (11, 11, 0)
    assert result["win_rate"]["value"] == 1
    assert 0.7 < result["win_rate"]["low"] < 1
    shown = text(result)
    assert "retrieve better   11" in shown
    assert "win rate of retrieve   1.000 [0.7" in shown
    assert "position bias   0 % of the verdicts" in shown


def test_a_judge_that_fails_half_way_goes_on_where_it_was(comparison):
    asked = []

    def fails(prompt):
        asked.append(prompt)
        if len(asked) == 9:
            raise NotReady("judge is gone")
        return "A"

    with pytest.raises(NotReady):
        by_judge(comparison, fails, "toy")
    result = by_judge(comparison, fails, "toy")
    assert len(asked) == 9 + 2 * (12 - 4)
    assert (result["position_bias"], result["ties"]) == (1, 12)


def test_a_person_is_counted_and_their_choices_become_training_rows(comparison):
    store = Preferences(comparison.folder / PREFERENCES)
    for pair, choice in zip(comparison.pairs, ["first"] * 5 + ["second"] * 2 + ["tie"], strict=False):
        store.store(Preference(pair.id, pair.id, choice)).result()
    store.close()
    result = preferred(comparison)
    assert (result["first"], result["second"], result["ties"], result["open"]) == (5, 2, 1, 4)
    assert result["win_rate"]["value"] == pytest.approx(5.5 / 8)
    assert result["position_bias"] is None
    rows = [json.loads(line) for line in (comparison.folder / TRAINING).read_text(encoding="utf-8").splitlines()]
    assert (len(rows), result["training_rows"], result["ties_left_out"]) == (7, 7, 1)
    assert rows[0]["prompt"] == comparison.pairs[0].asked
    assert rows[0]["chosen"] == comparison.pairs[0].first
    assert rows[6]["chosen"] == comparison.pairs[6].second
    assert "7 rows for preference training, 1 ties left out" in text(result)
    assert "4 pairs are open" in text(result)


@pytest.mark.parametrize(
    ("names", "rows", "words"),
    [
        (("copy", "copy"), 5, "compared with itself"),
        (("copy", "retrieve"), 0, "expected 1 to 10,000"),
        (("copy", "retrive"), 5, "did you mean 'retrieve'"),
        (("../copy", "retrieve"), 5, "no candidate or release"),
    ],
)
def test_what_cannot_be_compared_is_refused(desk, names, rows, words):
    with pytest.raises((SpecError, NotReady), match=words):
        prepare(*desk, names, rows)


def test_labels_are_not_compared_so(desk):
    spec = parse("{name: x, data: x.csv, inputs: {a: text}, output: {b: category}}")
    with pytest.raises(SpecError, match="expected text"):
        prepare(spec, desk[1], ("copy", "retrieve"))


def test_judges_are_a_url_or_a_release(desk, monkeypatch):
    store = desk[1]
    assert "your card" in open_judge(str(store.project), "champion")("my card is lost, number 3")
    with pytest.raises(SpecError, match="expected a URL"):
        open_judge("nowhere", "x")
    with pytest.raises(NotReady, match="does not exist"):
        open_judge(str(store.project), "release-9")
    monkeypatch.setenv("WINDLASS_JUDGE_KEY", "secret")
    with server(lambda handler, number: completion("A")) as (url, log):
        open_judge(url, "toy")("x")
    assert log[0][1]["authorization"] == "Bearer secret"


def test_the_command_serves_the_page_and_tells_the_result_when_it_is_stopped(desk):
    """The whole way: answers, page, a preference through HTTP, SIGINT, the result as JSON."""
    folder = desk[1].project
    command = [
        sys.executable,
        "-m",
        "windlass.cli",
        "compare",
        "retrieve",
        "copy",
        "--rows",
        "5",
        "--port",
        "0",
        "--json",
    ]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith("http"))
        port = int(url.strip().rpartition(":")[2])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", "/v1/pair")
            pair = json.loads(connection.getresponse().read())["pair"]
            side = "left" if pair["left"].startswith("We are sorry") else "right"
            body = json.dumps({"pair": pair["id"], "choice": side})
            headers = {"content-type": "application/json", "idempotency-key": str(time.time())}
            connection.request("POST", "/v1/preference", body, headers)
            assert json.loads(connection.getresponse().read())["done"] == 1
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    result = json.loads(out)
    assert (process.returncode, result["first"], result["open"], result["training_rows"]) == (0, 1, 4, 1)
    assert result["first_name"] == "retrieve"
