"""How commands end: one or two lines and an exit code, whatever the disk, the pipe and the encoding do."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from windlass.commands import failures
from windlass.errors import DataError, GateRefused, NotReady, SpecError
from windlass.store.diagnostics import log_unexpected
from windlass.store.store import Store

from .brief import briefly_timed
from .stages.conftest import Product, messages

REFUND = "我要退款"


def windlass(*arguments: str, folder: Path, encoding: str = "utf-8", **more: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"}
    values = {"cwd": folder, "env": environment, "timeout": 120, "check": False} | more
    pipes = {name: subprocess.PIPE for name in ("stdout", "stderr") if name not in more}
    return subprocess.run([sys.executable, "-m", "windlass.cli", *arguments], **values, **pipes)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    from windlass.project import Project

    product = Product(tmp_path_factory.mktemp("desk"))
    product.csv(messages(90))
    product.spec(learners=["majority", "linear"])
    with briefly_timed():
        Project(product.folder).release()
    (product.folder / "asked.csv").write_text(f"message\n{REFUND}😀\n", encoding="utf-8")
    return product.folder


# errors ---------------------------------------------------------------------------------------------------------------


def raising(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (GateRefused("no"), 1, "error: no\n"),
        (SpecError("no", "yes"), 2, "error: no\nhint: yes\n"),
        (DataError("no"), 3, "error: no\n"),
        (NotReady("no"), 4, "error: no\n"),
        (OSError(errno.ENOSPC, "x", "a/b"), 4, "error: a/b cannot be written (no space left on device), expected room"),
        (OSError(errno.EROFS, "x", "a/b"), 4, "error: a/b cannot be written (read-only file system), expected room"),
        (PermissionError(errno.EACCES, "x", "a/b"), 4, "error: a/b cannot be used (permission denied), expected"),
        (OSError(errno.EIO, "x"), 4, "error: a file or connection cannot be used (input/output error), expected"),
        (MemoryError(), 4, "error: this machine has too little memory"),
        (KeyboardInterrupt(), 130, "stopped; `windlass run` goes on from here\n"),
        (BrokenPipeError(errno.EPIPE, "x"), 141, ""),
        (ModuleNotFoundError("no", name="torch"), 4, "error: 'torch' is not installed, expected it"),
        (SystemExit(2), 2, ""),
        (SystemExit(), 0, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_error_is_told_in_words_with_its_exit_code(error, code, words, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["windlass", "run"])
    assert failures.ended(raising(error)) == code
    said = capsys.readouterr().err
    assert said.startswith(words)
    assert bool(said) == bool(words)
    assert len(said.splitlines()) <= 2


@pytest.mark.parametrize(
    "error",
    [
        ValueError("boo"),
        ModuleNotFoundError("No module named Umbrella", name="windlass.nothing"),
        RecursionError("deep"),
    ],
)
def test_what_nobody_foresaw_is_one_line_that_names_the_log(error, tmp_path, capsys, monkeypatch):
    """Control: the traceback is in the log under the id that the line gives, without the error's own words."""
    store = Store(tmp_path)
    store.stage("collect")
    monkeypatch.setattr(sys, "argv", ["windlass", "run", "--project", str(tmp_path)])
    assert failures.ended(raising(error)) == 70
    said = capsys.readouterr().err
    assert "Traceback" not in said
    id, log = said.split("internal error ")[1].split()[0], tmp_path / ".windlass" / "logs" / "windlass.log"
    assert f"its traceback is in {log}\n" in said
    text = log.read_text(encoding="utf-8")
    assert f"`windlass run` failed (traceback {id})" in text
    assert f"  {type(error).__name__}\n" in text
    assert f'File "{__file__}"' in text
    assert "in raising.<locals>.command" in text
    assert str(error) not in text.replace(str(tmp_path), "").replace(__file__, "")


def test_a_traceback_is_kept_elsewhere_where_the_project_cannot_be_written(tmp_path, monkeypatch):
    """No project there; nor a folder for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    id, path = log_unexpected(tmp_path / "nothing", ValueError("boo"), "training")
    assert path is not None
    assert path.parent == tmp_path
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"training failed (traceback {id})\n  ValueError\n" in path.read_text()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nothing"))
    assert log_unexpected(tmp_path / "nothing", ValueError("boo"), "training")[1] is None


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (["run", "--project", "a"], "a"),
        (["run", "-p", "b"], "b"),
        (["run", "--project=c"], "c"),
        (["run"], "."),
        ([], "."),
    ],
)
def test_the_project_is_read_from_the_command_line(arguments, folder):
    assert failures.project_named(arguments) == Path(folder)


# encodings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8", "gbk", "latin-1"])
def test_what_a_stream_cannot_hold_is_escaped_and_json_stays_json(desk, encoding):
    result = windlass("predict", "asked.csv", folder=desk, encoding=encoding)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.decode(encoding))["message"] == f"{REFUND}😀"
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command", [("evaluate",), ("train",), ("prepare",), ("releases",), ("explain", '{"message": "refund"}')]
)
def test_pages_for_a_terminal_are_printed_in_any_encoding(desk, command):
    result = windlass(*command, folder=desk, encoding="cp1252")
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_standard_input_that_is_no_utf8_is_refused_row_by_row(desk):
    rows = '{"message": "退款"}\n'.encode() + '{"message": "退款"}\n'.encode("gbk")
    result = windlass("predict", "-", folder=desk, encoding="cp1252", input=rows)
    assert result.returncode == 0, result.stderr
    first, second = (json.loads(line) for line in result.stdout.decode().splitlines())
    assert first["message"] == "退款"
    assert second["error"]


# pipes and disks ------------------------------------------------------------------------------------------------------


def test_a_pipe_that_closes_is_no_noise(desk):
    """Like `windlass ... | head -0`; more than a pipe holds, and less."""
    many = "message\n" + "".join(f"refund please {number}\n" for number in range(3_000))
    (desk / "many.csv").write_text(many, encoding="utf-8")
    for arguments in (("predict", "many.csv"), ("releases",)):
        read, write = os.pipe()
        os.close(read)
        result = windlass(*arguments, folder=desk, stdout=write)
        os.close(write)
        assert result.returncode in (1, 141)
        assert b"Traceback" not in result.stderr
        assert b"Exception ignored" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_under_stdout_is_told(desk):
    with Path("/dev/full").open("wb") as full:
        result = windlass("releases", folder=desk, stdout=full)
    assert result.returncode == 4
    assert b"cannot be written (no space left on device)" in result.stderr
    assert b"Traceback" not in result.stderr


# nothing done ---------------------------------------------------------------------------------------------------------


def test_to_forget_nothing_is_an_error(desk):
    result = windlass("forget", "nobody", "nothing", folder=desk)
    assert result.returncode == 3
    assert b"nothing is forgotten: the log knows none of the 2 ids" in result.stderr


def test_a_file_of_which_every_row_is_refused_is_an_error(desk):
    """Control: with one good row it is none."""
    (desk / "bad.csv").write_text("message\na,b\nc,d\n", encoding="utf-8")
    result = windlass("predict", "bad.csv", "--to", "out.csv", folder=desk)
    assert result.returncode == 3
    assert b"none of the 2 rows of bad.csv was answered" in result.stderr
    assert "has 2 fields" in (desk / "out.csv").read_text(encoding="utf-8")
    (desk / "bad.csv").write_text("message\na,b\nrefund\n", encoding="utf-8")
    assert windlass("predict", "bad.csv", "--to", "out.csv", folder=desk).returncode == 0


BEFORE = """
import sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == "windlass.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from windlass.{module} import main
main()
"""


@pytest.mark.parametrize(("module", "said"), [("__main__", "stopped\n"), ("cli", "Traceback")])
def test_ctrl_c_while_the_command_is_being_imported_is_one_word(module, said):
    """The control imports the command line at once, as it was."""
    done = subprocess.run([sys.executable, "-c", BEFORE.format(module=module)], capture_output=True, text=True)
    assert done.returncode == 130 or module == "cli"
    assert done.stderr.startswith(said)
