"""The diagnostic log: what failed inside is found there, nothing that a user wrote is, and it never ends a command."""

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from windlass.errors import DataError
from windlass.learners import table as learners
from windlass.learners.contract import Learner
from windlass.project import Project
from windlass.store import diagnostics
from windlass.store.diagnostics import LOG, MOST_BYTES

from .stages.conftest import Product, messages
from .tables import with_line

SECRET = "my card is 4929-SECRET"


@pytest.fixture
def folder(tmp_path, log_in) -> Path:
    log_in(tmp_path)
    return tmp_path


def logged(folder: Path) -> str:
    return (folder / LOG).read_text(encoding="utf-8")


def warn(error: BaseException, words: str = "it failed", *arguments: object) -> None:
    logging.getLogger("windlass.serving").warning(words, *arguments, exc_info=error)


def raised() -> DataError:
    """An error that hides what it came of, as those for users do; both quote a row."""
    try:
        try:
            raise OSError(errno.ENOSPC, SECRET, SECRET)
        except OSError as error:
            error.add_note(SECRET)
            raise DataError(f"row 0 is '{SECRET}', expected a number", SECRET) from None
    except DataError as error:
        return error


def test_a_record_names_room_message_types_and_places_of_the_whole_chain(folder):
    warn(raised(), "release '%s' is\nrefused", "toy-1")
    head, error, place, cause, deepest = logged(folder).splitlines()
    assert f" WARNING windlass.serving [{os.getpid()}] release 'toy-1' is refused" in head
    assert error == "  windlass.errors.DataError (data_error)"
    assert cause == "  caused by OSError (ENOSPC)"
    for line in (place, deepest):
        assert line.startswith(f'    File "{__file__}", line ')
        assert line.endswith(", in raised")


def test_no_word_of_an_exception_is_written(folder):
    """Control: Python's own traceback has them all."""
    warn(raised())
    warn(ExceptionGroup(SECRET, [ValueError(SECRET)]))
    warn(UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET))
    assert "SECRET" not in logged(folder)
    assert "of ValueError\n" in logged(folder)
    record = logging.LogRecord("a", logging.ERROR, "", 0, "", (), (DataError, raised(), None))
    assert "SECRET" in logging.Formatter().format(record)
    assert "SECRET" not in diagnostics.PlainFormatter().format(record)


def test_nothing_is_made_before_something_is_said_or_without_a_store(folder, log_in):
    assert list(folder.iterdir()) == []
    log_in(folder / "nothing")
    warn(ValueError())
    assert list(folder.iterdir()) == []


def test_the_file_may_be_read_by_others_like_those_of_the_store(folder):
    before = os.umask(0o077)
    try:
        warn(ValueError())
    finally:
        os.umask(before)
    assert (folder / LOG).stat().st_mode & 0o777 == 0o644


def test_it_rotates_and_stays_within_two_files(folder):
    for _ in range(6_000):
        logging.getLogger("windlass.serving").warning("x" * 400)
    files = {path.name: path.stat().st_size for path in (folder / LOG).parent.iterdir()}
    assert set(files) == {"windlass.log", "windlass.log.1"}
    assert all(size < MOST_BYTES + 1_000 for size in files.values())


def test_processes_that_write_at_once_lose_no_record_and_rotate_once(folder):
    """Four processes, 1.6 MB together: one rotation, every line whole."""
    program = (
        "import logging, sys; from pathlib import Path; from windlass.store import diagnostics\n"
        "diagnostics.keep_in(Path(sys.argv[1]))\n"
        "for number in range(1000): logging.getLogger('windlass.x').warning(f'{sys.argv[2]}-{number} ' + 'x' * 330)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(folder), str(each)]) for each in range(4)]
    assert [writer.wait(120) for writer in writers] == [0] * 4
    lines = [line for path in (folder / LOG).parent.iterdir() for line in path.read_text().splitlines()]
    assert {line.split()[4] for line in lines} == {f"{each}-{n}" for each in range(4) for n in range(1000)}
    assert len(lines) == 4_000
    assert all(line.endswith("x" * 330) for line in lines)


@pytest.mark.parametrize("spoil", ["a file in its place", "no space"])
def test_a_log_that_cannot_be_written_ends_nothing(folder, monkeypatch, spoil, capsys):
    if spoil == "no space":
        monkeypatch.setattr(diagnostics.os, "write", lambda handle, content: 0)
    else:
        (folder / "logs").write_text("", encoding="utf-8")
    warn(ValueError())
    assert capsys.readouterr().err == ""


def test_a_learner_that_quotes_a_row_leaves_none_of_it_in_the_log(tmp_path):
    """The board's line has the words, which are the user's own; the log that it names has the place."""

    def broken(splits, options, budget, progress):
        return {}[splits.train["message"][0]]

    product = Product(tmp_path)
    product.csv([(f"{SECRET} {number} {text}", label) for number, (text, label) in enumerate(messages(120))])
    product.spec(learners=["majority", "broken"])
    with with_line(learners.LEARNERS, "broken", Learner("broken", "", learners.ANY, learners.CATEGORY, broken)):
        run = next(run for run in Project(tmp_path).train() if run.name == "broken")
    assert "SECRET" in run.reason
    assert str(product.store.folder / LOG) in run.reason
    text = logged(product.store.folder)
    assert "training broken failed" in text
    assert "  KeyError\n" in text
    assert "<locals>.broken\n" in text
    assert "SECRET" not in text


def command(*arguments: str, folder: Path, program: str = "from windlass.cli import main; main()") -> str:
    """What a command says on stderr."""
    line = [sys.executable, "-c", program, *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=120, check=False).stderr


FAILING = """
from windlass import cli
from windlass.sources import guess
def fail(*_):
    raise ValueError("words of its own")
guess.write_guess = fail
cli.main()
"""


def test_debug_shows_the_lines_and_the_whole_traceback(tmp_path):
    (tmp_path / ".windlass").mkdir()
    plain = command("init", "rows.csv", folder=tmp_path, program=FAILING)
    assert len(plain.splitlines()) == 2
    assert f"its traceback is in .windlass/{LOG}" in plain
    debug = command("--debug", "init", "rows.csv", folder=tmp_path, program=FAILING)
    assert " ERROR windlass [" in debug
    assert "`windlass init` failed" in debug
    assert "ValueError: words of its own" in debug
    assert debug.splitlines()[-2].startswith("error: internal error ")
    text = logged(tmp_path / ".windlass")
    assert text.count("`windlass init` failed") == 2
    assert "words of its own" not in text


def test_a_store_that_cannot_be_written_changes_no_command(tmp_path):
    """A file stands where the folder of the log would; root could write to a folder that is read-only."""
    (tmp_path / ".windlass").mkdir()
    (tmp_path / ".windlass" / "logs").touch()
    said = command("init", "rows.csv", folder=tmp_path, program=FAILING)
    assert len(said.splitlines()) == 2
    assert "its traceback is in " in said
    assert command("version", folder=tmp_path) == ""


@pytest.mark.parametrize("program", ["import windlass", "from windlass.__main__ import main"])
def test_an_import_of_the_package_loads_no_logging(program):
    done = [sys.executable, "-c", f"import sys; {program}; print('logging' in sys.modules)"]
    assert subprocess.run(done, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("name", ["a link", "a link of the folder", "a second name", "a pipe", "a dangling link"])
def test_a_log_that_a_stranger_laid_out_is_not_written(folder, tmp_path_factory, name, capsys):
    """A cloned project may bring any of them; a pipe that nobody reads once held the command for good."""
    foreign = tmp_path_factory.mktemp("home") / "windlass.log"
    foreign.write_text("mine\n", encoding="utf-8")
    foreign.chmod(0o600)
    if name == "a link of the folder":
        (folder / "logs").symlink_to(foreign.parent)
    else:
        (folder / "logs").mkdir()
        lay = {
            "a link": lambda path: path.symlink_to(foreign),
            "a second name": lambda path: path.hardlink_to(foreign),
            "a pipe": os.mkfifo,
            "a dangling link": lambda path: path.symlink_to(foreign.with_name("new")),
        }
        lay[name](folder / LOG)
    warn(ValueError())
    assert (foreign.read_text(encoding="utf-8"), foreign.stat().st_mode & 0o777) == ("mine\n", 0o600)
    assert [path.name for path in foreign.parent.iterdir()] == ["windlass.log"]
    assert capsys.readouterr().err == ""
    assert diagnostics.log_unexpected(folder, ValueError(), "x")[1] != folder / LOG


def test_a_link_in_the_place_of_the_older_log_is_replaced_and_not_followed(folder, tmp_path_factory):
    foreign = tmp_path_factory.mktemp("home") / "mine"
    foreign.write_text("mine", encoding="utf-8")
    (folder / "logs").mkdir()
    (folder / LOG).write_bytes(b"x" * MOST_BYTES)
    (folder / f"{LOG}.1").symlink_to(foreign)
    warn(ValueError())
    assert foreign.read_text(encoding="utf-8") == "mine"
    assert (folder / f"{LOG}.1").read_bytes() == b"x" * MOST_BYTES
