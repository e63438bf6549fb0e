"""`windlass repair`: what it asks, what it tries, and what it tells."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from windlass import cli
from windlass.errors import DataError, NotReady
from windlass.predictors.retrieval.edits import one_change
from windlass.predictors.retrieval.repair import Repaired
from windlass.repair.search import Repair, champion, mend, proposals, read_tests
from windlass.sandbox.programs import run_program

try:
    run_program("pass")
except NotReady as error:
    pytest.skip(error.message, allow_module_level=True)

RIGHT = """def largest(numbers):
    best = numbers[0]
    for number in numbers:
        if number > best:
            best = number
    return best
"""
TESTS = """from largest import largest
row = [1, 3, 2]
assert largest(row) == 3

def test_negative():
    assert largest([-2, -1]) == -1
"""


def files(folder: Path, program: str, tests: str = TESTS) -> tuple[Path, Path]:
    (folder / "largest.py").write_text(program)
    (folder / "checks.py").write_text(tests)
    return folder / "largest.py", folder / "checks.py"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(">", "<"), ("return best", "best"), ("best = numbers[0]", "best = numbers[1]"), ("in numbers", "in nubmers")],
)
def test_one_mistake_is_found_and_the_file_is_changed_only_when_asked(tmp_path, right, wrong):
    tests = TESTS + "assert largest([7]) == 7\n"
    program, checks = files(tmp_path, RIGHT.replace(right, wrong), tests)
    assert mend(program, checks, tmp_path, 100).repaired.program == RIGHT
    assert program.read_text() == RIGHT.replace(right, wrong)
    mend(program, checks, tmp_path, 100, write=True)
    assert program.read_text() == RIGHT


def test_a_second_mistake_is_mended_where_the_first_repair_made_more_tests_hold(tmp_path):
    """One change makes the empty list right; another then the sum."""
    right = "def total(row):\n    result = 0\n    for number in row:\n        result += number\n    return result\n"
    broken = right.replace("= 0", "= 1").replace("+=", "-=")
    program, tests = files(tmp_path, broken, "assert total([]) == 0\nassert total([1, 2]) == 3\n")
    assert mend(program, tests, tmp_path, 60).repaired.program == right
    assert not mend(program, tests, tmp_path, 1).repaired.passed


def test_the_command_tells_people_the_difference_and_programs_json(tmp_path):
    def repair(body: str, *more: str) -> Result:
        program, tests = files(tmp_path, body)
        return CliRunner().invoke(cli.app, ["repair", str(program), "--tests", str(tests), *more])

    told = repair(RIGHT.replace(">", "<"))
    assert told.exit_code == 0
    assert "repaired: all 2 tests hold" in told.stdout
    assert "+        if number > best:" in told.stdout
    assert json.loads(repair(RIGHT.replace(">", "<"), "--json").stdout)["program"] == RIGHT
    hopeless = repair("def largest(numbers):\n    pass\n")
    assert hopeless.exit_code == 1
    assert "not repaired" in hopeless.stdout


@pytest.mark.parametrize("tests", ["largest([1])\n", "", "assert largest(\n"])
def test_a_file_without_tests_is_refused_with_an_example(tmp_path, tests):
    with pytest.raises(DataError, match="expected") as refused:
        mend(*files(tmp_path, RIGHT, tests), tmp_path, 10)
    assert "assert double(2) == 4" in refused.value.hint


def test_lines_that_are_no_tests_run_before_them():
    before, checks = read_tests(TESTS, "checks.py", "largest")
    assert before.startswith("row = [1, 3, 2]\n")
    assert "import" not in before
    assert checks == ["assert largest(row) == 3", "test_negative()"]


def test_without_a_project_nothing_is_asked_and_nothing_is_left_behind(tmp_path):
    assert champion(tmp_path) is None
    assert proposals(None)("def f(a):\n    return a < 1\n", "") == one_change("def f(a):\n    return a < 1\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_python_has_no_changes():
    assert one_change("def f(:") == []
    assert all(each != "x = 1 + 2" for each in one_change("x = 1 + 2"))


def test_a_file_that_is_repaired_stays_what_it_was(tmp_path):
    """Its mode, and the link that names it; control: the old way made it 0644 and put a file in the link's place."""
    (tmp_path / "real").mkdir()
    program, checks = files(tmp_path / "real", RIGHT.replace(">", "<"))
    program.chmod(0o755)
    link = tmp_path / "largest.py"
    link.symlink_to(program)
    assert mend(link, checks, tmp_path, 100, write=True).repaired.passed
    assert link.is_symlink()
    assert program.read_text() == RIGHT
    assert program.stat().st_mode & 0o7777 == 0o755
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["checks.py", "largest.py"]


def test_a_file_with_two_names_is_not_repaired_in_one_of_them(tmp_path):
    program, checks = files(tmp_path, RIGHT.replace(">", "<"))
    (tmp_path / "other.py").hardlink_to(program)
    with pytest.raises(NotReady, match=r"largest.py has 2 names \(hard links\), expected one"):
        mend(program, checks, tmp_path, 100, write=True)
    assert program.read_text() == RIGHT.replace(">", "<")


def test_what_a_stranger_s_program_says_does_not_act_on_the_terminal():
    """Escape sequences, a bell: the title of the window was set by the message of an exception."""
    said = "Exception: \x1b]0;pwned\x07\x1b[31mred"
    told = str(Repair(Repaired("x = 1\n", False, 3, said), 1, "-a\n+\x1b[31mb\n"))
    assert not set(told) & {"\x1b", "\x07"}
    assert "red" in told
    assert "+" in told
