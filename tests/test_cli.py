"""The commands as a person meets them: what they print, where, and with which exit code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from windlass.cli import app
from windlass.commands import doctor, failures, speech
from windlass.language import rendering
from windlass.language.chosen import speaking
from windlass.lifecycle import STAGES
from windlass.store import stage_times
from windlass.store.json_files import write_json
from windlass.store.store import Store

from .stages.conftest import messages


def windlass(*arguments: str, folder: Path, stdin: str = "") -> subprocess.CompletedProcess:
    environment = {**os.environ, "COLUMNS": "100", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "windlass.cli", *arguments],
        cwd=folder,
        text=True,
        input=stdin,
        capture_output=True,
        env=environment,
        timeout=500,  # `improve` lets all others go first
        check=False,
    )


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A product that was guessed, walked and released by its commands."""
    folder = tmp_path_factory.mktemp("desk")
    rows = "\n".join(["message,intent", *(",".join(row) for row in messages(150))])
    (folder / "tickets.csv").write_text(rows + "\n", encoding="utf-8")
    assert windlass("init", "tickets.csv", folder=folder).returncode == 0
    with (folder / "windlass.yaml").open("a", encoding="utf-8") as file:
        file.write("learners: [majority, linear]\n")
    result = windlass("run", folder=folder)
    assert result.returncode == 0, result.stderr
    return folder, result


def test_run_prints_the_leaderboard_to_stdout_and_its_progress_to_stderr(desk):
    _, result = desk
    assert "linear" in result.stdout
    assert "collect   150 rows in = 150 accepted + 0 rejected" in result.stderr
    assert "is the champion" in result.stderr


def test_one_row_and_whole_files_are_answered(desk):
    folder, _ = desk
    one = json.loads(windlass("predict", '{"message": "refund please"}', folder=folder).stdout)
    assert one["value"] == "refund"
    (folder / "in.csv").write_text("id,message\n1,我想退款\n2\n3,where is my parcel\n", encoding="utf-8")
    result = windlass("predict", "in.csv", "--to", "out.jsonl", folder=folder)
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["answer"] for line in lines][::2] == ["refund", "delivery"]
    assert "has 1 fields, expected 2" in lines[1]["error"]
    assert "2 answered, 1 refused" in result.stderr
    piped = windlass("predict", "-", folder=folder, stdin='{"message": "cannot log in"}\n')
    assert json.loads(piped.stdout)["answer"] == "account"


def test_every_stage_has_its_command_and_gives_json(desk):
    folder, _ = desk
    for word in ("collect", "prepare", "train", "compress", "evaluate", "release"):
        result = windlass(word, "--json", folder=folder)
        assert result.returncode == 0, result.stderr
        assert isinstance(json.loads(result.stdout), dict), word
    assert json.loads(windlass("releases", "--json", folder=folder).stdout)[0]["champion"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run",), 4, "windlass init DATA"),
        (("init", "nothing.csv"), 3, "does not exist"),
        (("new", "suport-desk"), 2, "did you mean 'support-desk'"),
        (("predict", "{}"), 4, "windlass.yaml"),
        (("rollback",), 4, "release"),
    ],
)
def test_a_mistake_is_told_in_two_lines_with_its_exit_code(tmp_path, arguments, code, words):
    result = windlass(*arguments, folder=tmp_path)
    assert result.returncode == code
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_refused_release_says_by_how_much_and_exits_with_1(desk, tmp_path):
    folder, _ = desk
    (tmp_path / "tickets.csv").write_bytes((folder / "tickets.csv").read_bytes())
    spec = (folder / "windlass.yaml").read_text(encoding="utf-8").replace("goal: accuracy", "goal: accuracy >= 1.0", 1)
    (tmp_path / "windlass.yaml").write_text(spec.replace("[majority, linear]", "[majority]"), encoding="utf-8")
    result = windlass("run", folder=tmp_path)
    assert result.returncode == 1
    assert "release refused: accuracy is 0.3" in result.stderr


def test_help_names_every_stage_and_imports_nothing_heavy(tmp_path, monkeypatch):
    """0.2 s on a quiet machine. What it imports is the same on a busy one."""
    result = windlass("--help", folder=tmp_path)
    for stage in STAGES:
        assert f"  {stage.word} " in result.stdout
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    imported = [line.rpartition("|")[2].strip() for line in windlass("--help", folder=tmp_path).stderr.splitlines()]
    assert "typer" in imported, "control"
    heavy = {"numpy", "polars", "scipy", "sklearn", "lightgbm", "onnxruntime", "torch", "transformers", "starlette"}
    assert not heavy & set(imported), "a heavy import slipped into the command line"
    assert len(imported) < 1_000


def test_help_in_chinese_looks_for_no_template(monkeypatch, capsys):
    """Each text of it has a twin as it stands, so that it costs no more than English: the index is half of a look."""
    monkeypatch.setattr(rendering, "_index", lambda: pytest.fail("a text of --help has no twin of its own"))
    monkeypatch.setattr(sys, "argv", ["windlass", "--language", "zh", "--help"])
    with speaking("en"):
        assert failures.ended(lambda: speech.run(app)) == 0
    assert "把数据读成行" in capsys.readouterr().out


def test_version_and_doctor_speak_json(tmp_path, monkeypatch, capsys):
    """Of what every installation has, and of what none has: what fine-tunes and trains takes long to import."""
    assert json.loads(windlass("version", "--json", folder=tmp_path).stdout)["windlass"]
    always = [part for part in doctor.PARTS if not part[2]]
    monkeypatch.setattr(doctor, "PARTS", (*always, ("read tea leaves", ("tea_leaves",), "train")))
    monkeypatch.setattr(sys, "argv", ["windlass", "doctor", "--json"])
    assert failures.ended(app) == 0
    works = {part["feature"]: part["works"] for part in json.loads(capsys.readouterr().out)}
    assert works["linear models"]
    assert works["the HTTP service"]
    assert not works["read tea leaves"]


def test_doctor_says_where_the_time_went_on_this_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "PARTS", ())
    store = Store(tmp_path)
    assert doctor.spent(tmp_path) == []
    stage_times.note(store, "collect", 1.0)
    stage_times.note(store, "train", 99.0)
    write_json(
        store.stage("train") / "train.json",
        {"runs": [{"name": "linear", "seconds": 3.0}, {"name": "cnn", "seconds": 66}]},
    )
    monkeypatch.setattr(sys, "argv", ["windlass", "doctor", "--project", str(tmp_path)])
    assert failures.ended(app) == 0
    said = capsys.readouterr().out
    assert "the last run of each stage here took 1.7 min on this machine:" in said
    assert re.search(r"train +1\.6 min +99\.0 %  cnn 1\.1 min, linear 3\.0 s", said)
    (store.folder / stage_times.FILE).write_text("{", encoding="utf-8")
    assert [part.name for part in doctor.spent(tmp_path)] == ["linear", "cnn"]


@pytest.mark.soak
def test_doctor_tries_every_part(tmp_path):
    parts = json.loads(windlass("doctor", "--json", folder=tmp_path).stdout)
    assert len(parts) == len(doctor.PARTS) + 2
    assert {part["feature"] for part in parts} >= {"linear models", "the HTTP service"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "stopped; `windlass run` goes on from here"),
        (["--json", "release", "linear"], "stopped; `windlass run` goes on from here"),
        (["serve", "--port", "0"], "stopped before it served"),
        (["predict", "rows.csv", "--to", "out.csv"], "stopped; the same command goes on from here"),
        (["predict", "rows.csv"], "stopped"),
        (["demo"], "stopped"),
        ([], "stopped"),
    ],
)
def test_a_command_that_is_stopped_says_what_is_true_of_it(arguments, says, monkeypatch, capsys):
    """`windlass serve` said that `windlass run` goes on from here."""

    def interrupted(**named):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["windlass", *arguments])
    assert (failures.ended(interrupted), capsys.readouterr().err) == (130, f"{says}\n")


@pytest.mark.parametrize("asked", [[], ["--doubts"], ["--history"], ["--ask", "3"], ["--accept", "x"]])
def test_improve_takes_its_options(desk, asked):
    """It takes options of two kinds, which once could not be given together: every call was an internal error."""
    result = windlass("improve", *asked, folder=desk[0])
    assert "internal error" not in result.stderr
    assert result.returncode in (0, 3, 4), result.stderr


def test_the_version_is_an_option_as_well(tmp_path):
    asked = windlass("--version", folder=tmp_path)
    assert (asked.stdout, asked.returncode) == (windlass("version", folder=tmp_path).stdout, 0)


def test_ctrl_c_in_a_command_says_that_running_it_again_goes_on(monkeypatch, capsys):
    """Typer ends the command by itself, with the code and without a word."""
    typed = typer.Typer()

    @typed.command()
    def run():
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["windlass"])
    told = failures.ended(lambda: typed([]))
    assert (told, capsys.readouterr().err) == (130, "stopped\n")
    monkeypatch.setattr(sys, "argv", ["windlass", "run"])
    failures.ended(lambda: typed([]))
    assert capsys.readouterr().err == "stopped; `windlass run` goes on from here\n"


def test_a_goal_of_another_output_is_refused_before_a_stage_is_run(tmp_path):
    (tmp_path / "a.csv").write_text("size,price\n1,2\n", encoding="utf-8")
    spec = "name: a\ndata: a.csv\ninputs: {size: number}\noutput: {price: number}\ngoal: accuracy >= 0.9\n"
    (tmp_path / "windlass.yaml").write_text(spec, encoding="utf-8")
    asked = windlass("run", folder=tmp_path)
    assert asked.returncode == 2
    assert asked.stderr.startswith("error: goal asks for 'accuracy' of an output that is 'number', expected one of")
    assert not (tmp_path / ".windlass" / "collect" / "collect.json").exists()
