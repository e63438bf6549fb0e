"""Answers for a whole file: killed and run again, it ends as if it had never been killed."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import MESSAGES
from windlass.predictors import releases
from windlass.serving import files
from windlass.store import Store

N_ROWS = 3 * files.CHUNK + 7
PROGRAM = """
import os, signal, sys
from pathlib import Path
from windlass.predictors import releases
from windlass.serving import files
from windlass.store import Store
files.SAVE_S = 0.0
release, predictor = releases.open_release(Store(Path({store!r})), "toy-1")
engine, calls = predictor.engine, []
def killed(batches):
    calls.append(1)
    if len(calls) == {kill}:
        os.kill(os.getpid(), signal.SIGKILL)
    return engine(batches)
object.__setattr__(predictor, "engine", killed)
{way}
counts = files.answer_file(predictor, {source!r}, Path({to!r}), release.id)
print(counts.answered, counts.refused, counts.taken_over)
"""
IN_PLACE = """
class InPlace(files.Unfinished):
    def __init__(self, to, mark, feed):
        super().__init__(to, [], feed)
        self.aside = to
files.Unfinished = InPlace
"""
NEVER = 10**6


def run(store: Store, source: Path, to: Path, kill: int, way: str = "") -> str:
    program = PROGRAM.format(store=str(store.project), source=str(source), to=str(to), kill=kill, way=way)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == (0 if kill == NEVER else -9), done.stderr
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Rows with a comma, a quote and a line break, and two that cannot be answered."""
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "message"])
        for number in range(N_ROWS):
            writer.writerow([number, f'{MESSAGES[number % len(MESSAGES)]}, "{number}"\nplease'])
    with path.open("a", encoding="utf-8") as file:
        file.write("too,many,fields\n1\n")
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_run_that_was_killed_goes_on_and_ends_like_one_that_was_not(
    own_store: Store, source: Path, tmp_path: Path, ending: str
) -> None:
    """Its control writes in place: killed, it leaves a file that is cut off under the name of a whole one."""
    whole, resumed, torn = (tmp_path / f"{name}.{ending}" for name in ("whole", "resumed", "torn"))
    release, predictor = releases.open_release(own_store, "toy-1")
    counts = files.answer_file(predictor, str(source), whole, release.id)
    assert (counts.answered, counts.refused, counts.taken_over) == (N_ROWS, 2, 0)
    run(own_store, source, resumed, 3)
    assert not resumed.exists()
    said = run(own_store, source, resumed, NEVER)
    assert said == f"{N_ROWS} 2 {2 * files.CHUNK}"
    assert resumed.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.glob(".*.*")) == []

    run(own_store, source, torn, 3, IN_PLACE)
    assert torn.exists()
    assert torn.read_bytes() != whole.read_bytes()


def test_a_journal_of_other_rows_or_of_another_release_is_of_no_use(
    own_store: Store, source: Path, tmp_path: Path
) -> None:
    to = tmp_path / "out.jsonl"
    run(own_store, source, to, 3)
    _, predictor = releases.open_release(own_store, "toy-1")
    assert files.answer_file(predictor, str(source), to, "toy-9").taken_over == 0
    run(own_store, source, to, 3)
    source.write_text("number,message\n1,my card is lost\n")
    counts = files.answer_file(predictor, str(source), to, "toy-1")
    assert (counts.answered, counts.taken_over) == (1, 0)
    assert json.loads(to.read_text())["answer"] == "card"
