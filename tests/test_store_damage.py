"""Each file of a finished project's store, damaged: a line that names it, or the right answer; never a wrong one."""

import random
from pathlib import Path

import pytest

from windlass.errors import DataError
from windlass.records import Board, Candidate, Health, Prepared, Run, Trained
from windlass.store.files import write_text
from windlass.store.json_files import read_as, restored, write_json
from windlass.store.store import Store

from . import damaging
from .brief import briefly_timed
from .damaging import COMMANDS, DAMAGES, Ended

SEEN = (
    ("collect/rows.parquet", ("prepare", "--json")),
    ("prepare/train.parquet", ("explain", "--json")),
    ("prepare/test.parquet", ("plan", "--json")),
    ("prepare/learned.parquet", ("plan", "--json")),
    ("plan/measured.json", ("plan", "--json")),
    ("plan/promises.jsonl", ("plan", "--json")),
    ("watch/watch.json", ("plan", "--json")),
    ("release/release.json", ("run", "--json")),
    ("improve/0001/improvement.json", ("improve", "--history", "--json")),
    ("improve/0001/rows.jsonl", ("prepare", "--json")),
    ("train/train.json", ("train", "--json")),
    ("prepare/prepare.json", ("prepare", "--json")),
)
"""What ended in a traceback once, or in another answer, with a command that reads it."""
SAMPLE, SEED = 40, 13


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    with briefly_timed():
        yield damaging.walk(tmp_path_factory.mktemp("walk"))


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_ended_in_a_traceback_once_does_not(walk, damage):
    met = [walk.check(Path(".windlass", file), damage, command) for file, command in SEEN]
    assert not [str(each) for each in met if each]


@pytest.mark.slow
def test_a_sample_of_all_files_damages_and_commands(walk):
    chance = random.Random(SEED)
    files = damaging.files(walk.project)
    cases = [(file, damage, command) for file in files for damage in DAMAGES for command in COMMANDS]
    met = [walk.check(*case) for case in chance.sample(cases, SAMPLE)]
    assert not [str(each) for each in met if each]


@pytest.mark.soak
def test_every_file_damage_and_command(walk):
    """Some thousand runs."""
    met = [
        walk.check(file, damage, command)
        for file in damaging.files(walk.project)
        for damage in DAMAGES
        for command in COMMANDS
    ]
    assert not [str(each) for each in met if each]


@pytest.mark.parametrize(
    ("ended", "what"),
    [
        (Ended(0, '{"rows": 90, "seconds": 2}', ""), ""),
        (Ended(0, '{"rows": 89, "seconds": 1}', ""), "wrong answer"),
        (Ended(0, '{"rows": 89}', "warning: .windlass/a.json is damaged"), ""),
        (Ended(3, "", "error: .windlass/a.json is damaged, expected JSON\nhint: remove it"), ""),
        (Ended(3, "", "error: it is damaged, expected JSON"), "words"),
        (Ended(3, "", "error: a.json is damaged"), "words"),
        (Ended(70, "", "error: internal error 12ab (KeyError), expected none; a.json"), "traceback"),
        (Ended(1, "", "Traceback (most recent call last):\na.json expected"), "traceback"),
    ],
)
def test_the_walk_tells_a_good_end_from_a_bad_one(ended, what):
    """The control: without it a walk that finds nothing would say nothing."""
    assert damaging.bad(ended, Path(".windlass/a.json"), Ended(0, '{"rows": 90, "seconds": 1}', "")) == what


# records --------------------------------------------------------------------------------------------------------------

CANDIDATE = {"name": "linear", "learner": "linear", "metrics": {"accuracy": {"value": 0.9, "low": 0.8, "high": None}},
             "validation": None, "calibration_error": 0.1, "latency_p50_ms": 1, "latency_p95_ms": 2.0,
             "answers_per_second": 10.0, "size_mb": 1.0, "seconds": 1.0, "meets_goal": True, "misses": []}  # fmt: skip


def test_a_record_is_what_it_was_before_it_was_json():
    """A whole number is a number; null where a number must be was NaN; names of a later version are left out."""
    found = restored(Candidate, CANDIDATE | {"of_next_year": 1})
    assert isinstance(found, Candidate)
    assert found.metrics["accuracy"].value == 0.9
    assert found.metrics["accuracy"].high != found.metrics["accuracy"].high
    assert (found.validation, found.latency_p50_ms, found.notes) == (None, 1, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 1}, "name is int"),
        ({"name": None}, "name is NoneType"),
        ({"meets_goal": 1}, "meets_goal is int"),
        ({"seconds": True}, "seconds is bool"),
        ({"seconds": "1"}, "seconds is str"),
        ({"misses": "none"}, "misses is str"),
        ({"misses": [1]}, "misses is int"),
        ({"metrics": []}, "metrics is list"),
        ({"metrics": {"accuracy": 1}}, r"metrics\.accuracy is int"),
        ({"metrics": {"accuracy": {"value": 1}}}, "no 'low'"),
        ({"validation": "high"}, "validation is str"),
    ],
)
def test_a_record_of_another_shape_is_refused_by_the_name_that_is_wrong(change, words):
    with pytest.raises(ValueError, match=words):
        restored(Candidate, CANDIDATE | change)


@pytest.mark.parametrize("kind", [Board, Health, Prepared, Run, Trained])
@pytest.mark.parametrize("values", [{}, [], "x", 1, None, {"other": 1}])
def test_a_file_that_holds_another_record_is_damaged(kind, values, tmp_path):
    write_json(tmp_path / "a.json", values)
    with pytest.raises(DataError, match=rf"a\.json is damaged \(.+\), expected a record '{kind.__name__}'"):
        read_as(tmp_path / "a.json", kind)


def test_the_key_of_a_stage_is_a_text(tmp_path):
    store = Store(tmp_path)
    for content in ("{}", '{"key": 1}', '{"key": null}'):
        write_text(store.record("train"), content)
        with pytest.raises(DataError, match=r"train\.json is damaged .+ expected the result of 'train'"):
            store.key("train")


def test_a_number_that_is_none_stays_no_number_in_json():
    """NaN in a record, null in its JSON, and once more: JSON has no NaN."""
    board = Board("desk", "accuracy", "accuracy", {}, "linear", "", [restored(Candidate, CANDIDATE)], [], 1, "")
    assert board.as_json()["candidates"][0]["metrics"]["accuracy"]["high"] is None
    again = restored(Board, board.as_json())
    assert again.as_json() == board.as_json()
