"""A plan reads the store in one place, and each file there once."""

import ast
import json
import os
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

import windlass
from tests.stages.conftest import Product, messages
from windlass import lifecycle
from windlass.database.connection import database_at
from windlass.database.location import log_path
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.improving import attempts
from windlass.improving.cycle import PROMOTED, RECORD
from windlass.outputs.labelled_row import LEARNED, LabelledRow
from windlass.planning import measured_file, promise_file, snapshot
from windlass.records import Board, Health, Improvement, as_json, silent
from windlass.registry import releases
from windlass.registry.model_cards import BOARD
from windlass.stages.plan import PlanRequest, plan
from windlass.store.json_files import read_json, write_json

PLANNING = Path(windlass.__file__).parent / "planning"
TAKES_STORE = frozenset({"snapshot.py"})
"""Trials are not among them: they get rows, folders and models."""
DAY = date(2026, 11, 22)


def store_taken(place, text):
    """Where a module of planning imports the store's class, or a function takes a store."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "windlass.store.store":
            found += [f"{place}:{node.lineno} imports Store" for alias in node.names if alias.name in ("Store", "*")]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [f"{getattr(node, 'module', 'windlass')}.{alias.name}" for alias in node.names]
            names += [alias.name for alias in node.names]
            found += [
                f"{place}:{node.lineno} imports the module"
                for name in names
                if name in ("windlass.store", "windlass.store.store")
            ]
        elif isinstance(node, ast.arg):
            words = node.arg, ast.unparse(node.annotation) if node.annotation else ""
            found += [f"{place}:{node.lineno} takes {node.arg}" for word in words if word.lower().strip("'") == "store"]
    return found


def test_no_module_of_planning_but_the_snapshot_knows_a_store():
    modules = {path.relative_to(PLANNING).as_posix(): path.read_text("utf-8") for path in PLANNING.rglob("*.py")}
    assert {place for place, text in modules.items() if store_taken(place, text)} == TAKES_STORE


@pytest.mark.parametrize(
    "text",
    ["from windlass.store.store import FOLDER, Store", "import windlass.store.store", "from windlass import store",
     "def gather(spec, store): ...", "def gather(place: Store): ...", "def gather(*, place: 'Store'): ..."],
)  # fmt: skip
def test_a_module_that_takes_a_store_is_found(text):
    """Control of the one above."""
    assert store_taken("items/data.py", text)


WATCHED, INSTALLED = [], []
"""The counter that openings go to, while there is one; whether the interpreter calls us: such a hook stays for good."""


def _hear(event, values):
    if not WATCHED or event not in ("open", "sqlite3.connect"):
        return
    mode, flags = values[1:3] if event == "open" else ("r", 0)
    reads = mode in ("r", "rb") or (mode is None and not flags & os.O_ACCMODE)
    if reads and isinstance(values[0], str | bytes | os.PathLike):
        WATCHED[0][os.fsdecode(values[0]).removeprefix("file:").partition("?")[0]] += 1


@contextmanager
def opened(folder):
    """Counts how often each file below the folder is opened to be read; Parquet is opened beside Python, unseen."""
    if not INSTALLED:
        sys.addaudithook(_hear)
        INSTALLED.append(True)
    heard, found = Counter(), Counter()
    WATCHED.append(heard)
    try:
        yield found
    finally:
        WATCHED.clear()
        found |= Counter({
            Path(name).relative_to(folder).as_posix(): times for name, times in heard.items()
            if Path(name).is_relative_to(folder) and Path(name).is_file()
        })  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A product that was released, improved, watched, judged by users and planned before."""
    product = Product(tmp_path_factory.mktemp("desk"))
    product.csv(messages(120))
    spec, store = product.spec(learners=["majority", "linear"], goal="macro_f1 >= 0.2"), product.store
    lifecycle.run(spec, store, silent, lambda word, skipped: None, "release")
    champion = releases.champion_id(store)
    attempt = attempts.begin(store, {})
    attempt.note("promote", {"release": champion})
    attempt.write_rows([LabelledRow({"message": "hello"}, "refund", answer="a1", fate=LEARNED)])
    made = Improvement(attempt.id, "2026-11-01", "you", "", champion, PROMOTED, "")
    write_json(attempt.folder / RECORD, as_json(made))
    write_json(store.record("watch"), as_json(
        Health("desk", champion, 0.0, 1.0, 500, 2.0, 9.0, 0.8, 0.05, None, None, 0, {}, [], [])))  # fmt: skip
    with RequestLog(log_path(store)) as log:
        log.record([Logged(f"a{n}", float(n), champion, "refund", 0.9, 1.0, None) for n in range(9)], 100)
        for n in range(9):
            log.feedback(Feedback(f"a{n}", "refund" if n else "account", None, f"k{n}")).result(60)
    plan(spec, store, PlanRequest(made=DAY))
    kept = store.stage("plan") / promise_file.FILE
    promise_file.add(kept, [{"event": "came", "id": "rows-2", "at": "2026-11-01", "what": "2 rows", "method": "curve",
                             "part": 1.0, "promised": None, "came": None, "error": None, "inside": None,
                             "beside": []}])  # fmt: skip
    return spec, store


def test_a_snapshot_opens_each_file_once(desk):
    spec, store = desk
    with opened(store.folder) as times:
        found = snapshot.take(spec, store, database_at(log_path(store)))
    assert set(times.values()) == {1}, times
    release = f"release/{releases.champion_id(store)}"
    assert set(times) >= {
        "evaluate/evaluate.json", "prepare/prepare.json", "watch/watch.json", "plan/measured.json",
        "plan/promises.jsonl", "improve/0001/journal.json", "improve/0001/rows.jsonl", "improve/0001/improvement.json",
        "release/champion.json", "serve/requests.sqlite",
        f"{release}/release.json", f"{release}/reference.json", f"{release}/{BOARD}",
    }  # fmt: skip
    assert (found.used, len(found.judged), found.judged_fault) == ({"a1"}, 9, "")
    assert found.artifact == store.folder / release / "model"
    assert found.promises.entries
    assert set(found.artifacts) == {"majority", "linear"}


def test_a_plan_opens_each_record_once(desk):
    """Models are opened by who scores them, and the files of a release once more to prove it."""
    spec, store = desk
    with opened(store.folder) as times:
        plan(spec, store, PlanRequest(made=DAY))
    models = (f"release/{releases.champion_id(store)}/", "train/")
    records = {name: number for name, number in times.items() if not name.startswith(models)}
    assert len(records) > 8
    assert set(records.values()) == {1}, records


def test_a_file_that_is_opened_twice_is_counted_twice(desk):
    """Control of the two above."""
    _, store = desk
    with opened(store.folder) as times:
        store.read("evaluate", Board)
        store.read("evaluate", Board)
    assert times == {"evaluate/evaluate.json": 2}


DAMAGES = {
    "points": [-1, [{}], None, "many"],
    "doubts": [3, {"count": 1}],
    "columns": [{}, [1]],
    "validation": [{"labels": 1}],
    "request": [{"seconds": "fast"}],
    "compressed": [5, {"ms": 1}],
    "learner": [None],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in DAMAGES.items() for value in values])
def test_a_cache_of_another_form_is_measured_again(desk, name, value):
    """`"points": -1` was an internal error once."""
    _, store = desk
    path = store.stage("plan") / measured_file.MEASURED
    good = read_json(path)
    assert measured_file.read(path) == good, "control: what a plan wrote is taken as it stands"
    write_json(path, {**good, name: value})
    assert measured_file.read(path) == {}
    write_json(path, good)


@pytest.mark.parametrize("damage", [{"rows": 0}, {"rows": 10**400}, {"scores": []}, {"scores": [float("nan")]}])
def test_a_point_that_no_training_gave_is_measured_again(desk, damage):
    _, store = desk
    path = store.stage("plan") / measured_file.MEASURED
    good = read_json(path)
    point = {"rows": 8, "scores": [0.5], "seconds": 1, "accuracies": [], "classes": {}, "parts": {}, "positive": []}
    write_json(path, good | {"points": [point]})
    assert measured_file.read(path) == good | {"points": [point]}
    path.write_text(json.dumps(good | {"points": [point | damage]}), encoding="utf-8")
    assert measured_file.read(path) == {}
    write_json(path, good)


def test_a_plan_mends_a_damaged_cache(desk):
    spec, store = desk
    path = store.stage("plan") / measured_file.MEASURED
    good = read_json(path)
    write_json(path, good | {"points": -1})
    plan(spec, store, PlanRequest(made=DAY))
    assert [point["rows"] for point in read_json(path)["points"]] == [point["rows"] for point in good["points"]]
