"""Answers for a whole file: killed and run again, it ends as if it had never been killed."""

import csv
import gzip
import io
import json
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from conftest import MESSAGES
from windlass.errors import DataError
from windlass.registry import releases
from windlass.serving.batch import files
from windlass.store.store import Store

N_ROWS = 3 * files.CHUNK + 7
PROGRAM = """
import os, signal, sys
from pathlib import Path
from windlass.registry import releases
from windlass.serving.batch import files
from windlass.store.store import Store
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


@pytest.fixture
def toy(own_store: Store):
    return releases.open_release(own_store, "toy-1")[1]


def written(path: Path) -> tuple[list[str], list[dict]]:
    """Names and rows of a CSV or JSONL file, as another program reads them."""
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return list(rows[0]), rows
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return list(reader.fieldnames), rows


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_columns_of_the_file_that_are_called_like_ours_are_kept(toy, tmp_path: Path, ending: str) -> None:
    (tmp_path / "in.csv").write_text("message,answer,confidence\nmy card is lost,42,x\n")
    counts = files.answer_file(toy, str(tmp_path / "in.csv"), tmp_path / f"out.{ending}")
    names, rows = written(tmp_path / f"out.{ending}")
    assert names == ["message", "answer", "confidence", "answer_1", "confidence_1", "error_1", "evidence_1"]
    assert [rows[0][name] for name in names[:4]] == ["my card is lost", "42", "x", "card"]
    assert counts.notes == ["columns of the file are kept ('answer', 'confidence'): answers are in 'answer_1'"]


def test_an_earlier_output_can_be_answered_again_and_again(toy, tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text("message\nmy card is lost\n=1+1\n")
    for number in range(3):
        files.answer_file(toy, str(tmp_path / f"{number}.csv"), tmp_path / f"{number + 1}.csv")
    names, rows = written(tmp_path / "3.csv")
    words = ("answer", "confidence", "error", "evidence")
    assert names == ["message", *(f"{word}{end}" for end in ("", "_1", "_2") for word in words)]
    assert [row["message"] for row in rows] == ["my card is lost", "'=1+1"]
    assert {rows[0][name] for name in ("answer", "answer_1", "answer_2")} == {"card"}


def test_what_a_spreadsheet_would_run_is_marked_and_numbers_are_not(toy, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('message,amount,=note\n"=HYPERLINK(""x"")",-3.5,@a\nmy card,+7,-2+3\n')
    files.answer_file(toy, str(tmp_path / "in.csv"), tmp_path / "out.csv")
    names, rows = written(tmp_path / "out.csv")
    assert names[:3] == ["message", "amount", "'=note"]
    assert [[row[name] for name in names[:3]] for row in rows] == [
        ['\'=HYPERLINK("x")', "-3.5", "'@a"],
        ["my card", "+7", "'-2+3"],
    ]


def test_a_first_row_that_is_broken_and_rows_with_other_columns_lose_no_column(toy, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("number,message\n1\n2,my card is lost\n")
    files.answer_file(toy, str(tmp_path / "in.csv"), tmp_path / "out.csv")
    names, rows = written(tmp_path / "out.csv")
    assert names == ["number", "message", "answer", "confidence", "error", "evidence"]
    assert rows[0]["error"] == "row 2 has 1 fields, expected 2"
    lines = [{"message": "my card is lost"}] * 300 + [{"message": "refund", "answer": 7, "shop": "a"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    files.answer_file(toy, str(tmp_path / "in.jsonl"), tmp_path / "out.csv")
    names, rows = written(tmp_path / "out.csv")
    assert names == ["message", "answer", "shop", "answer_1", "confidence_1", "error_1", "evidence_1"]
    assert (rows[-1]["answer"], rows[-1]["shop"], rows[0]["answer"]) == ("7", "a", "")


def test_rows_from_stdin_keep_a_column_that_comes_late(toy, tmp_path: Path, monkeypatch) -> None:
    lines = [{"message": "my card is lost"}] * 300 + [{"message": "refund", "answer": 7}]
    for to in (tmp_path / "out.jsonl", tmp_path / "out.csv"):
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(map(json.dumps, lines))))
        counts = files.answer_file(toy, "-", to)
    assert [written(tmp_path / "out.jsonl")[1][-1][name] for name in ("answer", "answer_1")] == [7, "refund"]
    assert written(tmp_path / "out.csv")[1][-1]["answer"] == "refund"
    assert counts.notes == ["columns that the first 256 rows lack were left out of the CSV: 'answer'"]


def test_every_kind_of_table_is_answered_alike(toy, tmp_path: Path) -> None:
    table = "message\nmy card is lost\nwhere is my refund\n"
    (tmp_path / "a.csv").write_text(table)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(table.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", table)
    pl.DataFrame({"message": table.splitlines()[1:]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps([{"message": line} for line in table.splitlines()[1:]], indent=2))
    found = []
    for name in ("a.csv", "a.csv.gz", "a.zip", "a.parquet", "a.json"):
        counts = files.answer_file(toy, str(tmp_path / name), tmp_path / "out.jsonl")
        assert (counts.answered, counts.refused) == (2, 0)
        found.append(written(tmp_path / "out.jsonl"))
    assert all(each == found[0] for each in found)


def test_a_database_is_refused_by_name(toy, tmp_path: Path) -> None:
    for place in ("postgresql://me:secret@host/db", "sqlite:///a.db"):
        with pytest.raises(DataError, match="database, expected a file") as caught:
            files.answer_file(toy, place, None)
        assert "secret" not in str(caught.value)


def test_a_file_names_no_picture_outside_its_folder_unless_that_is_allowed(release_maker, tmp_path: Path) -> None:
    for place in ("data/own.png", "private/secret.png"):
        (tmp_path / place).parent.mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / place)
    store = Store(tmp_path)
    release_maker(store, {"photo": "image"}, [])
    _, predictor = releases.open_release(store, "toy-1")
    (tmp_path / "data/in.csv").write_text(f"photo\nown.png\n../private/secret.png\n{tmp_path}/private/secret.png\n")
    to = tmp_path / "out.jsonl"
    counts = files.answer_file(predictor, str(tmp_path / "data/in.csv"), to)
    assert (counts.answered, counts.refused) == (1, 2)
    assert "`files: [" in written(to)[1][1]["error"]
    counts = files.answer_file(predictor, str(tmp_path / "data/in.csv"), to, allowed=[tmp_path / "private"])
    assert (counts.answered, counts.refused) == (3, 0)


def pictures(folder: Path) -> Path:
    for place in ("red/a.png", "b.JPG"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(folder / place)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "torn.png").write_bytes((folder / "red/a.png").read_bytes()[:40])
    return folder


def test_pictures_and_folders_of_them_are_answered_like_the_rows_that_name_them(release_maker, tmp_path: Path) -> None:
    folder, store = pictures(tmp_path / "photos"), Store(tmp_path)
    release_maker(store, {"photo": "image"}, [])
    predictor = releases.open_release(store, "toy-1")[1]
    (folder / "in.csv").write_text("photo\nb.JPG\nred/a.png\ntorn.png\n")
    wanted = files.answer_file(predictor, str(folder / "in.csv"), tmp_path / "rows.csv")
    counts = files.answer_file(predictor, str(folder), tmp_path / "out.csv", "toy-1")
    assert (counts.answered, counts.refused) == (wanted.answered, wanted.refused) == (2, 1)
    names, rows = written(tmp_path / "out.csv")
    assert names == ["photo", "answer", "confidence", "error", "evidence"]
    assert [row["photo"] for row in rows] == ["b.JPG", "red/a.png", "torn.png"]
    plain = [{name: row[name] for name in ("photo", "answer", "confidence")} for row in rows]
    theirs = written(tmp_path / "rows.csv")[1]
    assert plain == [{name: row[name] for name in ("photo", "answer", "confidence")} for row in theirs]
    assert counts.notes == [f"2 files of {folder} are no pictures by their endings: left out"]
    (tmp_path / "link.png").symlink_to(folder / "red/a.png")
    for place in (folder / "b.JPG", tmp_path / "link.png"):
        assert files.answer_file(predictor, str(place), tmp_path / "out.jsonl", "toy-1").answered == 1
        assert written(tmp_path / "out.jsonl")[1][0]["photo"] == place.name


def test_pictures_are_refused_in_words_where_they_are_no_whole_row(release_maker, toy, tmp_path: Path) -> None:
    folder, store = pictures(tmp_path / "photos"), Store(tmp_path / "both")
    release_maker(store, {"photo": "image", "note": "text"}, [])
    both = releases.open_release(store, "toy-1")[1]
    for predictor, place, words in (
        (both, folder, "is a folder, expected a file with 'photo', 'note'"),
        (toy, folder / "b.JPG", "is a picture, expected a file with 'message'"),
    ):
        with pytest.raises(DataError, match=words):
            files.answer_file(predictor, str(place), None)
    alone = Store(tmp_path / "alone")
    release_maker(alone, {"photo": "image"}, [])
    (tmp_path / "empty").mkdir()
    for place, words in (("empty", "holds no picture"), ("none.png", "does not exist")):
        with pytest.raises(DataError, match=words):
            files.answer_file(releases.open_release(alone, "toy-1")[1], str(tmp_path / place), None)


def test_what_came_in_stands_beside_the_answer_as_it_was(toy, tmp_path: Path) -> None:
    """As JSON whatever it is; in a CSV truth values and what is nested as JSON, days as ISO 8601."""
    row = {"message": "my card is lost", "vip": True, "seen": False, "tags": ["a", {"b": None}], "when": "2026-01-02",
           "n": 12345678901234567890, "x": 1.50, "no": None, "wer": {"name": "Grüße"}}  # fmt: skip
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    files.answer_file(toy, str(tmp_path / "in.jsonl"), tmp_path / "out.jsonl")
    told = written(tmp_path / "out.jsonl")[1][0]
    assert {name: told[name] for name in row} == row
    assert told["answer"] == "card"
    files.answer_file(toy, str(tmp_path / "in.jsonl"), tmp_path / "out.csv")
    cells = written(tmp_path / "out.csv")[1][0]
    assert (cells["vip"], cells["seen"], cells["when"], cells["no"]) == ("true", "false", "2026-01-02", "")
    assert json.loads(cells["tags"]) == row["tags"]
    assert json.loads(cells["wer"]) == row["wer"]


def test_days_and_times_of_a_table_are_written_as_iso_has_them(toy, tmp_path: Path) -> None:
    day, moment = date(2026, 3, 4), datetime(2026, 3, 4, 5, 6, 7)
    table = pl.DataFrame({"message": ["refund"], "day": [day], "at": [moment], "ok": [True]})
    table.write_parquet(tmp_path / "in.parquet")
    for ending, truth in (("jsonl", True), ("csv", "true")):
        files.answer_file(toy, str(tmp_path / "in.parquet"), tmp_path / f"out.{ending}")
        told = written(tmp_path / f"out.{ending}")[1][0]
        assert (told["day"], told["at"], told["ok"]) == ("2026-03-04", "2026-03-04T05:06:07", truth)


def test_broken_bytes_halves_of_characters_and_endless_nesting_cost_their_rows_alone(own_store: Store) -> None:
    """As the command reads it, from bytes."""
    program = f"""
from pathlib import Path
from windlass.registry import releases
from windlass.serving.batch import files
from windlass.store.store import Store
files.answer_file(releases.open_release(Store(Path({str(own_store.project)!r})), "toy-1")[1], "-", None)
"""
    whole, half = b'{"message": "my card is lost"}', b'{"message": "half \\ud800"}'
    lines = [whole, b'{"message": "bro\xffken"}', half, b"[" * 100_000]
    done = subprocess.run([sys.executable, "-c", program], input=b"\n".join(lines), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert [line["answer"] for line in found] == ["card", None, None, None]
    assert found[1]["error"] == "row 2 holds bytes that are no characters of its encoding, expected text"
