"""How a command ends when something goes wrong: one or two lines on stderr, an exit code, and never a traceback.

What nobody foresaw is an internal error with an id; its traceback stands in the diagnostic log, which the line names.
"""

import codecs
import errno
import io
import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from windlass.errors import NotReady, WindlassError
from windlass.language.chosen import translated
from windlass.lifecycle import ORDER
from windlass.store import diagnostics
from windlass.store.store import FOLDER

INTERNAL, STOPPED, PIPE_CLOSED = 70, 130, 141
"""Exit codes: EX_SOFTWARE of sysexits.h; 128 + SIGINT; 128 + SIGPIPE."""
WRITES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or ask for more",
    errno.EFBIG: "this system bounds the size of files (`ulimit -f`)",
    errno.EROFS: "name a folder that can be written to",
}
"""What can only be said of writing, and what to do."""
ESCAPED = "windlass-escaped"
logger = logging.getLogger("windlass.commands")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Characters that the stream cannot hold, as JSON and Python write them: two units where one is not enough."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end


def set_up_streams() -> None:
    """Whatever the streams' encoding is, no text ends a command; JSON stays JSON. Standard input is UTF-8."""
    codecs.register_error(ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")


def ended(command: Callable[[], object]) -> int:
    """Runs the command; its exit code."""
    try:
        command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if code == STOPPED:  # so typer ends a command at Ctrl-C, without a word
            code = _told(KeyboardInterrupt())
    except BaseException as error:  # noqa: BLE001 - the last net
        code = _told(error)
    else:
        code = 0
    _stop_drawing()
    return _flushed(code)


def _stop_drawing() -> None:
    """Takes bars away: what is said next would stand in the middle of one, and the cursor would stay hidden."""
    if drawn := sys.modules.get("windlass.pages.text.progress"):
        drawn.stop()


def _flushed(code: int) -> int:
    """What is still to be printed is printed here, so that a pipe that closed or a disk that is full is no noise."""
    try:
        if not sys.stdout.closed:  # as who speaks a protocol over it leaves it
            sys.stdout.flush()
    except OSError as error:
        code = _told(error)
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _told(error: BaseException) -> int:
    """Says what went wrong; the exit code."""
    _stop_drawing()
    if isinstance(error, WindlassError):
        return _say(f"error: {error}", error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return _say(_stopped(sys.argv[1:]), STOPPED)
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    doing = f"`windlass {_command(sys.argv[1:])}`"
    if _is_of_machine(error):
        logger.error("%s was ended by this machine", doing, exc_info=error)
        return _say(_of_machine(error), NotReady.exit_code)
    id, path = diagnostics.log_unexpected(project_named(sys.argv[1:]) / FOLDER, error, doing)
    if diagnostics.is_shown():
        with suppress(OSError):
            traceback.print_exception(error)
    where = f"its traceback is in {path}" if path else "its traceback could not be written anywhere"
    said = f"error: internal error {id} ({type(error).__name__}), expected none; {where}"
    hint = "please report it with that traceback, which holds none of your data; `windlass --debug` shows all of it"
    return _say(f"{said}\nhint: {hint}", INTERNAL)


def _is_of_machine(error: BaseException) -> bool:
    """True for what a person who runs the command can mend: a part to install, a disk, memory."""
    if isinstance(error, ModuleNotFoundError):
        return not (error.name or "windlass").startswith("windlass")
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno is not None)


def _of_machine(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        words = f"error: '{error.name}' is not installed, expected it for this command"
        return f"{words}\nhint: `windlass doctor` says what to install"
    if isinstance(error, OSError):
        return _of_system(error)
    return "error: this machine has too little memory for this, expected more"


def _command(arguments: list[str]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


def _stopped(arguments: list[str]) -> str:
    """What is true of the command that was stopped: some go on where they were, and a service has served its last."""
    command = _command(arguments)
    if command in ("run", *ORDER):
        return "stopped; `windlass run` goes on from here"
    if command == "predict" and "--to" in arguments:
        return "stopped; the same command goes on from here"
    if command == "serve":
        return "stopped before it served"
    return "stopped"


def _of_system(error: OSError) -> str:
    """A file, disk or connection that does not do what it should."""
    reason = os.strerror(error.errno or 0)
    what = f"{error.filename}" if error.filename else "a file or connection"
    if error.errno in WRITES:
        return f"error: {what} cannot be written ({reason.lower()}), expected room for it\nhint: {WRITES[error.errno]}"
    return f"error: {what} cannot be used ({reason.lower()}), expected to be let in"


def _say(words: str, code: int) -> int:
    with suppress(OSError):
        sys.stderr.write(f"{translated(words)}\n")
        sys.stderr.flush()
    return code


def project_named(arguments: list[str]) -> Path:
    """The folder that `--project` names, else this one."""
    for option, value in pairwise(arguments):
        if option in ("--project", "-p"):
            return Path(value)
    glued = [each.partition("=")[2] for each in arguments if each.startswith("--project=")]
    return Path(glued[0] if glued else ".")
