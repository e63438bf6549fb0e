"""The audit trail agrees with the champion, whatever was killed between the two."""

import json
import random
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from windlass.errors import DataError
from windlass.pages.text.listing import trail_text
from windlass.registry import audit_log as trail
from windlass.registry import releases
from windlass.registry.audit_log import Why
from windlass.store.json_files import write_json
from windlass.store.store import Store

RECORD = {
    "product": "desk",
    "candidate": "linear",
    "headline": "macro_f1",
    "score": {"value": 0.9, "low": 0.8, "high": 0.95},
    "created": "2026-01-01T00:00:00+00:00",
    "fingerprint": "f",
    "files": {},
    "size_mb": 0.1,
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three releases, as far as the pointer to the champion is concerned."""
    made = Store(tmp_path)
    for id in ("one", "two", "three"):
        write_json(releases.folder(made, id) / "release.json", {"id": id, **RECORD})
    return made


def home(store: Store) -> Path:
    return store.folder / "release"


def steps(store: Store) -> list[tuple[str, str, str]]:
    return [(entry["event"], entry["from"], entry["to"]) for entry in releases.told(store)]


def test_every_change_of_the_champion_is_told_with_who_and_why(store: Store) -> None:
    releases.point_to(store, "one")
    releases.point_to(store, "two", Why("promote", "windlass improve", "it answers better", {"difference": 0.02}))
    releases.point_to(store, "two")
    releases.note(store, Why("canary stopped", "windlass serve", "too slow"), "three")
    assert steps(store) == [("promote", "", "one"), ("promote", "one", "two"), ("canary stopped", "two", "three")]
    last = releases.told(store)[1]
    assert (last["command"], last["reason"], last["number"]) == ("windlass improve", "it answers better", 2)
    assert last["evidence"]["before"]["value"] == 0.9
    assert last["evidence"]["difference"] == 0.02
    assert last["user"]
    assert "macro_f1 0.900 [0.800, 0.950]" in trail_text(releases.told(store))


def test_a_kill_between_the_pointer_and_the_trail_loses_nothing(store: Store) -> None:
    """The pointer carries its entry: who reads sees it, who writes next adds it."""
    releases.point_to(store, "one")
    releases.point_to(store, "two")
    path = home(store) / trail.TRAIL
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert steps(store)[-1] == ("promote", "one", "two")
    releases.point_to(store, "three")
    assert [json.loads(line)["to"] for line in path.read_text().splitlines()] == ["one", "two", "three"]


def test_a_line_that_was_cut_off_is_written_again(store: Store) -> None:
    releases.point_to(store, "one")
    releases.point_to(store, "two")
    path = home(store) / trail.TRAIL
    path.write_bytes(path.read_bytes()[:-20])
    releases.point_to(store, "three")
    assert [entry["to"] for entry in releases.told(store)] == ["one", "two", "three"]
    assert path.read_bytes().endswith(b"}\n")


def test_a_line_that_was_changed_or_taken_out_is_seen(store: Store) -> None:
    for id in ("one", "two", "three"):
        releases.point_to(store, id)
    path = home(store) / trail.TRAIL
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(DataError, match="damaged line 2"):
        releases.told(store)


PROMOTE = """
import itertools, sys
from pathlib import Path
from windlass.registry import releases
from windlass.store.store import Store
store = Store(Path(sys.argv[1]))
print("begun", flush=True)
for id in itertools.cycle(["one", "two", "three"]):
    releases.point_to(store, id)
"""
IN_PLACE = """
import itertools, json, sys
from pathlib import Path
path = Path(sys.argv[1]) / "champion.json"
print("begun", flush=True)
for number in itertools.count():
    with path.open("w") as file:
        for character in json.dumps({"release": ["one", "two"][number % 2], "history": []}):
            file.write(character)
            file.flush()
"""


def killed(program: str, folder: Path, seconds: float) -> None:
    """Runs the program and kills it -9 that long after it began."""
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("n_kills", [6, pytest.param(200, marks=pytest.mark.soak)])
def test_a_kill_while_promoting_leaves_one_champion_and_a_trail_that_leads_to_it(store: Store, n_kills: int) -> None:
    chance = random.Random(7)
    releases.point_to(store, "one")
    for _ in range(n_kills):
        killed(PROMOTE, store.project, 0.05 + 0.1 * chance.random())
        told = releases.told(store)
        assert told[-1]["to"] == releases.champion_id(store)
        assert [entry["number"] for entry in told] == list(range(1, len(told) + 1))
        assert all(entry["from"] == before["to"] for before, entry in pairwise(told))
    assert len(told) > n_kills


def test_a_pointer_written_in_place_is_torn_by_a_kill(tmp_path: Path) -> None:
    """The control of the test before."""
    torn = 0
    for number in range(20):
        killed(IN_PLACE, tmp_path, 0.02 + 0.001 * number)
        try:
            json.loads((tmp_path / "champion.json").read_text())
        except ValueError:
            torn += 1
            break
    assert torn


@pytest.mark.parametrize("damage", ['{"release": "two", "hist', '{"release": 7}', '{"release": "two", "history": 3}'])
def test_a_damaged_pointer_is_mended_by_the_trail_when_a_release_is_made_champion(store: Store, damage: str) -> None:
    """Until then whoever asks hears what is wrong; the trail and the way back stay as they were."""
    for id in ("one", "two"):
        releases.point_to(store, id)
    releases.note(store, Why("canary stopped", "windlass serve", "too slow"), "three")
    told = releases.told(store)
    (home(store) / "champion.json").write_text(damage)
    with pytest.raises(DataError, match=r"champion\.json"):
        releases.champion_id(store)
    assert releases.told(store) == told
    releases.point_to(store, "two")
    assert (releases.champion_id(store), releases.history(store)) == ("two", ["one"])
    assert steps(store)[-1] == ("promote", "two", "two")
