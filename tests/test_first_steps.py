"""What a person meets in a terminal of 80 columns in the first ten minutes."""

import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from windlass.blueprints import catalogue
from windlass.cli import app
from windlass.errors import SpecError
from windlass.lifecycle import ORDER, check
from windlass.spec import parse

SPEC = "name: desk\ndata: t.csv\ninputs: {message: text, shape: category}\noutput: {intent: category}\n"


def said(*arguments: str) -> str:
    return CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).invoke(app, list(arguments)).output


def test_help_is_in_whole_sentences_that_fit():
    lines = [line for line in said("--help").splitlines() if re.match(r"  [a-z]+ {2,}[A-Z]", line)]
    assert len(lines) > 30
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []
    assert max(map(len, lines)) <= 80


def test_new_lists_each_product_with_its_minutes_and_what_it_does():
    text = said("new")
    assert max(map(len, text.splitlines())) < 80
    for name, minutes, told in catalogue.listing():
        assert re.search(rf"^{name} +{re.escape(minutes)} min  [A-Z]", text, re.MULTILINE)
        assert told.endswith(".")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("learners: [xgboost]", r"learner is 'xgboost'.*\n.*`trees` learns so: "),
        ("learners: [Random_Forest]", "`trees` learns so"),
        ("learners: [{linear: fast}]", r"'linear' is given 'fast', expected its name alone\n.*`learners: \[linear\]`"),
        ("learners: [{linear: {C: 3}}]", "each a name or {name: preset}; what else a learner needs, it chooses"),
        ("learners: [{cnn: hugee}]", "preset of 'cnn' is 'hugee'"),
    ],
)
def test_learners_are_checked_before_anything_is_run(changed, words):
    with pytest.raises(SpecError, match=words):
        check(parse(f"{SPEC.replace('text, shape: category', 'image') if 'cnn' in changed else SPEC}{changed}\n"))


@pytest.mark.parametrize(("column", "kind"), [("message", "text"), ("intent", "category")])
def test_a_kind_that_there_is_not_names_file_and_column(column, kind):
    with pytest.raises(SpecError, match=rf"windlass\.yaml: kind of column '{column}' is 'txt', expected one of 'text'"):
        check(parse(SPEC.replace(f"{column}: {kind}", f"{column}: txt")))


def test_serve_without_a_release_leads_to_what_makes_one(tmp_path):
    (tmp_path / "windlass.yaml").write_text(SPEC)
    command = [sys.executable, "-m", "windlass", "serve", "--project", str(tmp_path), "--port", "0"]
    ended = subprocess.run(command, text=True, capture_output=True, check=False)
    assert ended.returncode == 4
    assert "hint: `windlass run` makes one, or says what is missing" in ended.stderr


def test_each_stage_of_a_run_can_be_done_once_more():
    """As the guide says: `--again` and `--json` of each."""
    commands = typer.main.get_command(app).commands
    for word in ORDER:
        options = {name for parameter in commands[word].params for name in parameter.opts}
        assert {"--again", "--json"} <= options, word
